import type { Actor } from "../../src/domain/actor.ts";
import type { Draft } from "../../src/domain/draft.ts";
import type { AnyEvent, Happened, TaskEvent } from "../../src/domain/event.ts";
import { type Command, decide, isRefusal, type WorkReport } from "../../src/domain/lifecycle.ts";
import type { Seal } from "../../src/domain/seal.ts";
import { projectStream, taskStream } from "../../src/domain/stream.ts";
import { born, evolve, type Status, type Task } from "../../src/domain/task.ts";
import type { BlockReason } from "../../src/domain/waiting.ts";
import type { StagedBlob, Store } from "../../src/ports/store.ts";
import { seeded } from "./sample.ts";

/*
 * Many tasks as they would be after months of use, made through the store itself: every event is what the state machine decides,
 * every append is chained, projected and durable as any other, so `agentos audit verify` has nothing to find. The same seed gives the
 * same tasks; only the salts of their content differ.
 */

export interface ManyTasks {
  readonly tasks: number;
  /** Events over all tasks, met within a few per cent. */
  readonly events: number;
  readonly seed: number;
  /** Events of the one task with the longest history. */
  readonly longest: number;
  /** A real path for the repo of every project; what is queued is tried there when a daemon starts. */
  readonly repo: string;
}

export interface Made {
  readonly events: number;
  readonly seconds: number;
  /** Id of the task with the longest history. */
  readonly longest: string;
  readonly projects: readonly string[];
}

/** Of 1,000 tasks so many end up so; what is not named succeeds. A daemon runs few at a time, and its queue is short. */
const PER_MILLE = {
  failed: 80,
  canceled: 80,
  draft: 50,
  awaiting_approval: 40,
  blocked: 60,
  queued: 4,
} as const satisfies Partial<Record<Status, number>>;
const RUNNING = 2;
/** About how many events the histories have that stop before any work. */
const SHORT: Partial<Record<Status, number>> = { draft: 1, queued: 5, awaiting_approval: 9, canceled: 8 };

const PROJECTS = 12;
const AT_ONCE = 64;
/** Events of one append: a task's history comes in so many pieces, as the engine writes it in steps. */
const APPEND_EVENTS = 40;
const STEPS_OF_AN_ITEM = 12;
/** Two of its own, two for each reading step, three for each that changes the workspace. */
const EVENTS_OF_AN_ITEM = 34;
const FIRST_DAY_MS = Date.UTC(2026, 0, 5, 8);
const DAYS_MS = 180 * 86_400_000;
const ADA: Actor = { kind: "person", name: "ada" };
const WORKER: Actor = { kind: "worker", name: "daemon-1" };

