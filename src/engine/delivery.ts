import type { Actor } from "../domain/actor.ts";
import type { CandidateOf, DeliveredTo } from "../domain/event.ts";
import { Failure, type FailureCode, isFailure } from "../domain/failure.ts";
import { judge } from "../domain/gate.ts";
import type { DeliveryEvent } from "../domain/lifecycle.ts";
import { type Spec, specFrom } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";
import type { In, Task } from "../domain/task.ts";
import type { Ask, Desk, Effect, Steps } from "../ports/broker.ts";
import type { Delivered, Delivery, DeliveryRequest } from "../ports/delivery.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { CommitId } from "../ports/workspaces.ts";
import type { EngineDependencies } from "./deps.ts";

type DeliverAct = Extract<Act, { readonly kind: "deliver" }>;

/** One repo's way into the person's repository, decided before anything moves. */
interface Route {
  readonly repo: string;
  readonly source: string;
  readonly candidate: CandidateOf;
  readonly branch: string;
  readonly way: DeliveryRequest["way"];
  readonly from: CommitId | null;
  readonly to: CommitId;
  readonly tree: string;
  readonly note: string | null;
}

/**
 * Brings a proven tree to where people see it. First every repo's route is decided (and, where the target moved on, the merged tree is
 * built and proven by the same gates); only when all are decided does the first branch move, each by compare-and-set inside a durable step.
 */
export function createDelivery(deps: EngineDependencies): Delivery {
  const busy = new Map<string, Promise<unknown>>();
  const stopping = new AbortController();

  const one = <T>(task: string, work: () => Promise<T>): Promise<T> => {
    const next = (busy.get(task) ?? Promise.resolve()).then(work, work);
    const settled = next
      .catch(() => undefined)
      .finally(() => {
        if (busy.get(task) === settled) busy.delete(task);
      });
    busy.set(task, settled);
    return next;
  };

  return {
    deliver: (request) =>
      one(request.task, async () => {
        if (stopping.signal.aborted) throw stopped(request.task);
        await finishOpen(deps, request.task);
        return deliverTask(deps, request, stopping.signal);
      }),
    async recover() {
      for (const id of await deps.store.operations.succeededWithOpenStep())
        await one(id, () => finishOpen(deps, id)).catch((error: unknown) =>
          deps.warn(`the interrupted delivery of task ${id} could not be finished; its step stays open`, error),
        );
    },
    async stop() {
      stopping.abort();
      while (busy.size > 0) await Promise.all(busy.values());
    },
  };
}

const stopped = (task: string): Failure =>
  new Failure("delivery/refused", `the daemon stopped before task ${task} was delivered`, {
    next: `agentos task deliver ${task} does it once the daemon runs again.`,
  });

async function deliverTask(
  deps: EngineDependencies,
  request: DeliveryRequest,
  signal: AbortSignal,
): Promise<Delivered> {
  const { task } = await deps.log.load(request.task);
  const proven = provenTask(task);
  const spec = await specOf(deps, proven);
  const desk = await deliveryDesk(deps, proven, spec, request.by, signal);
  const routes: Route[] = [];
  for (const [repo, candidate] of Object.entries(proven.candidate ?? {}))
    if (candidate.tree !== candidate.baseTree)
      routes.push(await routeOf(deps, desk, proven, spec, request, repo, candidate));
  if (routes.length === 0)
    throw new Failure("delivery/refused", `task ${proven.id} changed nothing, so there is nothing to deliver`, {
      next: `agentos task artifacts ${proven.id}`,
    });
  const repos: Record<string, DeliveredTo> = {};
  for (const route of routes)
    try {
      repos[route.repo] = arrivedBefore(proven, route) ?? (await travel(deps, desk, proven, route));
    } catch (error) {
      if (!isFailure(error) || routes.length === 1) throw error;
      throw inPart(proven.id, error, repos, routes);
    }
  return { repos, notes: routes.flatMap(({ note }) => (note === null ? [] : [note])) };
}

/** Delivered there already, and still part of it: what was recorded then stands, and nothing is recorded again. */
function arrivedBefore(task: In<"succeeded">, route: Route): DeliveredTo | null {
  const before = task.delivered?.[route.repo];
  return route.way === "merge" && route.from === route.to && before?.branch === route.branch ? before : null;
}

