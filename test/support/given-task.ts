import type { Actor } from "../../src/domain/actor.ts";
import type { BlobRef } from "../../src/domain/blob.ts";
import type {
  AnyEvent,
  ChatEventBodies,
  PolicyEventBodies,
  ProjectEventBodies,
  ProviderEventBodies,
  Recorded,
  SystemEventBodies,
  TaskEvent,
  TaskEventBodies,
} from "../../src/domain/event.ts";
import {
  type Command,
  type CommandBodies,
  type CommandType,
  decide,
  isRefusal,
  type Refusal,
  type WorkReport,
} from "../../src/domain/lifecycle.ts";
import type { Act, StepKind } from "../../src/domain/step.ts";
import { born, evolve, type Status, type Task } from "../../src/domain/task.ts";

/** Given a task's history, when a command is given, then events or a refusal. No clock, no store: ids and times are these. */

export const ADA: Actor = { kind: "person", name: "ada" };
export const SLY: Actor = { kind: "agent", name: "sly" };
export const WORKER: Actor = { kind: "worker", name: "w1" };
export const ref = (text: string): BlobRef => ({ digest: text.padEnd(64, "0"), bytes: text.length });

const CANDIDATE = { base: "b1", commit: "c1", tree: "t1", baseTree: "t0", changed: 1, leftOut: [] } as const;
const REPORT = {
  gate: "tests",
  on: "candidate",
  repo: "app",
  commit: "c1",
  tree: "t1",
  beside: {},
  step: "1.gate-tests-candidate.1",
  counts: { passed: 3, failed: 0, skipped: 1, todo: 0 },
  found: [],
  output: ref("output"),
} as const;
const FOUND_ABOUT = {
  kind: "tests_skipped",
  repo: "app",
  about: "a.test.js",
  detail: "1 more",
  policy: "asks",
} as const;
const PLAN = {
  version: 1,
  hash: "p1",
  text: ref("plan"),
  items: [{ id: "work", repo: "app", criterion: null, risk: "low", dependsOn: [] }],
} as const;
const DELIVERED = { way: "merge", branch: "main", from: "b1", to: "c1", tree: "t1", checkoutFollowed: true } as const;
const FOUND = [
  { repo: "app", branch: "main", from: "b1", to: "c1", at: "d1", is: "beyond" },
  { repo: "lib", branch: "main", from: "b2", to: "c2", at: "d2", is: "elsewhere" },
] as const;

/** One act of each kind. A new kind without its example here does not compile. */
export const ACT_EXAMPLES = {
  read: { kind: "read", repo: "app", what: "file", target: ["a.txt"] },
  edit: { kind: "edit", repo: "app", path: "a.txt", before: "d1", after: "d2", content: null, executable: false },
  command: { kind: "command", repo: "app", argv: ["make"], cwd: ".", timeoutMs: 1_000, network: [] },
  prepare: { kind: "prepare", repo: "app", on: "base", key: "k", argv: ["npm", "ci"], hosts: [] },
  gate: { kind: "gate", gate: "tests", repo: "app", on: "base", commit: "c1", tree: "t1", argv: ["npm", "test"] },
  candidate: { kind: "candidate", repo: "app", base: "b1" },
  model: { kind: "model", provider: "p", model: "m", request: ref("request") },
  tool: {
    kind: "tool",
    repo: "app",
    server: "docs",
    tool: "find",
    digest: "d1",
    argv: ["docs"],
    input: ref("input"),
    network: [],
    timeoutMs: 1,
  },
  turn: { kind: "turn", agent: "a", prompt: ref("prompt") },
  deliver: { kind: "deliver", repo: "app", way: "merge", branch: "main", from: "b1", to: "c1", tree: "t1" },
  deliver_together: {
    kind: "deliver_together",
    moves: [
      { repo: "app", way: "merge", branch: "main", from: "b1", to: "c1", tree: "t1" },
      { repo: "lib", way: "patch", branch: "main", from: "b2", to: "c2", tree: "t2" },
    ],
  },
} as const satisfies { readonly [K in StepKind]: Extract<Act, { readonly kind: K }> };

