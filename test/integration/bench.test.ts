import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../support/daemon.ts";

/* What the figures are is no test's business: this sees only that they can be had. */

const ROOT = join(import.meta.dirname, "..", "..");

test("the bench measures, shows a table and keeps the same as JSON", async () => {
  const json = join(temporaryDirectory("bench"), "result.json");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, "bench", "run.ts"), "steps", "policy", "workspaces", "--tiny", "--json", json],
    { cwd: ROOT },
  );
  const { benches, commit, size } = JSON.parse(readFileSync(json, "utf8")) as {
    readonly benches: readonly {
      readonly name: string;
      readonly figures: readonly { readonly name: string; readonly values: readonly number[] }[];
    }[];
    readonly commit: string;
    readonly size: string;
  };
  expect({ size, names: benches.map(({ name }) => name), told: stdout.includes(commit) }).toEqual({
    size: "tiny",
    names: ["steps", "policy", "workspaces"],
    told: true,
  });
  for (const { name, figures } of benches) {
    expect(stdout).toContain(`### ${name}`);
    for (const { values } of figures) expect(values.every((value) => value > 0)).toBe(true);
  }
});

test("a bench nobody knows is named, and nothing is measured", async () => {
  const failed = await promisify(execFile)(process.execPath, [join(ROOT, "bench", "run.ts"), "speed"]).catch(
    (error: { readonly code: number; readonly stderr: string }) => error,
  );
  expect(failed).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no speed; there are steps") });
});
