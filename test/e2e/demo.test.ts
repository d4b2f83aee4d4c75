import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { git, sampleRepo, temporaryDirectory, toolPath } from "../support/daemon.ts";

/* `npm run demo`, as it is typed after set-up. */

const DEMO = join(import.meta.dirname, "..", "..", "scripts", "demo.ts");

function demo(...words: string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [DEMO, ...words], {
    encoding: "utf8",
    timeout: 120_000,
    // The demo keeps what it made, for people to look at; a test does not.
    env: { HOME: "/nonexistent", PATH: toolPath().join(":"), TMPDIR: temporaryDirectory("demo") },
  });
  return { status, text: `${stdout}${stderr}` };
}

test("the demo goes from a red test to a delivered, proven change, through a SIGKILL in mid-step", () => {
  const { status, text } = demo();
  expect({ status, text: status === 0 ? "" : text }).toEqual({ status: 0, text: "" });
  for (const told of [
    /spec frozen as sha256 [0-9a-f]{64}/,
    /approved: plan [0-9a-f]{12} for spec [0-9a-f]{12}/,
    /kill -9 \d+, while step 1\.item-check\.1 was open/,
    /1\.item-check\.1: lost, then completed/,
    /gate tests: red \(2 of 4 pass\) on the base → green \(4 of 4 pass\) on the candidate/,
    /main is now [0-9a-f]{12}, and the checkout followed/,
    /\d+ events in 3 streams and \d+ blobs: every hash holds/,
  ])
    expect(text).toMatch(told);
});

test("the demo with a path runs that repository's gates and leaves it as it was", () => {
  const [green, red] = [sampleRepo("green"), sampleRepo("red")];
  const before = git(green, "for-each-ref") + git(green, "status", "--porcelain");
  const passed = demo(green);
  expect({ status: passed.status, text: passed.status === 0 ? "" : passed.text }).toEqual({ status: 0, text: "" });
  expect(passed.text).toContain("| tests | sample | `npm test` | pass | 1 passed, 0 failed, 0 skipped |");
  expect(git(green, "for-each-ref") + git(green, "status", "--porcelain")).toBe(before);
  const failed = demo(red);
  expect(failed.status).toBe(1);
  expect(failed.text).toContain("Gate tests failed");
});

test("the demo refuses what is no repository, in one sentence", () => {
  const { status, text } = demo("/nonexistent/place");
  expect(status).toBe(1);
  expect(text).toContain("/nonexistent/place");
});
