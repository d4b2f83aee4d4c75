import type { CandidateOf } from "../domain/event.ts";
import { findingText, inTheWay } from "../domain/finding.ts";
import { type GateDefinition, groundOf } from "../domain/gate.ts";
import { own } from "../domain/own.ts";
import { inScope } from "../domain/scope.ts";
import type { Agent } from "../ports/agent.ts";
import { type AttemptEnd, endAttempt } from "./attempt.ts";
import type { EngineDependencies } from "./deps.ts";
import { setDesk } from "./desk.ts";
import type { Hold } from "./hold.ts";
import { changedFiles, foundAbout, type Tree, withKeptTests } from "./inspection.ts";
import { judgedGate } from "./judged-gate.ts";
import { ensureLayers } from "./layers.ts";
import { secondOpinion } from "./second-opinion.ts";
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
  await inspect(deps, hold);
  await secondOpinion(deps, hold);

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
  const { verdicts, findings } = hold.task();
  const open = hold.spec.gates.filter(({ id }) => verdicts[id]?.verdict !== "pass");
  const against = inTheWay(findings);
  // A person is asked at once: another attempt would have to guess what they would say.
  if (open.length === 0 && hold.runMode() !== "autonomous" && against.some(({ policy }) => policy === "asks"))
    if (against.every(({ policy }) => policy === "asks")) {
      const detail = against.map(findingText).join("; ");
      await hold.report({
        type: "block",
        reason: "findings",
        detail: detail.slice(0, DETAIL_MAX).toWellFormed(),
        step: null,
      });
      return "put-down";
    }
  if (open.length > 0 || against.length > 0)
    return endAttempt(deps, hold, agent, "gates", open.length > 0 && open.every((gate) => gate.argv.length === 0));
  await hold.report({
    type: "succeed",
    gates: hold.spec.gates.map(({ id }) => id),
    expectsChange: hold.spec.expectsChange,
  });
  return "put-down";
}

/** Looks at what the candidate changes, has earlier tests run where it changes tests, and records what is found. */
async function inspect(deps: EngineDependencies, hold: Hold): Promise<void> {
  if (hold.task().findings.length > 0) return;
  const files = await changedFiles(deps, hold.task());
  const kept = await withKeptTests(deps, hold, files);
  if (Object.keys(kept).length > 0)
    for (const gate of hold.spec.gates) {
      if (!showsRedToGreen(gate) || hold.task().verdicts[gate.id]?.verdict !== "pass") continue;
      const about = [gate.repo, ...(gate.beside ?? [])].some((repo) => Object.hasOwn(kept, repo));
      if (about && !Object.hasOwn(hold.task().keptTests, gate.id))
        await runAndJudge(deps, hold, gate, "kept-tests", kept);
    }
  const findings = foundAbout(hold.task(), hold.spec, files);
  if (findings.length > 0)
    await hold.report({
      type: "inspect",
      trees: Object.fromEntries(Object.entries(hold.task().candidate ?? {}).map(([repo, { tree }]) => [repo, tree])),
      findings,
    });
}

const DETAIL_MAX = 1_000;

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
      const leftOut = (await changedAnyway(deps, hold, scope.repo)).map(
        (path) => `${path} was changed, and the repo is only to be read`,
      );
      made[scope.repo] = { base, commit: base, tree, baseTree: tree, changed: 0, leftOut: leftOut.slice(0, 50) };
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

/** The mount keeps a repo that is only read as it is. Where it is not all the same, that is a finding, not a detail. */
async function changedAnyway(deps: EngineDependencies, hold: Hold, repo: string): Promise<readonly string[]> {
  const before = hold.task().baseTrees[repo];
  const now = await deps.workspaces.snapshot(
    { task: hold.id, repo, epoch: hold.epoch },
    excludedPaths(hold.spec, repo),
  );
  return before === undefined || before === now
    ? []
    : deps.workspaces.treeChanges({ task: hold.id, repo }, before, now);
}

async function runAndJudge(
  deps: EngineDependencies,
  hold: Hold,
  gate: GateDefinition,
  on: "base" | "candidate" | "kept-tests",
  kept: Readonly<Record<string, Tree>> = {},
): Promise<void> {
  const at = Object.fromEntries(
    Object.entries(hold.task().candidate ?? {}).map(([repo, one]) => [
      repo,
      on === "base"
        ? { commit: one.base, tree: one.baseTree }
        : (own(kept, repo) ?? { commit: one.commit, tree: one.tree }),
    ]),
  );
  // Numbered by gate, not by turn: after a crash the gates that are judged already are not asked for again.
  const scope = `${hold.task().attempt}.gate-${gate.id}-${on}`;
  const desk = await setDesk(deps, hold, "verification", scope, null, on === "base" ? "base" : "candidate");
  await hold.report({
    type: "judge_gate",
    ...(await judgedGate(deps.broker, desk, gate, groundOf(gate, at), on, hold.spec.flaky)),
  });
}