/** Several repos do not move as one: what did and what did not is said by name. */
function inPart(
  task: string,
  { code, message, next, facts }: Failure,
  repos: Readonly<Record<string, DeliveredTo>>,
  routes: readonly Route[],
): Failure {
  const arrived = Object.entries(repos).map(
    ([repo, { way, branch, to }]) => `${repo} (${way === "patch" ? "as a patch" : `${branch} is at ${to}`})`,
  );
  const left = routes.filter(({ repo }) => repos[repo] === undefined).map(({ repo }) => repo);
  return new Failure(
    code,
    `${message}. Delivered: ${arrived.length === 0 ? "nothing" : arrived.join(", ")}. Not delivered: ${left.join(", ")}`,
    {
      next: next ?? `agentos task deliver ${task} delivers what is left.`,
      facts: { ...facts, delivered: repos, notDelivered: left },
    },
  );
}

function provenTask(task: Task): In<"succeeded"> {
  if (task.status !== "succeeded")
    throw new Failure(
      "task/refused",
      `task ${task.id} is ${task.status}; only a task that succeeded can be delivered`,
      { facts: { status: task.status, refused: "deliver" }, next: `agentos task show ${task.id}` },
    );
  if (task.openStep !== null)
    throw new Failure("task/refused", `step ${task.openStep.step} of task ${task.id} is open`, {
      next: "Restart the daemon: it finishes or gives back an interrupted delivery.",
    });
  return task;
}

async function routeOf(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  spec: Spec,
  request: DeliveryRequest,
  repo: string,
  candidate: CandidateOf,
): Promise<Route> {
  const clone = { task: task.id, repo };
  const source = (await sourceOf(deps, task, repo)).path;
  const ownBranch = `agentos/${task.id}`;
  const base = { repo, source, candidate, to: candidate.commit, tree: candidate.tree };
  if (request.way === "patch") return { ...base, way: "patch", branch: request.branch ?? "", from: null, note: null };
  if (request.way === "branch") {
    const branch = request.branch ?? ownBranch;
    return { ...base, way: "branch", branch, from: await vacant(deps, source, branch, candidate.commit), note: null };
  }
  const branch = request.branch ?? task.bases?.[repo]?.branch ?? null;
  if (branch === null)
    throw new Failure("delivery/refused", `${repo} had no branch checked out when the task began`, {
      next: "Name one: --branch NAME, or use --way branch.",
    });
  const outlook = await deps.workspaces.outlook(clone, source, branch, candidate.base, candidate.commit);
  if (outlook.relation === "contains")
    return {
      ...base,
      way: "merge",
      branch,
      // The branch may have gone on with commits of others: what is recorded is this work, from and to the same, and nothing moves.
      from: candidate.commit,
      note: `${repo}: ${branch} has this work already`,
    };
  if (outlook.checkedOut && outlook.dirtyTouched.length > 0) {
    const note = `${repo}: ${branch} is checked out and ${outlook.dirtyTouched.slice(0, 5).join(", ")} ${outlook.dirtyTouched.length === 1 ? "has" : "have"} uncommitted changes, so the branch ${ownBranch} was written instead`;
    return {
      ...base,
      way: "branch",
      branch: ownBranch,
      from: await vacant(deps, source, ownBranch, candidate.commit),
      note,
    };
  }
  if (outlook.relation === "at-base") return { ...base, way: "merge", branch, from: outlook.head, note: null };
  const merged = await provenMerge(deps, desk, task, spec, { repo, source, branch, candidate, by: request.by });
  return {
    ...base,
    way: "merge",
    branch,
    from: merged.onto,
    to: merged.commit,
    tree: merged.tree,
    note: `${repo}: ${branch} had moved on; the merged tree passed the same gates`,
  };
}

/** A new branch, or one that holds exactly this commit already. */
async function vacant(
  deps: EngineDependencies,
  source: string,
  branch: string,
  commit: CommitId,
): Promise<CommitId | null> {
  const head = await deps.workspaces.branchHead(source, branch);
  if (head !== null && head !== commit)
    throw new Failure("delivery/refused", `the branch ${branch} exists and holds something else (${head})`, {
      next: "Name another: --branch NAME.",
    });
  return head;
}

