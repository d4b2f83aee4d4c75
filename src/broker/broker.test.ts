import { describe, expect, it } from "vitest";
import { ACT_EXAMPLES } from "../../test/support/given-task.ts";
import type { Act, StepKind } from "../domain/step.ts";
import { describeAct } from "./broker.ts";
import { insideOf, tail, targetOf } from "./confine.ts";

const { read, edit, command } = ACT_EXAMPLES;
const ACTS: Readonly<Record<StepKind, Act>> = {
  ...ACT_EXAMPLES,
  read: { ...read, what: "command", target: ["ls", "-l"] },
  command: { ...command, argv: ["make", "all"] },
};
/** A new kind of act without its line does not compile. */
const LINES: Readonly<Record<StepKind, string>> = {
  read: "read command ls -l in app",
  edit: "write a.txt in app",
  command: "run make all in app",
  prepare: "prepare app by npm ci",
  gate: "gate tests on c1",
  candidate: "make the candidate of app",
  deliver: "deliver c1 to main of app",
  deliver_together: "deliver c1 to main of app, c2 to main of lib",
  tool: "use find of docs",
  model: "call m of p",
  turn: "a turn of a",
};

describe("the broker's words and bounds", () => {
  it.each(Object.values(ACTS))("$kind: an act is one line for the audit", (act) =>
    expect(describeAct(act)).toBe(LINES[act.kind]),
  );

  it("a removed file is not a written one", () =>
    expect(describeAct({ ...edit, after: null })).toBe("remove a.txt in app"));

  it("a target is a host and a port, the host in lower case", () =>
    expect(targetOf("Registry.Example.ORG:443")).toEqual({ host: "registry.example.org", port: 443 }));

  it.each([
    "example.org",
    "example.org:",
    ":443",
    "https://example.org:443",
    "a b:1",
    "example.org:123456",
    "[::1]:80",
  ])("%j is no target", (text) => expect(() => targetOf(text)).toThrow(`${text} is not host:port`));

  it("a workspace is seen at the same place everywhere", () => expect(insideOf("app")).toBe("/workspace/app"));

  it("an agent is told the end of a long output", () => {
    const told = tail(new TextEncoder().encode(`${"x".repeat(100_000)}the end`));
    expect([told.length, told.endsWith("the end"), tail(new Uint8Array())]).toEqual([32 * 1024, true, ""]);
  });
});
