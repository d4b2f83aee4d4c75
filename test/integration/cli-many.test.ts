import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { taskCancel } from "../../src/interfaces/cli/commands/task-cancel.ts";
import type { Context } from "../../src/interfaces/cli/context.ts";
import { offline } from "../../src/main/offline.ts";
import { type TestDaemon, withDaemon } from "../support/daemon.ts";

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await withDaemon({ config: { startPaused: true } });
});

const draft = async (title: string, session: string): Promise<string> =>
  (await daemon.api.createTask({ title, session })).id;

/** `agentos task cancel` with these words, at a terminal whose person gives this answer; null: there is no terminal. */
async function cancel(given: Record<string, unknown>, answer: boolean | null = null) {
  const said = { lines: [] as string[], questions: [] as string[] };
  const context = {
    api: daemon.api,
    signal: new AbortController().signal,
    prompt:
      answer === null
        ? null
        : {
            confirm: async (question: string) => {
              said.questions.push(question);
              return answer;
            },
          },
    out: {
      json: false,
      result: (data: unknown, lines: (data: unknown) => readonly string[]) => void said.lines.push(...lines(data)),
      note: () => undefined,
      bytes: () => undefined,
    },
  } as unknown as Context;
  const exit = await taskCancel.run(z.parse(taskCancel.args, given), context);
  return { exit, ...said };
}

const canceled = async (session: string): Promise<number> =>
  (await daemon.api.tasks({ session, status: "canceled" })).items.length;

describe("one verb for many tasks", () => {
  test("says beforehand what would come of it, and asks where it is much", async () => {
    for (let n = 0; n < 11; n += 1) await draft(`task ${n}`, "many");
    const dry = await cancel({ session: "many", dryRun: true });
    expect([dry.exit, dry.lines.length, dry.lines[0]]).toEqual([
      0,
      11,
      expect.stringMatching(/^[0-9A-Z]{26} {2}draft {2}would cancel {2}task 10$/),
    ]);
    expect(await canceled("many")).toBe(0);

    const refused = await cancel({ session: "many" }, false);
    expect([refused.exit, refused.questions]).toEqual([1, ["This would cancel 11 tasks. Go on?"]]);
    await expect(cancel({ session: "many" })).rejects.toThrow("Nobody can be asked here whether that is meant.");
    expect(await canceled("many")).toBe(0);

    expect((await cancel({ session: "many" }, true)).exit).toBe(0);
    expect(await canceled("many")).toBe(11);
    expect((await cancel({ session: "many" })).lines).toEqual(["no task to cancel"]);
  });

  test("tells for each what became of it; the exit code says whether one was refused", async () => {
    const [one, two] = [await draft("one", "few"), await draft("two", "few")];
    await daemon.api.cancelTask(one, {});
    const { exit, lines } = await cancel({ id: [one, two] });
    expect([exit, lines]).toEqual([
      4,
      [
        `${one}  canceled  refused  task ${one} is canceled and refuses cancel. It takes nothing.`,
        `${two}  draft     done     two`,
      ],
    ]);
  });

  test("is not guessed: no task named, or a task and a filter", async () => {
    const id = await draft("three", "few");
    await expect(cancel({})).rejects.toThrow("No task was named.");
    await expect(cancel({ id: [id], session: "few" })).rejects.toThrow("it would not be clear which are meant");
    const both = await daemon.ask("POST", "/api/tasks/bulk", { body: { verb: "cancel", ids: [id], all: true } });
    const none = await daemon.ask("POST", "/api/tasks/bulk", { body: { verb: "cancel" } });
    expect([both.status, none.status]).toEqual([400, 400]);
  });
});

test("a pause of everything outlives the daemon, and whoever wonders is told of it", async () => {
  const reason = "the daemon was started paused";
  expect((await daemon.api.health()).paused).toMatchObject({ reason });
  await daemon.stop();
  daemon = await withDaemon({ home: daemon.home });
  expect((await daemon.api.health()).paused).toMatchObject({ reason });
  const { checks } = await offline.doctor(daemon.home, { fix: false, dryRun: false });
  expect(checks.find(({ name }) => name === "work")).toMatchObject({ ok: false, next: "agentos daemon resume" });
  await daemon.api.resumeAll({ reason: "looked" });
  expect((await daemon.api.health()).paused).toBeNull();
  const types = (await daemon.api.events(0, 1_000)).items
    .filter(({ stream }) => stream === "system")
    .map(({ type, actor }) => [type, actor.split(":")[0]]);
  expect(types.filter(([type]) => type?.startsWith("SYSTEM_"))).toEqual([
    ["SYSTEM_PAUSED", "person"],
    ["SYSTEM_RESUMED", "person"],
  ]);
});
