import type { Evidence } from "../domain/evidence.ts";
import { scopeOf } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";
import type { Desk } from "../ports/broker.ts";
import type { PolicyAnswer } from "../ports/policy.ts";
import type { BrokerDependencies } from "./deps.ts";

/** What the policy says of an act of this task, here and now. */
export const decide = (deps: BrokerDependencies, desk: Desk, act: Act): Promise<PolicyAnswer> => {
  const repo = "repo" in act ? act.repo : "";
  return deps.policy.decide({
    principal: WORKERS_OWN.has(act.kind)
      ? { kind: "worker", name: "agentos" }
      : { kind: "agent", name: desk.spec.agent.kind },
    phase: desk.phase,
    runMode: desk.runMode,
    act,
    project: desk.project,
    scope: scopeOf(desk.spec, repo),
    repoWritable: desk.repos[repo]?.writable ?? false,
    packageHosts: desk.spec.prepare.flatMap((definition) => definition.hosts),
    item: desk.item,
    grants: desk.grants,
    approvedCommands: desk.spec.approvedCommands ?? [],
  });
};

/** What the system does of itself, whoever works on the task. */
const WORKERS_OWN: ReadonlySet<Act["kind"]> = new Set<Act["kind"]>(["prepare", "candidate", "gate"]);

export const decisionEvidence = ({ verdict, rule, policy, set }: PolicyAnswer): Evidence => ({
  kind: "decision",
  verdict,
  rule,
  policy,
  set,
});