export async function makeManyTasks(store: Store, seal: Seal, wanted: ManyTasks): Promise<Made> {
  const begun = performance.now();
  const random = seeded(wanted.seed);
  const projects = Array.from({ length: PROJECTS }, (_, n) => ({
    id: idAt(FIRST_DAY_MS + n, random),
    name: NAMES[n] ?? `p${n}`,
  }));
  for (const { id, name } of projects) await makeProject(store, id, name, wanted.repo);

  const atMs = Array.from({ length: wanted.tasks }, () => FIRST_DAY_MS + Math.floor(random() * DAYS_MS)).sort(
    (a, b) => a - b,
  );
  const plans = atMs.map((at, n) => ({
    id: idAt(at, random),
    at,
    project: projects[Math.floor(random() ** 2 * PROJECTS)] ?? { id: "", name: "" },
    status: n === 0 ? ("succeeded" as const) : statusOf(n, wanted.tasks),
    seed: Math.floor(random() * 2 ** 31),
  }));
  const short = plans.reduce((sum, { status }) => sum + (SHORT[status] ?? 0), 0);
  const worked = plans.filter(({ status }) => SHORT[status] === undefined).length - 1;
  const usual = (wanted.events - wanted.longest - short) / Math.max(1, worked);
  let made = 0;
  const queue = plans.entries();
  const work = async (): Promise<void> => {
    for (const [n, plan] of queue) {
      const share = n === 0 ? wanted.longest : usual * (0.4 + 1.2 * seeded(plan.seed)());
      const events = await makeTask(store, seal, plan, Math.round(share));
      made += events;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return {
    events: made + 2 * PROJECTS,
    seconds: (performance.now() - begun) / 1_000,
    longest: plans[0]?.id ?? "",
    projects: projects.map(({ name }) => name),
  };
}

function statusOf(n: number, tasks: number): Status {
  if (n >= tasks - RUNNING) return "running";
  // A number that looks random and hits every share exactly: multiples of a prime visit all of 0 … 999 in turn.
  let place = (n * 617) % 1_000;
  for (const [status, share] of Object.entries(PER_MILLE)) {
    if (place < share) return status as Status;
    place -= share;
  }
  return "succeeded";
}

async function makeProject(store: Store, id: string, name: string, repo: string): Promise<void> {
  const events: readonly AnyEvent[] = [
    {
      type: "PROJECT_CREATED",
      body: { name, settings: { agent: null, runMode: null, packageHosts: [], tasksMax: null } },
    },
    {
      type: "REPO_ADDED",
      body: {
        id: `${id.slice(0, -1)}R`,
        name: "app",
        path: repo,
        defaultBranch: "main",
        role: "code",
        writable: true,
        pathFilters: [],
        toolPath: ["/usr/bin", "/bin"],
      },
    },
  ];
  const happened = events.map((event): Happened => ({ actor: ADA, atMs: FIRST_DAY_MS, event }));
  await store.append({ stream: projectStream(id), expected: 0, events: happened, blobs: [], lease: null });
}

interface Plan {
  readonly id: string;
  readonly at: number;
  readonly project: { readonly id: string; readonly name: string };
  readonly status: Status;
  readonly seed: number;
}

/** One task's history up to its status, of about `events` events; how many it became. */
async function makeTask(
  store: Store,
  seal: Seal,
  { id, at, project, status, seed }: Plan,
  events: number,
): Promise<number> {
  const random = seeded(seed);
  let task: Task | null = null;
  let seq = 0;
  let nowMs = at;
  let happened: Happened[] = [];
  let blobs: StagedBlob[] = [];

  const flush = async (): Promise<void> => {
    if (happened.length === 0) return;
    const append = { stream: taskStream(id), expected: seq - happened.length, events: happened, blobs, lease: null };
    happened = [];
    blobs = [];
    await store.append(append);
  };
  const add = (event: TaskEvent, actor: Actor): void => {
    seq += 1;
    const recorded = { seq, atMs: nowMs, actor, event };
    task = task === null ? born(id, recorded) : evolve(task, recorded);
    happened.push({ actor, atMs: nowMs, event });
  };
  const state = (): Task => {
    if (task === null) throw new Error(`${id} is not born`);
    return task;
  };
  const give = async (command: Command): Promise<void> => {
    const decision = decide(state(), command);
    if (isRefusal(decision)) throw new Error(`${id}: ${command.type} is refused: ${decision.why ?? decision.status}`);
    nowMs += 1 + Math.floor(random() * 4_000);
    for (const { event, actor } of decision) add(event, actor);
    if (happened.length >= APPEND_EVENTS) await flush();
  };
  const say = (report: WorkReport): Promise<void> =>
    give({ type: "report", by: WORKER, worker: "daemon-1", epoch: state().epoch, report });
  const keep = async (text: string): Promise<StagedBlob> => {
    const staged = await store.stage(new TextEncoder().encode(text));
    blobs.push(staged);
    return staged;
  };
  const claim = (): Promise<void> =>
    give({ type: "claim", by: WORKER, worker: "daemon-1", epoch: state().epoch + 1, met: [] });

  const draft = draftOf(random);
  const hex = (): string => hexOf(random);
  add(
    {
      type: "CREATED",
      body: {
        session: random() < 0.2 ? `release-${Math.floor(random() * 40)}` : `auto_${id}_${Math.floor(at / 1_000)}`,
        createdBy: PEOPLE[Math.floor(random() * PEOPLE.length)] ?? "ada",
        title: (await keep(draft.title)).ref,
        draft: (await keep(seal(draft).text)).ref,
        metadata: null,
        template: null,
      },
    },
    ADA,
  );
  const end = async (): Promise<number> => {
    await flush();
    return seq;
  };
  if (status === "draft") return end();
  await give({ type: "bind", by: ADA, project: project.id, repos: { app: "app" } });
  const spec = seal({ ...specOf(draft), nonce: hex() });
  await give({
    type: "freeze",
    by: ADA,
    draft: state().draft.digest,
    spec: (await keep(spec.text)).ref,
    hash: spec.sha256,
  });
  await give({ type: "ready", by: ADA });
  if (status === "queued") return end();
  if (status === "canceled" && random() < 0.5) {
    await give({ type: "cancel", by: ADA, reason: null });
    return end();
  }
  await claim();
  await say({ type: "enter_phase", phase: "planning" });
  const base = hex().slice(0, 40);
  await say({
    type: "pin_bases",
    bases: { app: { commit: base, branch: "main", dirty: [], included: false } },
    trees: { app: hex() },
  });
  const items = Math.max(1, Math.ceil((events - 20) / EVENTS_OF_AN_ITEM));
  const plan = seal({
    format: 1,
    spec: spec.sha256,
    bases: { app: base },
    items: Array.from({ length: items }, (_, n) => ({ id: `item-${n}`, title: sentenceOf(random, 6), repo: "app" })),
    notes: [],
  });
  const text = (await keep(plan.text)).ref;
  await say({
    type: "propose_plan",
    plan: {
      version: 1,
      hash: plan.sha256,
      text,
      items: Array.from({ length: items }, (_, n) => ({
        id: `item-${n}`,
        repo: "app",
        criterion: null,
        risk: "low" as const,
        dependsOn: [],
      })),
    },
    witness: [{ repo: "app", before: hex(), after: hex(), mount: "/ /workspace/app ro" }],
    runMode: "assisted",
    bases: { app: base },
  });
  if (status === "awaiting_approval") return end();
  if (status === "canceled") {
    await give({ type: "reject", by: ADA, reason: null });
    return end();
  }
  await give({ type: "approve", by: ADA, item: null, plan: plan.sha256, spec: spec.sha256, reason: null });
  await claim();
  await say({ type: "enter_phase", phase: "implementation" });
  const blocked = BLOCKS[Math.floor(random() * BLOCKS.length)] ?? BLOCKS[0];
  if (status === "blocked" && blocked === "no_model") {
    await say({ type: "block", reason: blocked, detail: "no agent is configured", step: null });
    return end();
  }

  const step = async (name: string, item: string | null, act: "read" | "edit" | "command"): Promise<void> => {
    const before = state().trees;
    await say({
      type: "start_step",
      step: { step: name, run: 1, item, act: await actOf(random, keep, act), input: hex(), before },
    });
    const tree = hex();
    const after = act === "read" ? {} : { app: tree };
    const stdout = await keep(act === "read" ? "{}" : `${sentenceOf(random, 30)}\n`);
    await say({
      type: "complete_step",
      step: {
        step: name,
        run: 1,
        evidence:
          act === "command"
            ? [
                {
                  kind: "command",
                  argv: ["/bin/sh", "-c", sentenceOf(random, 4)],
                  cwd: ".",
                  environment: hex(),
                  exitCode: 0,
                  signal: null,
                  endedBy: "itself",
                  stdout: stdout.ref,
                  stderr: stdout.ref,
                  durationMs: Math.floor(random() * 9_000),
                },
                { kind: "tree", repo: "app", before: before["app"] ?? "", after: tree },
              ]
            : [],
        after,
        result: stdout.ref,
      },
      ...(act === "read" ? {} : { followedBy: [{ type: "CHECKPOINTED", body: { step: name, trees: after } }] }),
    });
  };
  const stop = events - 6;
  for (let item = 0; item < items; item += 1) {
    await say({ type: "start_item", item: `item-${item}` });
    for (let n = 0; n < STEPS_OF_AN_ITEM && (seq < stop || n === 0); n += 1)
      await step(`1.item-${item}.${n + 1}`, `item-${item}`, n % 3 === 0 ? "read" : n % 3 === 1 ? "edit" : "command");
    if (item === items - 1 && (status === "running" || status === "blocked")) break;
    await say({ type: "complete_item", item: `item-${item}` });
  }
  if (status === "running") return end();
  if (status === "blocked") {
    await say({ type: "block", reason: blocked, detail: sentenceOf(random, 8), step: null });
    return end();
  }
  await say({ type: "enter_phase", phase: "verification" });
  const candidate = {
    base,
    commit: hex().slice(0, 40),
    tree: hex().slice(0, 40),
    baseTree: hex().slice(0, 40),
    changed: 3,
    leftOut: [],
  };
  await say({ type: "make_candidate", repos: { app: candidate } });
  const output = (await keep(sentenceOf(random, 60))).ref;
  const report = {
    gate: "tests",
    on: "candidate" as const,
    repo: "app",
    commit: candidate.commit,
    tree: candidate.tree,
    beside: {},
    step: "1.gate-tests-candidate.1",
    counts: { passed: 40, failed: status === "failed" ? 2 : 0, skipped: 0, todo: 0 },
    found: [],
    output,
  };
  if (status === "failed") {
    await say({
      type: "judge_gate",
      report,
      verdict: { verdict: "fail", gate: "tests", findings: ["npm test exited with 1"] } as never,
    });
    await say({ type: "fail", exitReason: "gates_failed", detail: "2 of 42 tests failed" });
    return end();
  }
  await say({
    type: "judge_gate",
    report,
    verdict: { verdict: "pass", gate: "tests", restsOn: [report.step] } as never,
  });
  await say({ type: "succeed", gates: ["tests"], expectsChange: true });
  return end();
}

async function actOf(
  random: () => number,
  keep: (text: string) => Promise<StagedBlob>,
  kind: "read" | "edit" | "command",
): Promise<Extract<WorkReport, { type: "start_step" }>["step"]["act"]> {
  const path = `src/${WORDS[Math.floor(random() * WORDS.length)]}/${WORDS[Math.floor(random() * WORDS.length)]}.ts`;
  switch (kind) {
    case "read":
      return { kind, repo: "app", what: "file", target: [path] };
    case "edit": {
      const content = (await keep(sentenceOf(random, 40))).ref;
      return { kind, repo: "app", path, before: hexOf(random), after: hexOf(random), content, executable: null };
    }
    case "command":
      return {
        kind,
        repo: "app",
        argv: ["/bin/sh", "-c", sentenceOf(random, 4)],
        cwd: ".",
        timeoutMs: 600_000,
        network: [],
      };
  }
}

function draftOf(random: () => number): Draft {
  return {
    title: sentenceOf(random, 4 + Math.floor(random() * 5)),
    intent: sentenceOf(random, 20 + Math.floor(random() * 80)),
    criteria: Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
      text: sentenceOf(random, 12),
      gate: null,
    })),
    constraints: [],
    scopes: null,
    gates: [],
    prepare: [],
    agent: "gates",
    plan: null,
    runMode: null,
    expectsChange: null,
    includeDirty: false,
    attempts: null,
    limits: {},
  };
}

