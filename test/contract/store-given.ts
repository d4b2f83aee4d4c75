import type { Actor } from "../../src/domain/actor.ts";
import type { JournalRow } from "../../src/domain/chain.ts";
import { DEPENDENCY_KINDS } from "../../src/domain/dependency.ts";
import type { AnyEvent, Happened, PlanFacts, ProjectEvent, TaskEvent } from "../../src/domain/event.ts";
import { type Command, decide, isRefusal } from "../../src/domain/lifecycle.ts";
import { PRIORITIES } from "../../src/domain/priority.ts";
import type { Seal } from "../../src/domain/seal.ts";
import { projectStream, SYSTEM_STREAM, taskStream } from "../../src/domain/stream.ts";
import type { Task } from "../../src/domain/task.ts";
import { type Append, EVERY_TASK, type StagedBlob, type Store, type TaskFilter } from "../../src/ports/store.ts";

/** Histories for tests of the store, of the smallest content that its rules let through. */

export const AT = 1_760_000_000_000;
export const ADA: Actor = { kind: "person", name: "ada" };
export const ALL: TaskFilter = { ...EVERY_TASK, after: null, most: 50 };
export const NO_TASKS = {
  draft: 0,
  queued: 0,
  running: 0,
  awaiting_approval: 0,
  blocked: 0,
  succeeded: 0,
  failed: 0,
  canceled: 0,
};
const SETTINGS = { agent: null, runMode: null, packageHosts: [], tasksMax: null } as const;
export const EMPTY_PROJECT = { settings: SETTINGS, repos: [], createdAtMs: AT, deleted: false, paused: null } as const;

/** A task that others can depend on: it has to be given before. */
export const OTHER = "other";

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const happened = (one: AnyEvent, atMs: number = AT): Happened => ({ actor: ADA, atMs, event: one });
export const started = (version: string): AnyEvent => ({
  type: "DAEMON_STARTED",
  body: { version, boot: "b", sandbox: "s" },
});
export const denied = {
  type: "DENIED",
  body: { act: "curl", rule: "no network", reason: "planning has none", item: null },
} as const satisfies TaskEvent;

export const systemAppend = (expected: number, ...events: readonly AnyEvent[]): Append => ({
  stream: SYSTEM_STREAM,
  expected,
  events: events.map((one) => happened(one)),
  blobs: [],
  lease: null,
});

export const event = (
  task: string,
  expected: number,
  one: TaskEvent,
  blobs: readonly StagedBlob[] = [],
  atMs: number = AT,
): Append => ({
  stream: taskStream(task),
  expected,
  events: [happened(one, atMs)],
  blobs,
  lease: null,
});

export const deny = (task: string, expected: number): Append => event(task, expected, denied);

export const projectAppend = (project: string, expected: number, ...events: readonly ProjectEvent[]): Append => ({
  stream: projectStream(project),
  expected,
  events: events.map((one) => happened(one)),
  blobs: [],
  lease: null,
});

export const repoOf = (project: string) =>
  ({
    id: `${project}-app`,
    name: "app",
    path: `/src/${project}`,
    defaultBranch: "main",
    role: "code",
    writable: true,
    pathFilters: [],
    toolPath: ["/usr/bin"],
  }) as const;

export const givenProject = (store: Store, id: string, name = `project ${id}`): Promise<unknown> =>
  store.append(
    projectAppend(
      id,
      0,
      { type: "PROJECT_CREATED", body: { name, settings: SETTINGS } },
      { type: "REPO_ADDED", body: repoOf(id) },
    ),
  );

interface GivenTask {
  readonly title?: string;
  readonly session?: string;
  readonly atMs?: number;
  readonly draft?: StagedBlob;
  readonly metadata?: StagedBlob;
}

export async function taskAppend(store: Store, id: string, given: GivenTask = {}): Promise<Append> {
  const title = await store.stage(utf8(given.title ?? `task ${id}`));
  const draft = given.draft ?? (await store.stage(utf8("{}")));
  const body = {
    session: given.session ?? "s",
    createdBy: "ada",
    title: title.ref,
    draft: draft.ref,
    metadata: given.metadata?.ref ?? null,
    template: null,
  };
  const blobs = given.metadata === undefined ? [title, draft] : [title, draft, given.metadata];
  return event(id, 0, { type: "CREATED", body }, blobs, given.atMs);
}

export const givenTask = async (
  store: Store,
  id: string,
  given: GivenTask = {},
): Promise<{ readonly seq: number; readonly position: number }> => store.append(await taskAppend(store, id, given));

/** Created, bound, queued: three events. */
export async function givenQueued(store: Store, id: string, atMs: number = AT): Promise<void> {
  if ((await store.projects.project("p")) === null) await givenProject(store, "p");
  await givenTask(store, id);
  await store.append(event(id, 1, { type: "BOUND", body: { project: "p", repos: { app: "p-app" } } }));
  await store.append(event(id, 2, { type: "QUEUED", body: { cause: "ready" } }, [], atMs));
}