/** One example of everything that can happen. A new type without its example here does not compile. */
export const EXAMPLES = {
  CREATED: {
    session: "auto_T1_1",
    createdBy: "ada",
    title: ref("title"),
    draft: ref("draft"),
    metadata: null,
    template: null,
  },
  SPEC_REVISED: { title: ref("title2"), draft: ref("draft2") },
  SPEC_FROZEN: { version: 1, hash: "s1", text: ref("spec") },
  BOUND: { project: "P1", repos: { app: "R1" } },
  READY: { spec: "s1" },
  QUEUED: { cause: "ready" },
  PRIORITIZED: { priority: "high", from: "normal" },
  CLAIMED: { worker: "w1", epoch: 1, takeover: false },
  DEPENDENCY_ADDED: { on: "T2", kind: "requires" },
  DEPENDENCY_REMOVED: { on: "T2", kind: "requires" },
  INPUTS_PINNED: {
    inputs: [{ task: "T2", artifacts: [{ name: "out.json", mediaType: "application/json", content: ref("out") }] }],
  },
  FORKED: {
    origin: "T0",
    root: "T0",
    bases: { app: { commit: "b1", branch: "main", dirty: [], included: false } },
  },
  SUPERSEDED: { by: "T3" },
  PHASE_ENTERED: { phase: "planning", from: "intent" },
  BASES_PINNED: {
    bases: { app: { commit: "b1", branch: "main", dirty: ["a.txt"], included: false } },
    trees: { app: "w0" },
  },
  PLAN_PROPOSED: { ...PLAN, witness: [{ repo: "app", before: "w0", after: "w0", mount: "/ /workspace/app ro" }] },
  PLAN_APPROVED: { plan: "p1", spec: "s1", bases: { app: "b1" }, reason: null },
  PLAN_REJECTED: { plan: "p1", reason: null },
  CHANGES_REQUESTED: { plan: "p1", request: ref("request") },
  WORK_ITEM_PROPOSED: { item: "work", plan: "p1" },
  WORK_ITEM_APPROVED: { item: "work", plan: "p1", spec: "s1", reason: null },
  WORK_ITEM_STARTED: { item: "work", attempt: 1 },
  WORK_ITEM_COMPLETED: { item: "work", attempt: 1 },
  WORK_ITEM_FAILED: { item: "work", attempt: 1, cause: "make exited with 2", output: ref("said") },
  STEP_STARTED: {
    step: "1.work.1",
    run: 1,
    item: "work",
    act: ACT_EXAMPLES.command,
    input: "i1",
    before: { app: "w0" },
  },
  STEP_COMPLETED: { step: "1.work.1", run: 1, evidence: [], after: { app: "w1" }, result: ref("result") },
  STEP_FAILED: { step: "1.work.1", run: 1, evidence: [], after: {}, cause: "ended by the limit on time", result: null },
  TURN_ACTED: {
    step: "1.work.1",
    run: 1,
    n: 1,
    act: { kind: "read", repo: "app", path: "a.txt" },
    decision: "allowed",
    rule: "default",
    evidence: [],
    cause: null,
  },
  STEP_WARNED: { step: "1.work.1", run: 1, about: "stall", ms: 300_000, limitMs: 300_000 },
  STEP_LOST: { step: "1.work.1", run: 1, cause: "worker_died", rescued: { app: "rescue/1" }, partialOutput: null },
  CHECKPOINTED: { step: "1.work.1", trees: { app: "w1" } },
  CANDIDATE_MADE: { repos: { app: CANDIDATE } },
  CANDIDATE_INSPECTED: { trees: { app: "t1" }, findings: [FOUND_ABOUT] },
  GATE_PASSED: { ...REPORT, restsOn: ["1.gate-tests-candidate.1"] },
  GATE_FAILED: { ...REPORT, findings: ["npm test exited with 1"] },
  GATE_UNPROVEN: { ...REPORT, missing: ["a report of the test runner"] },
  REVIEWED: { by: "ollama/qwen3", count: 1, findings: ref("findings"), failed: null },
  RETRIED: { attempt: 2, restart: true, cause: "gates", failure: "tests failed", output: null },
  TIME_WARNED: { spentMs: 2_880_000, limitMs: 3_600_000 },
  TIME_GRANTED: { ms: 1_800_000 },
  BUDGET_GRANTED: { more: { tokens: 100_000 } },
  RUN_MODE_CHANGED: { mode: "interactive" },
  ASKED: { step: "1.work.2", item: "work", matter: { kind: "question", text: ref("which?"), choices: ["a", "b"] } },
  ANSWERED: { step: "1.work.2", decision: "answered", text: ref("a"), grant: null },
  PAUSE_REQUESTED: { reason: null },
  CANCEL_REQUESTED: { reason: null },
  BLOCKED: { reason: "no_model", detail: "no agent", step: null },
  RESUMED: { from: "no_model", reason: null },
  OUTCOME_SETTLED: { step: "1.work.1", outcome: "redo", reason: null },
  ARTIFACT_STORED: { name: "report.md", mediaType: "text/markdown", content: ref("report"), step: null },
  DENIED: {
    act: "run sudo id in app",
    rule: "red-line/privilege-escalation",
    reason: "no step gains privileges",
    item: "work",
  },
  ACCEPTED_UNPROVEN: { candidate: { app: { commit: "c1", tree: "t1" } }, gates: ["tests"], reason: ref("reason") },
  FINDINGS_ACCEPTED: {
    candidate: { app: { commit: "c1", tree: "t1" } },
    findings: [FOUND_ABOUT],
    reason: ref("reason"),
  },
  COMPLETED: { exitReason: "done", gates: ["tests"] },
  FAILED: { exitReason: "gates_failed", detail: "tests failed" },
  CANCELED: { exitReason: "canceled_by_person", reason: null },
  DELIVERY_TURNED_BACK: { step: "deliver-9.1", because: "main of lib is elsewhere", found: FOUND },
  DELIVERY_TORN: { step: "deliver-9.1", because: "main of lib is elsewhere", found: FOUND },
  DELIVERED: { repos: { app: DELIVERED } },
} as const satisfies TaskEventBodies;

