import type { CandidateOf } from "../domain/event.ts";
import { type GateDefinition, type GateRun, judge, runsAgain } from "../domain/gate.ts";
import { inScope } from "../domain/scope.ts";
import type { Agent } from "../ports/agent.ts";
import type { GateOutcome } from "../ports/broker.ts";
import { type AttemptEnd, endAttempt } from "./attempt.ts";
import type { EngineDependencies } from "./deps.ts";
import { setDesk } from "./desk.ts";
import type { Hold } from "./hold.ts";
import { ensureLayers } from "./layers.ts";
import { excludedPaths } from "./workspace-value.ts";

/** Makes the candidate, runs the pinned gates on base and candidate, and lets only the recorded evidence decide. */
export async function verifyTask(deps: EngineDependencies, hold: Hold, agent: Agent): Promise<AttemptEnd> {
  if (hold.task().candidate === null) await makeCandidate(deps, hold);
  const candidate = hold.task().candidate ?? {};
  const changed = Object.values(candidate).some((one) => one.tree !== one.baseTree);
  const outside = Object.values(candidate).some((one) => one.leftOut.length > 0);
  if ((hold.spec.expectsChange && !changed) || outside) return endAttempt(deps, hold, agent, "gates");

  if (changed) {
    await ensureLayers(deps, hold, "verification", "base");
    for (const gate of hold.spec.gates)
      if (showsRedToGreen(gate) && !Object.hasOwn(hold.task().baseline, gate.id))
        await runAndJudge(deps, hold, gate, "base");
  }
  await ensureLayers(deps, hold, "verification", "candidate");
  for (const gate of hold.spec.gates)
    if (!Object.hasOwn(hold.task().verdicts, gate.id)) await runAndJudge(deps, hold, gate, "candidate");
  hold.boundary();

  await agent.conclude({
    spec: hold.spec,
    verdicts: hold.task().verdicts,
    storeArtifact: async (name, mediaType, content) => {
      const blob = await deps.store.stage(new TextEncoder().encode(content));
      await hold.report({ type: "store_artifact", artifact: { name, mediaType, content: blob.ref, step: null } }, [
        blob,
      ]);
    },
  });
  const { verdicts } = hold.task();
  const open = hold.spec.gates.filter(({ id }) => verdicts[id]?.verdict !== "pass");
  if (open.length > 0)
    return endAttempt(
      deps,
      hold,
      agent,
      "gates",
      open.every((gate) => gate.argv.length === 0),
    );
  await hold.report({
    type: "succeed",
    gates: hold.spec.gates.map(({ id }) => id),
    expectsChange: hold.spec.expectsChange,
  });
  return "put-down";
}

/** Whether it says something to run the gate on the base too: not for the check of the workspace itself. */
const showsRedToGreen = (gate: GateDefinition): boolean =>
  gate.argv.length > 0 && gate.id !== "doctor" && gate.id !== "smoke";

async function makeCandidate(deps: EngineDependencies, hold: Hold): Promise<void> {
  const task = hold.task();
  const desk = await setDesk(deps, hold, "verification", `${task.attempt}.candidate`, null, "base");
  const made: Record<string, CandidateOf> = {};
  const author = {
    name: task.createdBy,
    email: /^\S+@\S+$/.test(task.createdBy)
      ? task.createdBy
      : `${task.createdBy.replace(/[^a-z0-9._-]+/gi, "-")}@localhost`,
  };
  const message = `${hold.spec.title}\n\nAgentOS-Task: ${hold.id}\nAgentOS-Agent: ${hold.spec.agent.kind}\n`;
  for (const scope of hold.spec.scopes) {
    const base = desk.bases[scope.repo];
    if (base === undefined) continue;
    if (scope.access === "read_only" || !(desk.repos[scope.repo]?.writable ?? false)) {
      const tree = await deps.workspaces.treeOf({ task: hold.id, repo: scope.repo }, base);
      made[scope.repo] = { base, commit: base, tree, baseTree: tree, changed: 0, leftOut: [] };
      continue;
    }
    const candidate = await deps.broker.candidate(
      desk,
      scope.repo,
      message,
      author,
      excludedPaths(hold.spec, scope.repo),
    );
    const outside = candidate.changed
      .filter(({ path }) => !inScope(scope, path))
      .map(({ path }) => `${path} was changed outside the paths of the spec`);
    made[scope.repo] = {
      base,
      commit: candidate.commit,
      tree: candidate.tree,
      baseTree: candidate.baseTree,
      changed: candidate.changed.length,
      leftOut: [...outside, ...candidate.leftOut.map(({ path, reason }) => `${path}: ${reason}`)].slice(0, 50),
    };
  }
  await hold.report({ type: "make_candidate", repos: made });
}

async function runAndJudge(
  deps: EngineDependencies,
  hold: Hold,
  gate: GateDefinition,
  on: "base" | "candidate",
): Promise<void> {
  const one = hold.task().candidate?.[gate.repo];
  if (one === undefined) throw new Error(`gate ${gate.id} is for ${gate.repo}, which has no candidate`);
  const commit = on === "base" ? one.base : one.commit;
  const tree = on === "base" ? one.baseTree : one.tree;
  if (gate.argv.length === 0) {
    await hold.report({
      type: "judge_gate",
      report: { gate: gate.id, on, repo: gate.repo, commit, tree, step: "", counts: null, found: [], output: null },
      verdict: judge(gate, tree, []),
    });
    return;
  }
  // Numbered by gate, not by turn: after a crash the gates that are judged already are not asked for again.
  const desk = await setDesk(deps, hold, "verification", `${hold.task().attempt}.gate-${gate.id}-${on}`, null, on);
  const { flaky } = hold.spec;
  const runs: GateRun[] = [];
  let run: GateOutcome;
  do {
    // Each run is a step of its own; after a crash the finished ones answer from the journal.
    run = await deps.broker.gate(desk, gate, commit, tree, on);
    runs.push({ step: run.step, tree, evidence: run.evidence, found: run.found, program: run.program });
  } while (runsAgain(gate, tree, runs, flaky));
  const verdict = judge(gate, tree, runs, flaky);
  await hold.report({
    type: "judge_gate",
    report: {
      gate: gate.id,
      on,
      repo: gate.repo,
      commit,
      tree,
      step: run.step,
      counts: run.counts,
      found: run.found,
      output: run.output,
      ...(runs.length > 1 && { runs: runs.length }),
    },
    verdict,
  });
}