async function provenMerge(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  spec: Spec,
  {
    repo,
    source,
    branch,
    candidate,
    by,
  }: {
    readonly repo: string;
    readonly source: string;
    readonly branch: string;
    readonly candidate: CandidateOf;
    readonly by: Actor;
  },
): Promise<{ readonly commit: CommitId; readonly tree: string; readonly onto: CommitId }> {
  const clone = { task: task.id, repo };
  const message = `Merge ${spec.title}\n\nAgentOS-Task: ${task.id}\n`;
  const merged = await deps.workspaces.mergeWith(
    clone,
    source,
    branch,
    candidate.commit,
    message,
    { name: by.name, email: `${by.name.replace(/[^a-z0-9._-]+/gi, "-")}@localhost` },
    deps.clock.nowMs(),
  );
  if ("conflicts" in merged)
    throw new Failure(
      "delivery/refused",
      `${branch} of ${repo} moved on and conflicts with this work in ${merged.conflicts.slice(0, 10).join(", ")}`,
      {
        next: `agentos task deliver ${task.id} --way branch writes it to a branch of its own, to be merged by hand.`,
        facts: { conflicts: merged.conflicts },
      },
    );
  const gates = spec.gates.filter((one) => one.repo === repo && one.argv.length > 0);
  if (gates.length === 0)
    throw new Failure(
      "delivery/refused",
      `${branch} of ${repo} moved on, and no gate can say anything about the merged work`,
      {
        next: `agentos task deliver ${task.id} --way branch writes the accepted work to a branch of its own.`,
      },
    );
  const prepared = await withLayer(deps, desk, task, spec, repo, branch, merged.commit);
  for (const gate of gates) {
    const run = await deps.broker.gate(prepared, gate, merged.commit, merged.tree, "merge");
    const verdict = judge(gate, merged.tree, [
      { step: run.step, tree: merged.tree, evidence: run.evidence, found: run.found, program: run.program },
    ]);
    const report = {
      gate: gate.id,
      on: "merge",
      repo,
      commit: merged.commit,
      tree: merged.tree,
      step: run.step,
      counts: run.counts,
      found: run.found,
      output: run.output,
    } as const;
    await record(deps, task.id, by, [
      verdict.verdict === "pass"
        ? { type: "GATE_PASSED", body: { ...report, restsOn: verdict.restsOn } }
        : verdict.verdict === "fail"
          ? { type: "GATE_FAILED", body: { ...report, findings: verdict.findings } }
          : { type: "GATE_UNPROVEN", body: { ...report, missing: verdict.missing } },
    ]);
    if (verdict.verdict !== "pass") {
      const why = verdict.verdict === "fail" ? verdict.findings : verdict.missing;
      throw new Failure(
        "delivery/refused",
        `merged with the newer ${branch}, the gate ${gate.id} does not pass: ${why.join("; ")}`,
        { next: `agentos task deliver ${task.id} --way branch writes the verified work to a branch of its own.` },
      );
    }
  }
  return merged;
}

/** The merged commit's own dependencies: its lock file may be neither side's. */
async function withLayer(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  spec: Spec,
  repo: string,
  branch: string,
  commit: CommitId,
): Promise<Desk> {
  const layers = { ...desk.layers };
  for (const definition of spec.prepare)
    if (definition.repo === repo)
      try {
        layers[repo] = await deps.broker.prepare(desk, definition, commit, "merge");
      } catch (error) {
        if (!isFailure(error) || error.code === "delivery/refused") throw error;
        throw new Failure(
          "delivery/refused",
          `merged with the newer ${branch}, the dependencies cannot be prepared: ${error.message}`,
          {
            next: `agentos task deliver ${task.id} --way branch writes the verified work to a branch of its own.`,
            cause: error,
          },
        );
      }
  return { ...desk, layers };
}

async function travel(deps: EngineDependencies, desk: Desk, task: In<"succeeded">, route: Route): Promise<DeliveredTo> {
  const act: DeliverAct = {
    kind: "deliver",
    repo: route.repo,
    way: route.way,
    branch: route.branch,
    from: route.from,
    to: route.to,
    tree: route.tree,
  };
  return (await desk.steps.perform({
    input: deps.seal(act).sha256,
    open: async () => ({ act, blobs: [] }),
    effect: async () => {
      const arrived = await arrive(deps, task.id, route.source, act, route.candidate);
      return {
        evidence: [{ kind: "commit", repo: route.repo, commit: route.to, tree: route.tree }],
        touched: [],
        result: arrived.delivered,
        failed: null,
        blobs: arrived.blobs,
      };
    },
  })) as DeliveredTo;
}

