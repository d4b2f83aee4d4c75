import { rulesOf } from "../domain/approver.ts";
import type { Base } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import { partName } from "../domain/gate.ts";
import { pinned } from "../domain/pin.ts";
import { checkPlan, type OpenPlan, planHash } from "../domain/plan.ts";
import type { RunMode, Spec } from "../domain/spec.ts";
import type { Agent } from "../ports/agent.ts";
import type { Desk } from "../ports/broker.ts";
import type { EngineDependencies } from "./deps.ts";
import { reposOf, setDesk } from "./desk.ts";
import type { Hold } from "./hold.ts";
import { notesToPin } from "./project-notes.ts";
import { excludedPaths } from "./workspace-value.ts";

/** Pins the commits the plan is made on, looks at them through read-only mounts, and proposes. Ends the hold: the plan waits for its answer. */
export async function planTask(deps: EngineDependencies, hold: Hold, agent: Agent): Promise<void> {
  if (hold.task().bases === null) await pinBases(deps, hold);
  const version = hold.task().planVersion + 1;
  const desk = await setDesk(deps, hold, "planning", `${hold.task().attempt}.plan`, null, "base");
  const mounts = await deps.broker.witness(desk, "planning");
  const drafted = await agent.plan(deps.broker.planning(desk));
  hold.boundary();
  const witness = [];
  for (const [repo, before] of Object.entries(hold.task().trees)) {
    const after = await deps.workspaces.snapshot(
      { task: hold.id, repo, epoch: hold.epoch },
      excludedPaths(hold.spec, repo),
    );
    if (after !== before)
      throw new Failure("store/corrupt", `planning left the workspace of ${repo} changed: ${before} became ${after}`);
    witness.push({ repo, before, after, mount: mounts[repo] ?? "" });
  }
  const spec = hold.task().spec;
  if (spec === null) throw new Error(`task ${hold.id} plans without a frozen spec`);
  const approved = hold.spec.approvedCommands ?? [];
  const notes = [
    ...whatTheReposAre(hold.spec, desk.repos),
    ...(approved.length === 0 ? [] : [`Commands approved in advance: ${approved.join(", ")}`]),
    ...drafted.notes,
  ];
  const { notes: projectNotes } = hold.task();
  const plan: OpenPlan = {
    format: 1,
    spec: spec.hash,
    bases: desk.bases,
    items: drafted.items,
    notes,
    ...(projectNotes !== undefined && { projectNotes }),
  };
  checkPlan(plan, hold.spec);
  const { text, hash } = planHash(deps.seal, plan);
  const blob = await deps.store.stage(new TextEncoder().encode(text));
  const items = plan.items.map(({ id, repo, criterion, risk, dependsOn }) => ({
    id,
    repo,
    criterion,
    risk,
    dependsOn,
  }));
  await hold.report(
    {
      type: "propose_plan",
      plan: { version, hash, text: blob.ref, items },
      witness,
      runMode: await askedMode(deps, hold),
      bases: desk.bases,
    },
    [blob],
  );
}

/** Where another than its creator has to say yes, no mode says it in advance. */
async function askedMode(deps: EngineDependencies, hold: Hold): Promise<RunMode> {
  const { project } = hold.task();
  const found = project === null ? null : await deps.store.projects.project(project.id);
  const needsAnother = found !== null && rulesOf(found.project.settings).approverNotCreator;
  return needsAnother && hold.runMode() === "autonomous" ? "assisted" : hold.runMode();
}

/** One line per repo, where there is more to say than that there is one and it is code. */
function whatTheReposAre({ scopes, repos = {} }: Spec, now: Desk["repos"]): readonly string[] {
  const [only] = scopes;
  const plain = scopes.length === 1 && only !== undefined && (repos[only.repo]?.role ?? "code") === "code";
  if (plain) return [];
  return scopes.map((scope) => {
    const { role = "code", branch = null, directory = null } = repos[scope.repo] ?? {};
    const may =
      scope.access === "read_only" || !(now[scope.repo]?.writable ?? false)
        ? "is only read"
        : scope.access === "full"
          ? "may be changed"
          : `may be changed in ${[scope.paths, ...(scope.within ?? [])].map((list) => list.join(", ")).join(" as far as in ")}`;
    return `${scope.repo} (${role}${directory === null ? "" : ` in ${directory}`}${branch === null ? "" : `, branch ${branch}`}) ${may}`;
  });
}

async function pinBases(deps: EngineDependencies, hold: Hold): Promise<void> {
  const repos = await reposOf(deps, hold);
  const bases: Record<string, Base> = {};
  const trees: Record<string, string> = {};
  for (const [name, { path }] of Object.entries(repos)) {
    const wanted = hold.spec.repos?.[name]?.branch ?? null;
    const state = await deps.workspaces.inspect(path, wanted);
    const isThere = wanted === null || state.branch === wanted;
    const head = isThere ? state.head : await deps.workspaces.branchHead(path, wanted);
    if (state.unsupported.length > 0) throw new Failure("repo/unsupported", `${path}: ${state.unsupported.join("; ")}`);
    if (head === null)
      throw new Failure(
        "repo/unsupported",
        wanted === null ? `${path} has no commit yet` : `${path} has no branch ${wanted} any more`,
      );
    const clone = { task: hold.id, repo: name };
    // A fork begins where its origin began, wherever the branch is by now; revised it is work of its own and begins where all do.
    const forked = hold.task().specVersion === 1 ? hold.task().fork?.bases[name] : undefined;
    if (forked !== undefined) {
      const commit = await deps.workspaces.adopt(clone, path, forked.commit, false);
      trees[name] = await deps.workspaces.checkout({ task: hold.id, repo: name, epoch: hold.epoch }, commit);
      await requirePins(deps, hold, name, commit);
      bases[name] = forked;
      continue;
    }
    // By the spec's version: only the same pinning, cut off by a crash, takes again what it captured of uncommitted files.
    const label = String(hold.task().specVersion);
    const commit = await deps.workspaces.adopt(clone, path, head, hold.spec.includeDirty, label);
    trees[name] = await deps.workspaces.checkout({ task: hold.id, repo: name, epoch: hold.epoch }, commit);
    await requirePins(deps, hold, name, commit);
    bases[name] = {
      commit,
      branch: wanted ?? state.branch,
      dirty: state.dirty.slice(0, 200),
      included: hold.spec.includeDirty,
    };
  }
  const notes = await notesToPin(deps, hold);
  await hold.report({ type: "pin_bases", bases, trees, ...(notes !== null && { notes }) });
}

/** The gates were agreed on at freezing. Where the repository has moved on since and they mean something else now, nobody agreed to that. */
async function requirePins(deps: EngineDependencies, hold: Hold, repo: string, commit: string): Promise<void> {
  const digest = (text: string): string => deps.digest(new TextEncoder().encode(text));
  for (const gate of hold.spec.gates.filter((one) => one.repo === repo))
    for (const part of gate.definition) {
      const text = await deps.workspaces.textAt({ task: hold.id, repo }, commit, part.path);
      if (pinned(part, text, deps.seal, digest).sha256 !== part.sha256)
        throw new Failure(
          "spec/invalid",
          `${partName(part)}, which decides what the gate ${gate.id} means, is not what it was when the spec was frozen`,
        );
    }
}
