import type { z } from "zod";
import type { Dependency } from "../domain/dependency.ts";
import type { Draft } from "../domain/draft.ts";
import type { NamedForeign } from "../domain/foreign-agent.ts";
import { CUSTOM_AGENT } from "../domain/launchers.ts";
import type { ScriptAct, ScriptPlan } from "../domain/script-plan.ts";
import type { SpecLimits } from "../domain/spec.ts";
import type { AgentInput, PlanFile, ProjectAgentInput, SpecChangeInput, SpecInput } from "./inputs.ts";
import { budgetFrom, modelPolicyFrom } from "./model-wire.ts";

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
      ...(item.artifacts.length > 0 && { artifacts: item.artifacts }),
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
    ...(change.branches !== undefined && { branches: change.branches }),
    ...(change.gates !== undefined && {
      gates: change.gates.map((gate) => ({
        id: gate.id,
        repo: gate.repo ?? null,
        ...(gate.beside !== undefined && { beside: gate.beside }),
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
    ...(change.agent !== undefined && { agent: agentFrom(change.agent) }),
    ...(change.plan !== undefined && { plan: scriptPlanFrom(change.plan) }),
    ...(change.run_mode !== undefined && { runMode: change.run_mode }),
    ...(change.approved_commands !== undefined && { approvedCommands: change.approved_commands }),
    ...(change.expects_change !== undefined && { expectsChange: change.expects_change }),
    ...(change.include_changes !== undefined && { includeDirty: change.include_changes }),
    ...(change.may_change !== undefined && { mayChange: change.may_change }),
    ...(change.attempts !== undefined && { attempts: change.attempts }),
    ...(change.flaky !== undefined && { flaky: change.flaky }),
    ...(change.review !== undefined && { review: change.review }),
    ...(change.limits !== undefined && { limits: limitsFrom(change.limits) }),
    ...(change.models !== undefined && { models: modelPolicyFrom(change.models) }),
    ...(change.budget !== undefined && { budget: budgetFrom(change.budget) }),
  };
}

/** `acp:NAME`, or a command of one's own; the agents of AgentOS itself are their names. */
export function agentFrom(agent: z.infer<typeof ProjectAgentInput>): "builtin" | "gates" | NamedForeign;
export function agentFrom(agent: z.infer<typeof AgentInput>): "builtin" | "script" | "gates" | NamedForeign;
export function agentFrom(agent: z.infer<typeof AgentInput>): "builtin" | "script" | "gates" | NamedForeign {
  if (agent === "builtin" || agent === "script" || agent === "gates") return agent;
  if (typeof agent === "string") return { kind: "acp", agent: agent.slice("acp:".length), argv: null };
  const argv = argvOf(agent.command);
  return agent.kind === "command"
    ? { kind: "command", argv }
    : { kind: "acp", agent: agent.agent ?? CUSTOM_AGENT, argv };
}

function limitsFrom(limits: {
  readonly step_ms?: number | undefined;
  readonly task_ms?: number | null | undefined;
  readonly stall_ms?: number | undefined;
  readonly stall_ends?: boolean | undefined;
  readonly memory_bytes?: number | undefined;
  readonly processes?: number | undefined;
  readonly output_bytes?: number | undefined;
}): Partial<SpecLimits> {
  return {
    ...(limits.step_ms !== undefined && { stepMs: limits.step_ms }),
    ...(limits.task_ms !== undefined && { taskMs: limits.task_ms }),
    ...(limits.stall_ms !== undefined && { stallMs: limits.stall_ms }),
    ...(limits.stall_ends !== undefined && { stallEnds: limits.stall_ends }),
    ...(limits.memory_bytes !== undefined && { memoryBytes: limits.memory_bytes }),
    ...(limits.processes !== undefined && { processes: limits.processes }),
    ...(limits.output_bytes !== undefined && { outputBytes: limits.output_bytes }),
  };
}

/** Each other task once: what is required need not be suggested too. */
export const dependenciesFrom = ({
  requires,
  suggests,
}: {
  readonly requires: readonly string[];
  readonly suggests: readonly string[];
}): readonly Dependency[] => [
  ...[...new Set(requires)].map((on) => ({ on, kind: "requires" }) as const),
  ...[...new Set(suggests)].filter((on) => !requires.includes(on)).map((on) => ({ on, kind: "suggests" }) as const),
];

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
