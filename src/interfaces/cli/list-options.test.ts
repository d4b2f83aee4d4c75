import { expect, test } from "vitest";
import { z } from "zod";
import { type CliWanted, givenCli } from "../../../test/support/given-cli.ts";
import { taskGiven } from "../../../test/support/given-views.ts";
import { LIST_OPTIONS, listTasks } from "./list-options.ts";

/** Three pages of one task each. */
async function listed(words: Readonly<Record<string, unknown>>, more: CliWanted = {}) {
  const queries: unknown[] = [];
  const { context, stdout, stderr } = givenCli(
    {
      tasks: async (query) => {
        queries.push(query);
        const page = Number(query?.cursor ?? 1);
        return {
          items: [{ ...taskGiven({ id: `T${page}`, status: "succeeded" }), stalled: false }],
          next: page < 3 ? String(page + 1) : null,
        };
      },
    },
    { shape: { quiet: true }, ...more },
  );
  await listTasks(z.strictObject(LIST_OPTIONS).parse(words), context);
  return { queries, stdout: stdout(), stderr: stderr() };
}

test("all tasks are listed page after page, each asked for as the first was", async () => {
  const { queries, stdout, stderr } = await listed({ all: true, status: "failed", createdBy: "ada", limit: "1" });
  const asked = { status: "failed", created_by: "ada", limit: 1 };
  expect(queries).toEqual([asked, { ...asked, cursor: "2" }, { ...asked, cursor: "3" }]);
  expect([stdout, stderr]).toEqual(["T1\nT2\nT3\n", ""]);
});

test("one page is one page, and says how to see the rest", async () => {
  const { queries, stdout, stderr } = await listed({ cursor: "2" }, { shape: {} });
  expect(queries).toEqual([{ cursor: "2", limit: 50 }]);
  expect(stdout).toContain("T2  succeeded");
  expect(stderr).toBe("there are more: --all, or --cursor 3\n");
});

test("a person who interrupts gets what was listed until then", async () => {
  expect((await listed({ all: true }, { signal: AbortSignal.abort() })).queries).toHaveLength(1);
});