const REPO = {
  id: "R1",
  name: "app",
  path: "/src/app",
  defaultBranch: "main",
  role: "code",
  writable: true,
  pathFilters: [],
  toolPath: [],
} as const;
const SETTINGS = { agent: null, runMode: null, packageHosts: [], tasksMax: null } as const;

export const PROJECT_EXAMPLES = {
  PROJECT_CREATED: { name: "app", settings: SETTINGS },
  PROJECT_CHANGED: { name: "app2", settings: SETTINGS },
  PROJECT_DELETED: {},
  PROJECT_PAUSED: { reason: null },
  PROJECT_RESUMED: { reason: null },
  REPO_ADDED: REPO,
  REPO_CHANGED: { ...REPO, writable: false },
  NOTE_PROPOSED: { note: "N1", text: ref("note"), repo: "app", task: "T1" },
  NOTE_APPROVED: { note: "N1" },
  NOTE_RETIRED: { note: "N1" },
} as const satisfies ProjectEventBodies;

const LLAMA = {
  kind: "llamacpp",
  baseUrl: "http://127.0.0.1:8081",
  keyName: null,
  executable: null,
  modelsDirectory: null,
  modelFile: "/models/small.gguf",
  contextTokens: 4096,
  prices: {},
} as const;

export const PROVIDER_EXAMPLES = {
  PROVIDER_ADDED: LLAMA,
  PROVIDER_CHANGED: { ...LLAMA, contextTokens: 32_768 },
  PROVIDER_REMOVED: {},
  PROVIDER_STARTED: {
    how: "process",
    mark: { pid: 4711, startTicks: 99, bootId: "boot-1" },
    argv: ["/usr/bin/llama-server", "--port", "8081"],
  },
  PROVIDER_STOPPED: { because: "ada stopped it" },
  PROVIDER_STATUS_CHANGED: { status: "running", from: "starting", detail: "it answers at http://127.0.0.1:8081" },
  PROVIDER_PROBED: {
    model: "small",
    toolCall: "works",
    detail: "the tool call works, also among many tools",
    contextTokens: 32_768,
    contextTokensMax: 131_072,
    tokensPerSecond: 41.5,
    change: [],
  },
  PROVIDER_KEY_STORED: { place: "file" },
  PROVIDER_KEY_FORGOTTEN: {},
} as const satisfies ProviderEventBodies;

