import { describe, expect, it } from "vitest";
import { ACT_EXAMPLES } from "../../test/support/given-task.ts";
import { type Act, type CrashPolicy, crashPolicy, type StepKind } from "./step.ts";

const { command, prepare, tool } = ACT_EXAMPLES;

describe("after a crash in the middle", () => {
  /** The table of the design, row by row: another kind of step without its row does not compile. */
  const POLICIES: Readonly<Record<StepKind, CrashPolicy>> = {
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
  };

  it.each(Object.entries(POLICIES))("%s: %s, where nothing reaches outside", (kind, policy) =>
    expect(crashPolicy({ kind, network: [] } as unknown as Act)).toBe(policy),
  );

  it("each kind of step is dealt with as the design says, whatever else its act holds", () => {
    const acts: readonly Act[] = Object.values({ ...ACT_EXAMPLES, prepare: { ...prepare, hosts: ["registry:443"] } });
    expect(Object.fromEntries(acts.map((act) => [act.kind, crashPolicy(act)]))).toEqual(POLICIES);
  });

  it.each<Act>([
    { ...command, network: ["registry:443"] },
    { ...tool, network: ["example.org:443"] },
  ])("a $kind that was let out to even one host is never repeated without a person's word", (act) =>
    expect(crashPolicy(act)).toBe("ask_a_person"),
  );
});