/** The effect itself, safe to repeat: objects first, then one compare-and-set. */
async function arrive(
  deps: EngineDependencies,
  task: string,
  source: string,
  act: DeliverAct,
  candidate: CandidateOf,
): Promise<{ readonly delivered: DeliveredTo; readonly blobs: readonly StagedBlob[] }> {
  const clone = { task, repo: act.repo };
  const told = {
    way: act.way,
    branch: act.branch === "" ? null : act.branch,
    from: act.from,
    to: act.to,
    tree: act.tree,
  };
  if (act.way === "patch") {
    const patch = await deps.store.stage(
      new TextEncoder().encode(await deps.workspaces.patch(clone, candidate.base, candidate.commit)),
    );
    await deps.log.give(
      task,
      {
        type: "record_delivery",
        by: { kind: "system", name: "agentos" },
        events: [
          {
            type: "ARTIFACT_STORED",
            body: { name: `${act.repo}.patch`, mediaType: "text/x-patch", content: patch.ref, step: null },
          },
        ],
      },
      { blobs: [patch] },
    );
    return { delivered: { ...told, checkoutFollowed: false }, blobs: [] };
  }
  await deps.workspaces.publishRef(clone, source, act.to, `tasks/${task}`);
  const moved =
    act.from === act.to
      ? { checkoutFollowed: false }
      : await deps.workspaces.moveBranch(source, act.branch, act.from, act.to);
  return { delivered: { ...told, checkoutFollowed: moved.checkoutFollowed }, blobs: [] };
}

/** After these, git has said what is there, or can never be asked again. Anything else (a disk that is away) leaves the step open. */
const SETTLES: ReadonlySet<FailureCode> = new Set<FailureCode>(["delivery/refused", "repo/not-found"]);

/** What was left open on a proven task: a delivery is asked of git and finished; a gate or preparation run for it is given up. */
async function finishOpen(deps: EngineDependencies, id: string): Promise<void> {
  const { task } = await deps.log.load(id);
  const open = task.openStep;
  if (task.status !== "succeeded" || open === null) return;
  const by: Actor = { kind: "worker", name: deps.worker };
  const where = { step: open.step, run: open.run };
  const { act } = open;
  if (act.kind !== "deliver") {
    if (act.kind === "gate" || act.kind === "prepare") {
      const workspace = { task: id, epoch: task.epoch, repo: act.repo };
      await deps.workspaces.dropGateCheckout(workspace, act.kind === "gate" ? open.step : `prepare-${open.step}`);
    }
    if (act.kind === "prepare") await deps.layers.discard(act.key);
    await record(deps, id, by, [
      { type: "STEP_LOST", body: { ...where, cause: "worker_died", rescued: {}, partialOutput: null } },
    ]);
    return;
  }
  const candidate = task.candidate?.[act.repo];
  if (candidate === undefined) throw new Error(`task ${id} delivers ${act.repo}, of which it has no candidate`);
  try {
    const delivered = await finish(deps, id, (await sourceOf(deps, task, act.repo)).path, act, candidate);
    await record(deps, id, by, [
      {
        type: "STEP_COMPLETED",
        body: {
          ...where,
          evidence: [{ kind: "commit", repo: act.repo, commit: act.to, tree: act.tree }],
          after: {},
          result: null,
        },
      },
      { type: "DELIVERED", body: { repos: { [act.repo]: delivered } } },
    ]);
  } catch (error) {
    if (!isFailure(error) || !SETTLES.has(error.code)) throw error;
    await record(deps, id, by, [
      { type: "STEP_FAILED", body: { ...where, evidence: [], after: {}, cause: error.message, result: null } },
    ]);
  }
}

/** Asks git first: a branch that has gone on from the delivered commit is not touched. What is called finished, git has. */
async function finish(
  deps: EngineDependencies,
  task: string,
  source: string,
  act: DeliverAct,
  candidate: CandidateOf,
): Promise<DeliveredTo> {
  if (act.way === "patch") return (await arrive(deps, task, source, act, candidate)).delivered;
  const look = () => deps.workspaces.outlook({ task, repo: act.repo }, source, act.branch, act.to, act.to);
  const before = await look();
  if (before.relation === "contains" && before.head !== act.to)
    return {
      way: act.way,
      branch: act.branch,
      from: act.from,
      to: act.to,
      tree: act.tree,
      checkoutFollowed: false,
    };
  const { delivered } = await arrive(deps, task, source, act, candidate);
  const { relation, head } = await look();
  if (relation !== "contains")
    throw new Failure(
      "delivery/refused",
      `${act.branch} of ${act.repo} is at ${head ?? "no commit"}, not at ${act.to}`,
    );
  return delivered;
}

const record = (
  deps: EngineDependencies,
  id: string,
  by: Actor,
  events: readonly DeliveryEvent[],
  blobs: readonly StagedBlob[] = [],
) => deps.log.give(id, { type: "record_delivery", by, events }, { blobs });

