import type { z } from "zod";
import type { Draft } from "../domain/draft.ts";
import type { ScriptAct, ScriptPlan } from "../domain/script-plan.ts";
import type { SpecLimits } from "../domain/spec.ts";
import type { PlanFile, SpecChangeInput, SpecInput } from "./inputs.ts";

/** A command as one string is text for a shell; as a list it is an argv. */
const argvOf = (run: string | readonly string[]): readonly string[] =>
  typeof run === "string" ? ["/bin/sh", "-c", run] : run;

export function scriptPlanFrom(file: z.infer<typeof PlanFile>): ScriptPlan {
  return {
    explore: file.explore.map(({ repo, run }) => ({ repo: repo ?? "", argv: argvOf(run) })),
    items: file.items.map((item) => ({
      id: item.id,
      title: item.title,
      repo: item.repo ?? "",
      criterion: item.criterion ?? null,
      dependsOn: item.depends_on,
      acts: item.do.map((act): ScriptAct => {
        if ("run" in act)
          return {
            act: "run",
            argv: argvOf(act.run),
            cwd: act.cwd,
            network: act.network,
            timeoutMs: act.timeout_ms ?? null,
          };
        if ("write" in act) return { act: "write", path: act.write, content: act.content, executable: act.executable };
        if ("replace" in act) return { act: "replace", path: act.replace, find: act.find, with: act.with };
        return { act: "remove", path: act.remove };
      }),
    })),
  };
}

/** The fields a change names, as the draft holds them; what it does not name is not in the result. */
export function draftChangeFrom(change: z.infer<typeof SpecChangeInput>): Partial<Draft> {
  return {
    ...(change.title !== undefined && { title: change.title }),
    ...(change.intent !== undefined && { intent: change.intent }),
    ...(change.criteria !== undefined && {
      criteria: change.criteria.map((one) =>
        typeof one === "string" ? { text: one, gate: null } : { text: one.text, gate: one.gate ?? null },
      ),
    }),
    ...(change.constraints !== undefined && { constraints: change.constraints }),
    ...(change.scopes !== undefined && { scopes: change.scopes }),
    ...(change.gates !== undefined && {
      gates: change.gates.map((gate) => ({
        id: gate.id,
        repo: gate.repo ?? null,
        argv: argvOf(gate.run),
        cwd: gate.cwd,
        judgement: gate.report === undefined ? ("exit" as const) : ("tests" as const),
        report: gate.report ?? null,
        definition: gate.definition,
        timeoutMs: gate.timeout_ms ?? null,
      })),
    }),
    ...(change.prepare !== undefined && {
      prepare: change.prepare.map((one) => ({
        repo: one.repo ?? null,
        argv: one.run === "" ? [] : argvOf(one.run),
        inputs: one.inputs,
        outputs: one.outputs,
        hosts: one.hosts,
      })),
    }),
    ...(change.agent !== undefined && { agent: change.agent }),
    ...(change.plan !== undefined && { plan: scriptPlanFrom(change.plan) }),
    ...(change.run_mode !== undefined && { runMode: change.run_mode }),
    ...(change.expects_change !== undefined && { expectsChange: change.expects_change }),
    ...(change.include_changes !== undefined && { includeDirty: change.include_changes }),
    ...(change.attempts !== undefined && { attempts: change.attempts }),
    ...(change.flaky !== undefined && { flaky: change.flaky }),
    ...(change.limits !== undefined && { limits: limitsFrom(change.limits) }),
  };
}

function limitsFrom(limits: {
  readonly step_ms?: number | undefined;
  readonly memory_bytes?: number | undefined;
  readonly processes?: number | undefined;
  readonly output_bytes?: number | undefined;
}): Partial<SpecLimits> {
  return {
    ...(limits.step_ms !== undefined && { stepMs: limits.step_ms }),
    ...(limits.memory_bytes !== undefined && { memoryBytes: limits.memory_bytes }),
    ...(limits.processes !== undefined && { processes: limits.processes }),
    ...(limits.output_bytes !== undefined && { outputBytes: limits.output_bytes }),
  };
}

export function draftFrom(spec: z.infer<typeof SpecInput>): Draft {
  return {
    intent: "",
    criteria: [],
    constraints: [],
    scopes: null,
    gates: [],
    prepare: [],
    agent: null,
    plan: null,
    runMode: null,
    expectsChange: null,
    includeDirty: false,
    attempts: null,
    limits: {},
    ...draftChangeFrom(spec),
    title: spec.title,
  };
}