export const SYSTEM_EXAMPLES = {
  STORE_CREATED: { schema: 1 },
  DAEMON_STARTED: { version: "0.1.0", boot: "boot-1", sandbox: "bubblewrap" },
  DAEMON_STOPPED: {},
  SYSTEM_PAUSED: { reason: null },
  SYSTEM_RESUMED: { reason: null },
  SPACE_RECLAIMED: { workspaces: 2, layers: 1, mirrors: 0, bytes: 4096, keptBytes: 1024, rescued: 1, failed: 0 },
} as const satisfies SystemEventBodies;

export const POLICY_EXAMPLES = {
  MODEL_POLICY_SET: {
    policy: { any: { use: [{ provider: "ollama", model: "qwen3", parameters: {} }], budget: { turns: 20 } } },
  },
  POLICY_SET: { text: ref("forbid"), sha256: "c0".repeat(32), granted: false },
} as const satisfies PolicyEventBodies;

export const CHAT_EXAMPLES = {
  CHAT_MESSAGE: { role: "person", text: ref("hello") },
  CHAT_CALLED: {
    provider: "ollama",
    model: "qwen3",
    answeredBy: "qwen3",
    request: ref("request"),
    response: ref("response"),
    inputTokens: 10,
    outputTokens: 5,
    estimated: false,
    microdollars: null,
    durationMs: 20,
    tools: ["list_tasks"],
    refused: 1,
  },
  CHAT_DRAFTED: { task: "T2" },
  CHAT_FAILED: { code: "model/timeout", detail: "the model did not answer in time" },
} as const satisfies ChatEventBodies;

export const exampleEvents = (): readonly AnyEvent[] =>
  Object.entries({
    ...EXAMPLES,
    ...PROJECT_EXAMPLES,
    ...PROVIDER_EXAMPLES,
    ...SYSTEM_EXAMPLES,
    ...POLICY_EXAMPLES,
    ...CHAT_EXAMPLES,
  }).map(([type, body]) => ({ type, body }) as AnyEvent);

export const event = <T extends TaskEvent["type"]>(type: T, body: Partial<TaskEventBodies[T]> = {}): TaskEvent =>
  ({ type, body: { ...EXAMPLES[type], ...body } }) as TaskEvent;

/** A history: the task and the recorded events it is folded from. */
export interface Given {
  readonly task: Task;
  readonly events: readonly Recorded<TaskEvent>[];
  /** What the command would come to: events with their actors, or the refusal. */
  when(command: Command): readonly { readonly event: TaskEvent; readonly actor: Actor }[] | Refusal;
  /** The history with what the command comes to; refused here, it is no history. */
  and(command: Command): Given;
}

const recorded = (seq: number, one: TaskEvent, actor: Actor): Recorded<TaskEvent> => ({
  seq,
  atMs: seq * 1_000,
  actor,
  event: one,
});

/** Folded from the first event on, as the store does it. */
export function replay(events: readonly Recorded<TaskEvent>[]): Task {
  const [first, ...rest] = events;
  if (first === undefined) throw new Error("a history without events");
  return rest.reduce(evolve, born("T1", first));
}

export function given(...commands: readonly Command[]): Given {
  const first = recorded(1, event("CREATED"), ADA);
  return commands.reduce<Given>((history, command) => history.and(command), historyOf([first]));
}

export function historyOf(events: readonly Recorded<TaskEvent>[], task: Task = replay(events)): Given {
  const history: Given = {
    task,
    events,
    when: (command) => decide(task, command),
    and(command) {
      const decision = decide(task, command);
      if (isRefusal(decision))
        throw new Error(`${command.type} is refused in ${decision.status}: ${decision.why ?? "no rule"}`);
      const more = decision.map(({ event: one, actor }, n) => recorded(events.length + n + 1, one, actor));
      return historyOf([...events, ...more], more.reduce(evolve, task));
    },
  };
  return history;
}

export const give = <C extends CommandType>(
  type: C,
  body: Omit<CommandBodies[C], never>,
  by: Actor = ADA,
): Command<C> => ({ type, by, ...body }) as unknown as Command<C>;

export const report = (said: WorkReport, epoch = 1, worker = "w1"): Command =>
  give("report", { worker, epoch, report: said }, WORKER);