/** And claimed with epoch 1: four. */
export async function givenRunning(store: Store, id: string): Promise<void> {
  await givenQueued(store, id);
  await store.append(claimed(id, 3, 1));
}

export const claimed = (task: string, expected: number, epoch: number, takeover = false): Append => ({
  ...event(task, expected, { type: "CLAIMED", body: { worker: "w1", epoch, takeover } }),
  lease: { kind: "acquire", task, worker: "w1", epoch, owner: { pid: 4242, startTicks: 99, bootId: "boot" } },
});

export const stepStarted = (step: string, run: number): TaskEvent => ({
  type: "STEP_STARTED",
  body: {
    step,
    run,
    item: null,
    act: { kind: "read", repo: "app", what: "file", target: ["x"] },
    input: "i",
    before: {},
  },
});

export async function freeze(
  store: Store,
  seal: Seal,
  task: string,
  expected: number,
  version: number,
  spec: unknown,
): Promise<{ readonly text: string; readonly hash: string }> {
  const { text, sha256 } = seal(spec);
  const blob = await store.stage(utf8(text));
  await store.append(
    event(task, expected, { type: "SPEC_FROZEN", body: { version, hash: sha256, text: blob.ref } }, [blob]),
  );
  return { text, hash: sha256 };
}

export async function rowsOf(
  store: Pick<Store, "journal">,
  stream: string | null = null,
): Promise<readonly JournalRow[]> {
  const rows: JournalRow[] = [];
  for await (const row of store.journal(stream)) rows.push(row);
  return rows;
}

/** Gives a task one command out of all there are, with content that mostly fits its state; a refusal leaves it as it is. */
export async function askAnything(store: Store, seal: Seal, id: string, which: number, what: number): Promise<void> {
  const known = await store.tasks.task(id);
  if (known === null) throw new Error(`${id} is not there`);
  const { task, seq } = known;
  const blob = await store.stage(utf8(`text ${what}`));
  const spec = seal({ nonce: `${id} ${seq}` });
  const specBlob = await store.stage(utf8(spec.text));
  const commands = commandsFor(task, blob, specBlob, spec.sha256, what);
  // Two of three lead on, or nearly every task would be canceled as a draft; the third is anything.
  const forward = commands.filter((one) => leadsOn(task, what, one.type === "report" ? one.report.type : one.type));
  const choice = which % 3 === 0 || forward.length === 0 ? commands : forward;
  const command = choice[Math.floor(which / 3) % choice.length];
  if (command === undefined) return;
  const decision = decide(task, command);
  if (isRefusal(decision)) return;
  await store.append({
    stream: taskStream(id),
    expected: seq,
    events: decision.map(({ event: one, actor }, index) => ({ actor, atMs: AT + seq + index, event: one })),
    blobs: [blob, specBlob],
    lease: null,
  });
}

