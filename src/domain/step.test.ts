import { describe, expect, test } from "vitest";
import { ref } from "../../test/support/given-task.ts";
import { type Act, crashPolicy, type StepKind } from "./step.ts";

const command = (network: readonly string[]): Extract<Act, { kind: "command" }> => ({
  kind: "command",
  repo: "app",
  argv: ["npm", "publish"],
  cwd: ".",
  timeoutMs: 1_000,
  network,
});

const ACTS = {
  read: { kind: "read", repo: "app", what: "file", target: ["a"] },
  tool: {
    kind: "tool",
    repo: "app",
    server: "docs",
    tool: "find",
    digest: "d1",
    argv: ["docs"],
    input: ref("input"),
    network: [],
    timeoutMs: 1,
  },
  model: { kind: "model", provider: "p", model: "m", request: ref("request") },
  edit: { kind: "edit", repo: "app", path: "a", before: null, after: "1", content: ref("a"), executable: null },
  command: command([]),
  prepare: { kind: "prepare", repo: "app", on: "base", key: "k", argv: ["npm", "ci"], hosts: ["registry:443"] },
  turn: { kind: "turn", agent: "a", prompt: ref("prompt") },
  gate: { kind: "gate", gate: "tests", repo: "app", on: "candidate", commit: "c", tree: "t", argv: ["npm", "test"] },
  candidate: { kind: "candidate", repo: "app", base: "b" },
  deliver: { kind: "deliver", repo: "app", way: "merge", branch: "main", from: "b", to: "c", tree: "t" },
  deliver_together: { kind: "deliver_together", moves: [] },
} as const satisfies { readonly [K in StepKind]: Extract<Act, { kind: K }> };

describe("after a crash in the middle", () => {
  test("each kind of step is dealt with as the design says", () =>
    expect(Object.fromEntries(Object.entries(ACTS).map(([kind, act]) => [kind, crashPolicy(act)]))).toEqual({
      read: "run_again",
      model: "call_again",
      tool: "restore_then_run_again",
      edit: "restore_then_run_again",
      command: "restore_then_run_again",
      prepare: "discard_layer_then_run_again",
      turn: "rescue_restore_then_new_session",
      gate: "fresh_checkout_then_run_again",
      candidate: "run_again",
      deliver: "ask_git_then_finish",
      deliver_together: "ask_git_then_all_or_none",
    }));

  test("a command that was let out to even one host is never repeated without a person's word", () =>
    expect(crashPolicy(command(["registry:443"]))).toBe("ask_a_person"));
});