async function specOf(deps: EngineDependencies, task: In<"succeeded">): Promise<Spec> {
  const stored = task.spec === null ? null : await deps.store.tasks.spec(task.id, task.spec.version);
  if (stored === null || deps.digest(new TextEncoder().encode(stored.text)) !== task.spec?.hash)
    throw new Failure("store/corrupt", `the stored spec of task ${task.id} does not have the frozen hash`);
  return specFrom(stored.text);
}

async function sourceOf(deps: EngineDependencies, task: Task, repo: string) {
  const project = task.project === null ? null : await deps.store.projects.project(task.project.id);
  const facts = project?.project.repos.find(({ name }) => name === repo);
  if (facts === undefined)
    throw new Failure("repo/not-found", `the project of task ${task.id} has no repo ${repo} any more`);
  return facts;
}

/** Steps on a proven task: no lease, no workspace, the same bracket. They are numbered after the journal, so each delivery's are new. */
async function deliveryDesk(
  deps: EngineDependencies,
  task: In<"succeeded">,
  spec: Spec,
  by: Actor,
  signal: AbortSignal,
): Promise<Desk> {
  const { seq } = await deps.log.load(task.id);
  const repos: Record<string, { writable: boolean; toolPath: readonly string[] }> = {};
  for (const scope of spec.scopes) {
    const { writable, toolPath } = await sourceOf(deps, task, scope.repo);
    repos[scope.repo] = { writable, toolPath };
  }
  let asked = 0;
  const steps: Steps = {
    async perform(ask: Ask) {
      const { act, blobs } = await ask.open();
      if (signal.aborted) throw stopped(task.id);
      asked += 1;
      const step = `deliver-${seq}.${asked}`;
      const run = 1;
      const outputFile = await deps.outputFile(task.id, step, run);
      await record(
        deps,
        task.id,
        by,
        [{ type: "STEP_STARTED", body: { step, run, item: null, act, input: ask.input, before: {} } }],
        blobs,
      );
      // A branch that moves is not stopped half-way; what only gathers is ended, and its step is lost.
      const isLost = (): boolean => signal.aborted && act.kind !== "deliver";
      const lose = async (): Promise<Failure> => {
        await record(deps, task.id, by, [
          { type: "STEP_LOST", body: { step, run, cause: "worker_died", rescued: {}, partialOutput: null } },
        ]);
        return stopped(task.id);
      };
      let effect: Effect;
      try {
        effect = await ask.effect({ step, run, signal, outputFile, onStart: () => undefined });
      } catch (error) {
        if (isLost()) throw await lose();
        const cause = isFailure(error) ? error.message : "AgentOS failed inside this step";
        await record(deps, task.id, by, [
          { type: "STEP_FAILED", body: { step, run, evidence: [], after: {}, cause, result: null } },
        ]);
        throw error;
      }
      if (isLost()) throw await lose();
      const { evidence, failed } = effect;
      if (failed !== null) {
        const body = { step, run, evidence, after: {}, cause: failed, result: null };
        await record(deps, task.id, by, [{ type: "STEP_FAILED", body }], effect.blobs);
        return effect.result;
      }
      // That a branch moved and that this was a delivery are one fact: a crash must not leave the one without the other.
      const events: DeliveryEvent[] = [
        { type: "STEP_COMPLETED", body: { step, run, evidence, after: {}, result: null } },
      ];
      if (act.kind === "deliver")
        events.push({ type: "DELIVERED", body: { repos: { [act.repo]: effect.result as DeliveredTo } } });
      await record(deps, task.id, by, events, effect.blobs);
      return effect.result;
    },
    deny: async (act, rule, reason) => {
      await record(deps, task.id, by, [{ type: "DENIED", body: { act, rule, reason, item: null } }]);
    },
  };
  return {
    task: task.id,
    epoch: task.epoch,
    phase: "verification",
    attempt: task.attempt,
    spec,
    bases: Object.fromEntries(Object.entries(task.bases ?? {}).map(([repo, base]) => [repo, base.commit])),
    repos,
    changeRequest: null,
    lastFailure: null,
    layers: Object.fromEntries(
      spec.prepare.flatMap(({ repo, outputs }) => {
        const key = task.layers[`${repo}@candidate`] ?? task.layers[`${repo}@base`];
        return key === undefined ? [] : [[repo, { key, outputs }]];
      }),
    ),
    steps,
  };
}