/** The usual commands by name, each acceptable somewhere. */
export const COMMANDS = {
  revise: give("revise", { title: ref("title2"), draft: ref("draft2") }),
  freeze: give("freeze", { draft: ref("draft").digest, spec: ref("spec"), hash: "s1" }),
  bind: give("bind", { project: "P1", repos: { app: "R1" } }),
  ready: give("ready", {}),
  claim: give("claim", { worker: "w1", epoch: 1, met: [] }, WORKER),
  add_dependency: give("add_dependency", { dependency: { on: "T2", kind: "requires" } }),
  remove_dependency: give("remove_dependency", { dependency: { on: "T2", kind: "requires" } }),
  miss_dependency: give("miss_dependency", { on: "T2", detail: "it requires task T2, which failed" }, WORKER),
  approve: give("approve", { item: null, plan: "p1", spec: "s1", reason: null }),
  request_changes: give("request_changes", { request: ref("request") }),
  reject: give("reject", { reason: null }),
  pause: give("pause", { reason: null }),
  resume: give("resume", { outcome: null, reason: null, restart: true, moreMs: null }),
  prioritize: give("prioritize", { priority: "high" }),
  change_mode: give("change_mode", { mode: "interactive" }),
  answer: give("answer", { step: "1.work.2", decision: "answered", text: ref("a"), grant: null }),
  cancel: give("cancel", { reason: null }),
  retry: give("retry", { restart: true }),
  accept: give("accept", { gates: ["tests"], reason: ref("reason") }),
  supersede: give("supersede", { with: "T3" }),
  report: report({ type: "enter_phase", phase: "planning" }),
  record_delivery: give("record_delivery", { events: [event("DELIVERED") as never] }),
  deny: give("deny", EXAMPLES.DENIED, WORKER),
} as const satisfies { readonly [C in CommandType]: Command<C> | Command };

const REACHED: readonly Command[] = [COMMANDS.bind, COMMANDS.freeze, COMMANDS.ready];
const PLANNING: readonly Command[] = [
  ...REACHED,
  COMMANDS.claim,
  report({ type: "enter_phase", phase: "planning" }),
  report({ type: "pin_bases", ...EXAMPLES.BASES_PINNED }),
];
export const proposal = (runMode: "assisted" | "autonomous" | "interactive" = "assisted", epoch = 1): Command =>
  report(
    { type: "propose_plan", plan: PLAN, witness: EXAMPLES.PLAN_PROPOSED.witness, runMode, bases: { app: "b1" } },
    epoch,
  );
const APPROVED: readonly Command[] = [...PLANNING, proposal(), COMMANDS.approve];
const WORKING: readonly Command[] = [
  ...APPROVED,
  give("claim", { worker: "w1", epoch: 2, met: [] }, WORKER),
  report({ type: "enter_phase", phase: "implementation" }, 2),
  report({ type: "start_item", item: "work" }, 2),
];
const VERIFYING: readonly Command[] = [
  ...WORKING,
  report({ type: "complete_item", item: "work" }, 2),
  report({ type: "enter_phase", phase: "verification" }, 2),
  report({ type: "make_candidate", repos: { app: CANDIDATE } }, 2),
];
const GREEN: readonly Command[] = [
  ...VERIFYING,
  report({ type: "judge_gate", report: REPORT, verdict: { verdict: "pass", restsOn: [REPORT.step] } }, 2),
];

export const STORIES = {
  planning: given(...PLANNING),
  approved: given(...APPROVED),
  working: given(...WORKING),
  verifying: given(...VERIFYING),
  green: given(...GREEN),
  red: given(
    ...VERIFYING,
    report(
      { type: "judge_gate", report: REPORT, verdict: { verdict: "fail", findings: ["npm test exited with 1"] } },
      2,
    ),
  ),
} as const;

/** A usual history that ends in each status. */
export const IN: { readonly [S in Status]: Given } = {
  draft: given(),
  queued: given(...REACHED),
  running: given(...REACHED, COMMANDS.claim),
  awaiting_approval: given(...PLANNING, proposal()),
  blocked: given(
    ...REACHED,
    COMMANDS.claim,
    report({ type: "block", reason: "no_model", detail: "no agent", step: null }),
  ),
  succeeded: given(...GREEN, report({ type: "succeed", gates: ["tests"], expectsChange: true }, 2)),
  failed: STORIES.red.and(report({ type: "fail", exitReason: "gates_failed", detail: "tests failed" }, 2)),
  canceled: given(COMMANDS.cancel),
};
