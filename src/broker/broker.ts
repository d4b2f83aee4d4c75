import { Failure } from "../domain/failure.ts";
import type { GateDefinition, PrepareDefinition } from "../domain/gate.ts";
import { scopeOf } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";
import type { PlanningCapabilities, WorkCapabilities } from "../ports/agent.ts";
import type { Broker, Desk, Effect, GateOutcome, LayerMount, StepRun } from "../ports/broker.ts";
import { makeCandidate } from "./candidate.ts";
import type { BrokerDependencies, Pass } from "./deps.ts";
import { runGate } from "./gate.ts";
import { planningCapabilities, readOnlyWitness } from "./planning.ts";
import { prepareLayer } from "./prepare.ts";
import { workCapabilities } from "./working.ts";

export function createBroker(deps: BrokerDependencies): Broker {
  const passing =
    (desk: Desk): Pass =>
    async (input, open, effect) => {
      const allowed = async () => {
        const opened = await open();
        const { act } = opened;
        const repo = "repo" in act ? act.repo : "";
        const answer = await deps.policy.decide({
          principal: { kind: "agent", name: desk.spec.agent.kind },
          phase: desk.phase,
          runMode: desk.spec.runMode,
          project: null,
          item: null,
          approvedCommands: [],
          act,
          scope: scopeOf(desk.spec, repo),
          repoWritable: desk.repos[repo]?.writable ?? false,
          packageHosts: desk.spec.prepare.flatMap((definition) => definition.hosts),
        });
        if (answer.verdict === "allow") return opened;
        await desk.steps.deny(describeAct(act), answer.rule, answer.reason);
        throw new Failure("act/denied", `${describeAct(act)}: ${answer.reason}`, { facts: { rule: answer.rule } });
      };
      const tidy = async (run: StepRun): Promise<Effect> => {
        try {
          return await effect(run);
        } finally {
          await deps.dropRunDirectory(desk.task, run.step, run.run);
        }
      };
      return desk.steps.perform({ input: deps.seal(input).sha256, open: allowed, effect: tidy });
    };

  return {
    planning: (desk): PlanningCapabilities => planningCapabilities(deps, desk, passing(desk)),
    working: (desk, item): WorkCapabilities => workCapabilities(deps, desk, passing(desk), item),
    prepare: (desk, definition: PrepareDefinition, commit, on): Promise<LayerMount> =>
      prepareLayer(deps, desk, passing(desk), definition, commit, on),
    candidate: (desk, repo, message, author, exclude) =>
      makeCandidate(deps, desk, passing(desk), { repo, message, author, exclude }),
    gate: (desk, gate: GateDefinition, ground, on): Promise<GateOutcome> =>
      runGate(deps, desk, passing(desk), { gate, ground, on }),
    witness: (desk, seen) => readOnlyWitness(deps, desk, passing(desk), seen),
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
      return `run ${act.argv.join(" ").slice(0, ACT_TOLD)} in ${act.repo}`;
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
    case "model":
      return `call ${act.model} of ${act.provider}`;
    case "turn":
      return `a turn of ${act.agent}`;
  }
}
