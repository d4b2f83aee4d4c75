import { Failure } from "../domain/failure.ts";
import type { GateDefinition, PrepareDefinition } from "../domain/gate.ts";
import { grantFor } from "../domain/matter.ts";
import type { Act } from "../domain/step.ts";
import { wellFormed } from "../domain/well-formed.ts";
import type { PlanningCapabilities, WorkCapabilities } from "../ports/agent.ts";
import type {
  Broker,
  Desk,
  Effect,
  GateOutcome,
  LayerMount,
  NeededPermission,
  Opened,
  StepRun,
} from "../ports/broker.ts";
import type { PolicyAnswer } from "../ports/policy.ts";
import type { StagedBlob } from "../ports/store.ts";
import { makeCandidate } from "./candidate.ts";
import { toolPathOf } from "./confine.ts";
import { decide, decisionEvidence } from "./decision.ts";
import type { BrokerDependencies, Pass } from "./deps.ts";
import { runGate } from "./gate.ts";
import { planningCapabilities, readOnlyWitness } from "./planning.ts";
import { prepareLayer } from "./prepare.ts";
import { talkCapabilities } from "./talking.ts";
import { workCapabilities } from "./working.ts";

export function createBroker(deps: BrokerDependencies): Broker {
  const passing =
    (desk: Desk): Pass =>
    async (input, open, effect, again) => {
      let answer: PolicyAnswer | null = null;
      const decided = async (): Promise<Opened> => {
        const opened = await open();
        if ("refused" in opened) return opened;
        const { act } = opened;
        answer = await decide(deps, desk, act);
        const { verdict, rule, reason } = answer;
        if (verdict === "allow") return opened;
        if (verdict === "deny") return { refused: { act: describeAct(act), rule, reason } };
        return { ...opened, needs: permissionFor(desk, opened, rule, reason) };
      };
      const tidy = async (run: StepRun): Promise<Effect> => {
        try {
          const done = await effect(run);
          return answer === null ? done : { ...done, evidence: [decisionEvidence(answer), ...done.evidence] };
        } finally {
          await deps.dropRunDirectory(desk.task, run.step, run.run);
        }
      };
      return desk.steps.perform({
        input: sealOf(deps, input),
        open: decided,
        effect: tidy,
        ...(again !== undefined && { again }),
      });
    };

  return {
    planning: (desk): PlanningCapabilities => planningCapabilities(deps, desk, passing(desk)),
    working: (desk): WorkCapabilities => workCapabilities(deps, desk, passing(desk)),
    reviewing: (desk) => ({ model: talkCapabilities(deps, desk, passing(desk)).model }),
    prepare: (desk, definition: PrepareDefinition, commit, on): Promise<LayerMount> =>
      prepareLayer(deps, desk, passing(desk), definition, commit, on),
    candidate: (desk, repo, message, author, exclude) =>
      makeCandidate(deps, desk, passing(desk), { repo, message, author, exclude }),
    gate: (desk, gate: GateDefinition, ground, on): Promise<GateOutcome> =>
      runGate(deps, desk, passing(desk), { gate, ground, on }),
    witness: (desk, seen) => readOnlyWitness(deps, desk, passing(desk), seen),
  };
}

/** What was asked for, as its record names it. What no record can hold is not ours to mend: whoever asked is told, and asks for something else. */
function sealOf(deps: BrokerDependencies, input: unknown): string {
  try {
    return deps.seal(input).sha256;
  } catch (cause) {
    if (wellFormed(input) === input) throw cause;
    throw new Failure("input/invalid", "half of a surrogate pair stands in what is asked for", { cause });
  }
}

/** What a person is shown and what a yes is bound to: the act itself, and where and within which bounds it would run. */
function permissionFor(
  desk: Desk,
  { act, blobs }: { readonly act: Act; readonly blobs: readonly StagedBlob[] },
  rule: string,
  reason: string,
): NeededPermission {
  const { content: _where, ...bound } = { content: null, ...act };
  const content = act.kind === "edit" ? (blobs[0]?.inline ?? null) : null;
  return {
    text: [JSON.stringify(bound, null, 2), ...(content === null ? [] : [new TextDecoder().decode(content)])].join(
      "\n\n",
    ),
    binds: {
      ...bound,
      limits: desk.spec.limits,
      toolPath: "repo" in act ? toolPathOf(desk, act.repo) : [],
    },
    act: describeAct(act),
    rule,
    reason,
    grant: act.kind === "command" ? grantFor(act.argv) : null,
  };
}

/** So much of a command is told; all of it stands in the step it belongs to, or was never begun. */
const ACT_TOLD = 300;

/** One line that says what was asked, for the audit trail. */
export function describeAct(act: Act): string {
  switch (act.kind) {
    case "read":
      return `read ${act.what} ${act.target.join(" ")} in ${act.repo}`;
    case "edit":
      return `${act.after === null ? "remove" : "write"} ${act.path} in ${act.repo}`;
    case "command":
      return `run ${act.argv.join(" ").slice(0, ACT_TOLD).toWellFormed()} in ${act.repo}`;
    case "prepare":
      return `prepare ${act.repo} by ${act.argv.join(" ")}`;
    case "gate":
      return `gate ${act.gate} on ${act.commit}`;
    case "candidate":
      return `make the candidate of ${act.repo}`;
    case "deliver":
      return `deliver ${act.to} to ${act.branch} of ${act.repo}`;
    case "deliver_together":
      return `deliver ${act.moves.map(({ repo, branch, to }) => `${to} to ${branch} of ${repo}`).join(", ")}`;
    case "tool":
      return `use ${act.tool} of ${act.server}`;
    case "model":
      return `call ${act.model} of ${act.provider}`;
    case "turn":
      return `a turn of ${act.agent}`;
  }
}
