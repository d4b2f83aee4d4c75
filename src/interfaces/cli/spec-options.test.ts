import { expect, test } from "vitest";
import { criterion, gate, limits, mayChange, scope, specChange } from "./spec-options.ts";

test("a criterion names its gate after an arrow, and an arrow that names none is words", () => {
  expect(criterion("Empty input is no error => tests")).toEqual({ text: "Empty input is no error", gate: "tests" });
  expect(criterion("a => b => tests")).toEqual({ text: "a => b", gate: "tests" });
  expect(criterion("f: A => B is total")).toBe("f: A => B is total");
  expect(criterion("Nothing is lost")).toBe("Nothing is lost");
});

const SAID_NOTHING = { includeChanges: false, noChange: false, noPrepare: false, endStalled: false, review: false };

test("a gate is a name and a command, which may hold equals signs of its own", () => {
  expect(gate("lint=A=1 npm run lint")).toEqual({ id: "lint", run: "A=1 npm run lint" });
  expect(() => gate("npm test")).toThrow('--gate must be NAME=COMMAND, and "npm test" is not');
  expect(() => gate("=x")).toThrow("--gate must be NAME=COMMAND");
});

test("a gate can name the repo it runs in, others beside it, or all", () => {
  expect(gate("fits@app=make fits")).toEqual({ id: "fits", run: "make fits", repo: "app" });
  expect(gate("fits@app+lib+docs=make A=1")).toEqual({
    id: "fits",
    run: "make A=1",
    repo: "app",
    beside: ["lib", "docs"],
  });
  expect(gate("fits@*=make fits")).toEqual({ id: "fits", run: "make fits", beside: "all" });
  for (const odd of ["fits@=x", "fits@app+=x", "fits@a@b=x", "@app=x"])
    expect(() => gate(odd)).toThrow("--gate must be NAME=COMMAND");
});

test("a branch is said per repo", async () => {
  const said = { ...SAID_NOTHING, branch: ["app=release/1", "lib=a=b"] };
  expect(await specChange(said, "/")).toEqual({ branches: { app: "release/1", lib: "a=b" } });
  for (const odd of ["release", "=x", "app="])
    await expect(specChange({ ...said, branch: [odd] }, "/")).rejects.toThrow("--branch must be REPO=NAME");
});

test("a gate can name the repo it runs in, others beside it, or all", () => {
  expect(gate("fits@app=make fits")).toEqual({ id: "fits", run: "make fits", repo: "app" });
  expect(gate("fits@app+lib+docs=make A=1")).toEqual({
    id: "fits",
    run: "make A=1",
    repo: "app",
    beside: ["lib", "docs"],
  });
  expect(gate("fits@*=make fits")).toEqual({ id: "fits", run: "make fits", beside: "all" });
  for (const odd of ["fits@=x", "fits@app+=x", "fits@a@b=x", "@app=x"])
    expect(() => gate(odd)).toThrow("--gate must be NAME=COMMAND");
});

test("a branch is said per repo", async () => {
  const said = { ...SAID_NOTHING, branch: ["app=release/1", "lib=a=b"] };
  expect(await specChange(said, "/")).toEqual({ branches: { app: "release/1", lib: "a=b" } });
  for (const odd of ["release", "=x", "app="])
    await expect(specChange({ ...said, branch: [odd] }, "/")).rejects.toThrow("--branch must be REPO=NAME");
});

test("what was not said is not in the change", async () => {
  expect(await specChange(SAID_NOTHING, "/")).toEqual({});
  expect(
    await specChange({ ...SAID_NOTHING, includeChanges: true, noChange: true, attempts: 2, mode: "autonomous" }, "/"),
  ).toEqual({
    include_changes: true,
    expects_change: false,
    attempts: 2,
    run_mode: "autonomous",
  });
});

test("limits are named, with values as people write them", () => {
  expect(limits(["step=10m", "task=2h", "stall=90s", "memory=2GiB", "output=1MiB", "processes=64"])).toEqual({
    step_ms: 600_000,
    task_ms: 7_200_000,
    stall_ms: 90_000,
    memory_bytes: 2 ** 31,
    output_bytes: 2 ** 20,
    processes: 64,
  });
  expect(limits(["task=none"])).toEqual({ task_ms: null });
  for (const odd of ["step", "step=10", "memory=2GB", "speed=1", "constructor=1", "processes=-1"])
    expect(() => limits([odd])).toThrow(`--limit ${JSON.stringify(odd)} is no limit`);
});

test("a scope is all of a repo, nothing of it, or patterns", () => {
  expect(scope("app=full")).toEqual({ repo: "app", access: "full" });
  expect(scope("docs=read_only")).toEqual({ repo: "docs", access: "read_only" });
  expect(scope("app=src/**,a=b")).toEqual({ repo: "app", access: "paths", paths: ["src/**", "a=b"] });
  expect(() => scope("app")).toThrow("--scope must be REPO=ACCESS");
});

test("a preparation is a command with its details, or none at all", async () => {
  const prepare = { prepare: "npm ci", prepareInput: ["package-lock.json"], prepareOutput: ["node_modules"] };
  expect(await specChange({ ...SAID_NOTHING, ...prepare }, "/")).toEqual({
    prepare: [{ run: "npm ci", inputs: ["package-lock.json"], outputs: ["node_modules"] }],
  });
  expect(await specChange({ ...SAID_NOTHING, noPrepare: true }, "/")).toEqual({ prepare: [{ run: "" }] });
  await expect(specChange({ ...SAID_NOTHING, ...prepare, noPrepare: true }, "/")).rejects.toThrow("--no-prepare says");
  await expect(specChange({ ...SAID_NOTHING, prepareHost: ["a:1"] }, "/")).rejects.toThrow("not by which command");
});

test("what a spec lets the work change is named in one word or several, and nothing else is", async () => {
  const change = await specChange({ ...SAID_NOTHING, mayChange: ["tests, ci", "secrets"] }, "/");
  expect(change).toEqual({ may_change: ["tests", "ci", "secrets"] });
  expect(() => mayChange("tests,anything")).toThrow('--may-change "anything" is nothing that a spec can let change');
});
