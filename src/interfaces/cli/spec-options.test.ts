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

test("what was not said is not in the change", async () => {
  expect(await specChange({ includeChanges: false, noChange: false }, "/")).toEqual({});
  expect(await specChange({ includeChanges: true, noChange: true, attempts: 2, mode: "autonomous" }, "/")).toEqual({
    include_changes: true,
    expects_change: false,
    attempts: 2,
    run_mode: "autonomous",
  });
});
