import { expect, test } from "vitest";
import { criterion, gate, specChange } from "./spec-options.ts";

test("a criterion names its gate after an arrow, and an arrow that names none is words", () => {
  expect(criterion("Empty input is no error => tests")).toEqual({ text: "Empty input is no error", gate: "tests" });
  expect(criterion("a => b => tests")).toEqual({ text: "a => b", gate: "tests" });
  expect(criterion("f: A => B is total")).toBe("f: A => B is total");
  expect(criterion("Nothing is lost")).toBe("Nothing is lost");
});

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
  const said = { includeChanges: false, noChange: false, branch: ["app=release/1", "lib=a=b"] };
  expect(await specChange(said, "/")).toEqual({ branches: { app: "release/1", lib: "a=b" } });
  for (const odd of ["release", "=x", "app="])
    await expect(specChange({ ...said, branch: [odd] }, "/")).rejects.toThrow("--branch must be REPO=NAME");
});

test("what was not said is not in the change", async () => {
  expect(await specChange({ includeChanges: false, noChange: false }, "/")).toEqual({});
  expect(await specChange({ includeChanges: true, noChange: true, attempts: 2, mode: "autonomous" }, "/")).toEqual({
    include_changes: true,
    expects_change: false,
    attempts: 2,
    run_mode: "autonomous",
  });
});
