import { covers } from "../../domain/matter.ts";
import type { Phase } from "../../domain/phase.ts";
import { declaresCommand, declaresPath, type WorkItem } from "../../domain/plan.ts";
import { crossedRedLine } from "../../domain/red-line.ts";
import { inScope } from "../../domain/scope.ts";
import type { StepKind } from "../../domain/step.ts";
import type { Policy, PolicyAnswer, PolicyQuestion } from "../../ports/policy.ts";

/** Which kinds of act a phase has at all. `prepare` belongs to implementation and verification: both need dependencies. */
const ALLOWED_IN: Readonly<Record<Phase, readonly StepKind[]>> = {
  intent: [],
  planning: ["read", "model", "turn"],
  implementation: ["read", "edit", "command", "prepare", "model", "turn"],
  verification: ["candidate", "gate", "prepare", "model"],
};

const isAgreed = (item: WorkItem, grants: readonly string[], argv: readonly string[]): boolean =>
  declaresCommand(item, argv) || grants.some((grant) => covers(grant, argv));

const yes = (rule: string): PolicyAnswer => ({ verdict: "allow", rule });
const no = (rule: string, reason: string): PolicyAnswer => ({ verdict: "deny", rule, reason });
const ask = (rule: string, reason: string): PolicyAnswer => ({ verdict: "ask", rule, reason });

/** The shipped policy: red lines first, then phase, then the scopes of the frozen spec. */
export const defaultPolicy: Policy = {
  decide(question: PolicyQuestion): PolicyAnswer {
    const { act, phase, scope } = question;
    const line = crossedRedLine(act);
    if (line !== null) return no(`red-line/${line.id}`, `${line.means}: this can not be allowed by anyone`);
    if (!ALLOWED_IN[phase].includes(act.kind)) return no("phase", `${act.kind} is not possible in the phase ${phase}`);
    if ("repo" in act && scope === undefined) return no("scope", `the repo ${act.repo} is not part of this task`);
    if (act.kind === "edit" && scope !== undefined) {
      if (!question.repoWritable) return no("scope/repo", `the repo ${act.repo} is not writable in its project`);
      if (!inScope(scope, act.path))
        return no("scope/path", `${act.path} is outside what the spec lets this task change in ${act.repo}`);
    }
    const { item } = question;
    if (item !== null && act.kind === "edit" && !declaresPath(item, act.path))
      return ask("plan/path", `work item ${item.id} of the approved plan does not name ${act.path}`);
    if (item !== null && act.kind === "command" && !isAgreed(item, question.grants, act.argv))
      return ask("plan/command", `work item ${item.id} of the approved plan does not name this command`);
    if (act.kind === "prepare") {
      const extra = act.hosts.find((host) => !question.packageHosts.includes(host));
      if (extra !== undefined) return no("egress", `${extra} is not a package host the spec names`);
    }
    return yes("default");
  },
};