/** The parts of a frozen spec that are read again when a task is claimed or shown. */
const specOf = (draft: Draft) => ({
  format: 1,
  title: draft.title,
  intent: draft.intent,
  criteria: draft.criteria.map((one, n) => ({ ...one, id: `c${n + 1}` })),
  constraints: [],
  scopes: [{ repo: "app", access: "full" }],
  gates: [],
  prepare: [],
  pinnedOn: {},
  agent: { kind: "gates" },
  runMode: "assisted",
  expectsChange: true,
  includeDirty: false,
  attempts: 3,
  limits: { stepMs: 600_000, memoryBytes: 2 ** 31, processes: 512, outputBytes: 2 ** 24 },
});

const BLOCKS = [
  "no_model",
  "gates_exhausted",
  "agent_failed",
  "paused",
  "repo_missing",
] as const satisfies readonly BlockReason[];
const PEOPLE = ["ada", "grace", "linus", "margaret"];
const NAMES = ["shop", "billing", "search", "mobile", "docs", "infra", "api", "web", "reports", "mail", "auth", "jobs"];
const WORDS =
  "add fix make remove rename move test check parse read write store load cache queue retry list page sort filter cursor index journal event task project plan spec gate step branch commit merge patch build release deploy server client browser button form login password token session user account order invoice payment price tax address email message error warning timeout limit memory disk file folder path name title time date zone language unit number total average chart table column row cell font colour image icon menu link header footer search result empty slow fast broken missing double wrong right first last next before after when while until because without with from into over under every only never".split(
    " ",
  );

/** Frequent words and rare ones, as in what people write. */
function sentenceOf(random: () => number, words: number): string {
  const chosen = Array.from({ length: words }, () => WORDS[Math.floor(random() ** 2.5 * WORDS.length)] ?? "the");
  const text = chosen.join(" ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

const BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function idAt(atMs: number, random: () => number): string {
  let time = "";
  for (let rest = atMs, n = 0; n < 10; n += 1, rest = Math.floor(rest / 32)) time = (BASE32[rest % 32] ?? "0") + time;
  return time + Array.from({ length: 16 }, () => BASE32[Math.floor(random() * 32)] ?? "0").join("");
}

const hexOf = (random: () => number): string =>
  Array.from({ length: 8 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0"),
  ).join("");
