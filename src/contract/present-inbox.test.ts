import { describe, expect, it } from "vitest";
import { ANSWERS_TO, type InboxKind } from "../domain/inbox.ts";
import { inboxItemView } from "./present-inbox.ts";

type Item = Parameters<typeof inboxItemView>[0];

const item = (kind: InboxKind, more: Partial<Item> = {}): Item => ({
  id: "T1",
  kind,
  reason: kind,
  title: "A task",
  project: { id: "P1", name: "shop" },
  sinceMs: 1_760_000_000_000,
  sentence: "It waits.",
  seq: 7,
  answers: ANSWERS_TO[kind],
  text: null,
  choices: [],
  permission: null,
  plan: null,
  step: null,
  detail: null,
  next: "agentos inbox show T1",
  task: null,
  ...more,
});

/** Each way as a person types it and as a program sends it, without what all of them share. */
const ways = (one: Item): readonly (readonly [string, unknown])[] =>
  inboxItemView(one).ways.map(({ answer, command, call }) => {
    expect(command.startsWith("agentos inbox answer T1 ") && command.endsWith(" --at 7")).toBe(true);
    const { method, path, body } = call;
    expect({ method, path }).toEqual({ method: "POST", path: "/api/inbox/T1/answer" });
    const { answer: sent, seq, ...rest } = body as Readonly<Record<string, unknown>>;
    expect([sent, seq]).toEqual([answer, 7]);
    return [command.slice("agentos inbox answer T1 ".length, -" --at 7".length), rest];
  });

describe("an item of the inbox", () => {
  it("says of a plan and of a work item how it is approved, changed or rejected", () => {
    const plan = [
      ["--approve", {}],
      ["--request-changes TEXT", { text: "TEXT" }],
      ["--reject", {}],
    ];
    expect([ways(item("plan")), ways(item("work_item"))]).toEqual([plan, plan]);
    expect(ways(item("note"))).toEqual([
      ["--approve", {}],
      ["--reject", {}],
    ]);
  });

  it("offers to allow an act for good only where there is something to grant", () => {
    const permission = { digest: "d", rule: "ask", reason: "it is new", grant: null };
    const once = [
      ["--allow", {}],
      ["--deny", {}],
    ];
    expect(ways(item("permission", { permission }))).toEqual(once);
    expect(ways(item("permission"))).toEqual(once);
    expect(ways(item("permission", { permission: { ...permission, grant: "npm install" } }))).toEqual([
      ["--allow", {}],
      ["--allow --always", { always: true }],
      ["--deny", {}],
    ]);
  });

  it("writes each choice of a question as one word of a shell, and leaves an open one to be filled in", () => {
    expect(ways(item("question", { choices: ["yes", "no, it's late"] }))).toEqual([
      ["--text yes", { text: "yes" }],
      ["--text 'no, it'\\''s late'", { text: "no, it's late" }],
    ]);
    expect(ways(item("question"))).toEqual([["--text TEXT", { text: "TEXT" }]]);
  });

  it("says of a step nobody knows the outcome of what may have become of it", () => {
    expect(ways(item("outcome_unknown"))).toEqual([
      ["--outcome done", { outcome: "done" }],
      ["--outcome redo", { outcome: "redo" }],
      ["--outcome abort", { outcome: "abort" }],
    ]);
  });

  it("says of what stands still how it goes on: retried, accepted, or with more to spend", () => {
    expect(ways(item("gates_failed"))).toEqual([
      ["--retry", {}],
      ["--accept --reason TEXT", { reason: "TEXT" }],
    ]);
    expect(ways(item("delivery"))).toEqual([
      ["--retry", {}],
      ["--leave", {}],
    ]);
    expect(ways(item("budget"))).toEqual([["--more tokens=100000", { more: { tokens: 100_000 } }]]);
    expect(ways(item("blocked"))).toEqual([["--retry", {}]]);
  });

  it("shows the step whose outcome nobody knows in words and as it was recorded", () => {
    const act = { kind: "command", repo: "app", argv: ["./send"], cwd: ".", timeoutMs: 1_000, network: [] } as const;
    const { step, gates, spent, project, since } = inboxItemView(
      item("outcome_unknown", { step: { step: "s1", act }, project: null }),
    );
    expect({ step, gates, spent, project, since }).toEqual({
      step: { step: "s1", doing: "run ./send", act },
      gates: [],
      spent: null,
      project: null,
      since: "2025-10-09T08:53:20.000Z",
    });
  });
});