function commandsFor(
  task: Task,
  blob: StagedBlob,
  specBlob: StagedBlob,
  hash: string,
  what: number,
): readonly Command[] {
  const worker = "w1";
  const by = { by: ADA };
  const reason = what % 2 === 0 ? blob.ref : null;
  const open = task.openStep ?? { step: "s", run: 1 };
  const plan: PlanFacts = {
    version: task.planVersion + 1,
    hash,
    text: specBlob.ref,
    items: [{ id: "i1", repo: "app", criterion: null, risk: "low", dependsOn: [] }],
  };
  const candidate = { base: "b", commit: "c", tree: "t", baseTree: "bt", changed: 1, leftOut: [] };
  const report = {
    gate: "tests",
    on: what % 2 === 0 ? "candidate" : "base",
    repo: "app",
    commit: "c",
    tree: "t",
    beside: {},
    step: "g",
    counts: null,
    found: [],
    output: reason,
  } as const;
  const base = { commit: "c0", branch: "main", dirty: [], included: false };
  const said = (one: Command<"report">["report"]): Command => ({
    type: "report",
    ...by,
    worker,
    epoch: task.epoch,
    report: one,
  });
  const phases = ["planning", "implementation", "verification"] as const;
  const verdicts = [
    { verdict: "pass", restsOn: ["g"] },
    { verdict: "fail", findings: ["red"] },
    { verdict: "unproven", missing: ["a report"] },
  ] as const;
  const reports: readonly Command[] = [
    ...phases.map((phase) => said({ type: "enter_phase", phase })),
    said({ type: "pin_bases", bases: { app: base }, trees: { app: "w0" } }),
    said({
      type: "propose_plan",
      plan,
      witness: [],
      runMode: what % 3 === 0 ? "autonomous" : "assisted",
      bases: { app: "c0" },
    }),
    said({ type: "propose_item", item: "i1" }),
    said({ type: "start_item", item: "i1" }),
    said({ type: "complete_item", item: "i1" }),
    said({ type: "fail_item", item: "i1", cause: "x", output: reason }),
    said({
      type: "start_step",
      step: {
        step: `s${what % 3}`,
        run: (task.runs[`s${what % 3}`] ?? 0) + 1,
        item: null,
        act: { kind: "read", repo: "app", what: "list", target: ["."] },
        input: "i",
        before: {},
      },
    }),
    said({ type: "complete_step", step: { step: open.step, run: open.run, evidence: [], after: {}, result: reason } }),
    said({
      type: "fail_step",
      step: { step: open.step, run: open.run, evidence: [], after: {}, cause: "x", result: reason },
    }),
    said({
      type: "lose_step",
      step: { step: open.step, run: open.run, cause: "worker_died", rescued: {}, partialOutput: reason },
    }),
    said({ type: "make_candidate", repos: { app: candidate } }),
    said({ type: "judge_gate", report, verdict: verdicts[what % 3] ?? verdicts[0] }),
    said({
      type: "store_artifact",
      artifact: { name: `a${what % 2}`, mediaType: "text/plain", content: blob.ref, step: null },
    }),
    said({ type: "retry", restart: what % 2 === 0, cause: "gates", failure: "red", output: reason }),
    said({ type: "block", reason: "gates_exhausted", detail: "d", step: null }),
    said({ type: "block", reason: "outcome_unknown", detail: "d", step: open.step }),
    said({ type: "succeed", gates: ["tests"], expectsChange: true }),
    said({ type: "fail", exitReason: "gates_failed", detail: "d" }),
    said({ type: "stop", why: what % 2 === 0 ? "pause" : "cancel" }),
  ];
  const asked: readonly Command[] = [
    { type: "revise", ...by, title: blob.ref, draft: blob.ref },
    { type: "freeze", ...by, draft: task.draft.digest, spec: specBlob.ref, hash },
    { type: "bind", ...by, project: "p", repos: { app: "p-app" } },
    { type: "ready", ...by },
    {
      type: "claim",
      ...by,
      worker,
      epoch: task.epoch + 1,
      met: task.dependencies.map(({ on }) => ({ task: on, artifacts: [] })),
    },
    { type: "add_dependency", ...by, dependency: { on: OTHER, kind: DEPENDENCY_KINDS[what % 3] ?? "requires" } },
    {
      type: "remove_dependency",
      ...by,
      dependency: task.dependencies[0] ?? { on: OTHER, kind: "requires" },
    },
    { type: "miss_dependency", ...by, on: OTHER, detail: "d" },
    { type: "supersede", ...by, with: OTHER },
    {
      type: "approve",
      ...by,
      item: task.status === "awaiting_approval" && task.proposal.kind === "work_item" ? task.proposal.item : null,
      plan: task.plan?.hash ?? "",
      spec: task.spec?.hash ?? "",
      reason,
    },
    { type: "request_changes", ...by, request: blob.ref },
    { type: "reject", ...by, reason },
    { type: "pause", ...by, reason },
    {
      type: "resume",
      ...by,
      outcome: task.openStep === null ? null : "redo",
      reason,
      restart: what % 2 === 0,
      moreMs: what % 5 === 0 ? 60_000 : null,
    },
    { type: "prioritize", ...by, priority: PRIORITIES[what % PRIORITIES.length] ?? "normal" },
    { type: "cancel", ...by, reason },
    { type: "retry", ...by, restart: what % 2 === 0 },
    { type: "accept", ...by, gates: ["tests"], reason: blob.ref },
    { type: "deny", ...by, act: "x", rule: "r", reason: "y", item: null },
    said({
      type: "deny",
      denial: { act: "x", rule: "r", reason: "y", item: null, step: `s${what % 3}`, input: "i" },
    }),
  ];
  return [...reports, ...asked];
}

/** Whether a command of this name is a likely next one on the way to success. */
function leadsOn(task: Task, what: number, name: string): boolean {
  switch (task.status) {
    case "draft":
      return name === (task.spec === null ? "freeze" : task.project === null ? "bind" : "ready");
    case "queued":
      return name === "claim";
    case "running":
      return (
        RUNNING_ON[task.openStep === null ? task.phase : "step"].includes(name) &&
        !(name === "succeed" && what % 4 !== 0)
      );
    case "awaiting_approval":
      return name === "approve";
    case "blocked":
      return name === (what % 3 === 0 ? "revise" : "resume");
    case "failed":
      return name === "retry";
    case "succeeded":
    case "canceled":
      return name === "deny";
  }
}

const RUNNING_ON: Readonly<Record<Task["phase"] | "step", readonly string[]>> = {
  intent: ["enter_phase"],
  planning: ["pin_bases", "propose_plan", "enter_phase", "start_step", "deny"],
  implementation: ["start_item", "start_step", "complete_item", "enter_phase", "deny"],
  verification: ["make_candidate", "judge_gate", "start_step", "succeed", "retry"],
  step: ["complete_step", "fail_step", "lose_step", "block"],
};
