import { describe, expect, it, test } from "vitest";
import { ACT_EXAMPLES } from "../../test/support/given-task.ts";
import { type Act, crashPolicy } from "../domain/step.ts";
import { settledResult } from "./settled-result.ts";

/** One act of each kind, let out as far as its kind can be. */
const ACTS: readonly Act[] = Object.values(ACT_EXAMPLES).map(
  (act) => ({ ...act, network: ["host.example:443"] }) as Act,
);

describe("once a person has said what became of it, the asker of an interrupted", () => {
  const { command, tool } = ACT_EXAMPLES;

  it("command is told so as a command's result", () => {
    expect(settledResult(command, "done")).toEqual({
      exitCode: 0,
      endedBy: "itself",
      stdout: "",
      stderr: "A person says that this took effect.",
    });
    expect(settledResult(command, "abort")).toEqual({
      exitCode: null,
      endedBy: "cancel",
      stdout: "",
      stderr: "A person aborted this step.",
    });
  });

  it("call of a tool is told so as a tool's answer", () => {
    expect(settledResult(tool, "done")).toEqual({ text: "A person says that this took effect.", isError: false });
    expect(settledResult(tool, "abort")).toEqual({ text: "A person aborted this step.", isError: true });
  });
});

test("every step that a person is asked about has a form for the answer, and no other has one", () => {
  const hasForm = (act: Act): boolean => {
    try {
      return settledResult(act, "done") !== null;
    } catch {
      return false;
    }
  };
  const asked = ACTS.filter((act) => crashPolicy(act) === "ask_a_person");
  expect(ACTS.filter(hasForm).map(({ kind }) => kind)).toEqual(asked.map(({ kind }) => kind));
});
