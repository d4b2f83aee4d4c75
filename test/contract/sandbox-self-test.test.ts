import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { selfTest } from "../../src/adapters/sandbox/self-test.ts";
import type { Captured, Sandbox, SandboxOutcome } from "../../src/ports/sandbox.ts";

/* What the self-test says of sandboxes that are none. A real one is tried in sandbox.test.ts. */

const captured = (text: string): Captured => ({
  bytes: Buffer.from(text),
  sha256: createHash("sha256").update(text).digest("hex"),
});
const ended = (outcome: Partial<SandboxOutcome>): SandboxOutcome => ({
  exitCode: 0,
  signal: null,
  endedBy: "itself",
  stdout: captured(""),
  stderr: captured(""),
  durationMs: 1,
  environmentDigest: "",
  ...outcome,
});
const saying = (seen: object): Sandbox["run"] => {
  return async () => ended({ stdout: captured(`${JSON.stringify(seen)}\n`) });
};
/** Runs the command as it is, with everything this process may do. */
const unconfined: Sandbox["run"] = async ({ argv }) => {
  const { stdout } = await promisify(execFile)(process.execPath, argv.slice(1), { env: {} });
  return ended({ stdout: captured(stdout) });
};

const tried = (run: Sandbox["run"], program = process.execPath) => selfTest(run, { program, filter: null });
const CONFINED = { uid: 1000, read: "ENOENT", write: "EROFS", packet: "ECONNREFUSED" };

test("a sandbox that lets a command work and nothing out is told with what was tried", async () => {
  const { name, version, checks } = await tried(saying(CONFINED));
  expect([name, version]).toEqual(["bubblewrap", process.version]);
  expect(checks).toEqual([
    "a command ran as uid 1000 and ended with exit code 0",
    expect.stringMatching(/^a write to .*\/canary failed inside \(EROFS\) and succeeded outside$/),
    expect.stringMatching(/^a read of .*\/secret failed inside \(ENOENT\) and succeeded outside$/),
    expect.stringMatching(/^a connection to 127\.0\.0\.1:\d+ failed inside \(ECONNREFUSED\) and succeeded outside$/),
    `no syscall filter is written for ${process.arch}`,
  ]);
});

test("one that confines nothing is refused with all that got out", async () => {
  await expect(tried(unconfined)).rejects.toMatchObject({
    code: "sandbox/missing",
    message: expect.stringMatching(
      /^The sandbox does not confine: a confined command wrote .*\/canary; a confined command read .*\/secret; a confined command reached the host's loopback/,
    ),
  });
});

test.each<[string, object, RegExp]>([
  ["reads", { read: "done" }, /^The sandbox does not confine: a confined command read [^;]*\/secret\.$/],
  ["connects", { packet: "done" }, /^The sandbox does not confine: a confined command reached the host's loopback\.$/],
  ["is root", { uid: 0 }, /^The sandbox does not confine: a confined command runs as uid 0\.$/],
])("one in which a command %s is refused for that", async (_, seen, why) => {
  await expect(tried(saying({ ...CONFINED, ...seen }))).rejects.toMatchObject({
    code: "sandbox/missing",
    message: expect.stringMatching(why),
  });
});

test.each<[string, Partial<SandboxOutcome>, string]>([
  ["in its own words", { exitCode: 1, stderr: captured("bwrap: no namespaces\n") }, "bwrap: no namespaces"],
  ["by its exit code where it says nothing", { exitCode: 9 }, "one ended with 9"],
  ["by its signal", { exitCode: null, signal: "SIGSYS" }, "one ended with SIGSYS"],
])("one that runs nothing is refused, %s", async (_, outcome, why) => {
  await expect(tried(async () => ended(outcome))).rejects.toMatchObject({
    code: "sandbox/missing",
    message: `The sandbox does not run commands: ${why}`,
  });
});

test("one in which a command says something else than it was to say was not tried, and that is said", async () => {
  await expect(tried(saying({ hello: "there" }))).rejects.toMatchObject({
    code: "sandbox/missing",
    message: "The sandbox's self-test could not be carried out.",
    cause: expect.objectContaining({ message: expect.stringContaining('{"hello":"there"}') }),
  });
});

test("a program that does not say its version is no sandbox", async () => {
  await expect(tried(saying(CONFINED), "/nonexistent/bwrap")).rejects.toMatchObject({
    code: "sandbox/missing",
    message: "/nonexistent/bwrap does not say its version.",
  });
});
