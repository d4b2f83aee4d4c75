import type {
  EventView,
  EvidenceView,
  HealthView,
  InboxItemView,
  ProjectView,
  ProviderView,
  RepoView,
  TaskView,
  VerdictView,
} from "../../src/contract/views.ts";

/** What a daemon tells of things that nothing much has happened to. */

export const TASK = "01KATASKAAAAAAAAAAAAAAAAAA";
export const OTHER = "01KATASKBBBBBBBBBBBBBBBBBB";
export const PROJECT = "01KAPR0JECTAAAAAAAAAAAAAAA";
export const REPO = "01KAREP0AAAAAAAAAAAAAAAAAA";
const AT = "2026-11-22T12:00:00.000Z";
const NOTHING = { tokens: 0, usd: 0, turns: 0, time_ms: 0 };

export const taskGiven = (more: Partial<TaskView> = {}): TaskView => ({
  id: TASK,
  title: "Mend it",
  session: "s",
  status: "draft",
  phase: "intent",
  attempt: 1,
  project: { id: PROJECT, name: "shop" },
  block_reason: null,
  exit_reason: null,
  priority: "normal",
  created_by: "ada",
  created_at: AT,
  updated_at: AT,
  seq: 1,
  waiting: null,
  dependencies: [],
  allowed: [],
  metadata: null,
  template: null,
  spec: null,
  plan: null,
  approved_by: null,
  proposal: null,
  bases: {},
  items: [],
  candidate: null,
  gates: [],
  findings: { items: [], accepted: false },
  open_step: null,
  worked_ms: 0,
  granted_ms: 0,
  asked: null,
  grants: [],
  budget: null,
  spent: { total: NOTHING, phases: {}, granted: NOTHING },
  accepted_unproven: null,
  delivered: null,
  denials: 0,
  fork: null,
  superseded_by: null,
  ended_at: null,
  ...more,
});

/** A question that waits for an answer in words. */
export const inboxItemGiven = (more: Partial<InboxItemView> = {}): InboxItemView => ({
  id: TASK,
  kind: "question",
  reason: "question",
  title: "Mend it",
  project: null,
  since: AT,
  sentence: "It asks you something.",
  seq: 7,
  answers: ["text"],
  text: null,
  choices: [],
  permission: null,
  plan: null,
  step: null,
  gates: [],
  spent: null,
  detail: null,
  next: "agentos inbox answer",
  ways: [],
  ...more,
});

export const eventGiven = (seq: number, more: Partial<EventView> = {}): EventView => ({
  position: seq,
  stream: `task/${TASK}`,
  seq,
  type: "CREATED",
  at: AT,
  actor: "person:ada",
  sentence: "ada created it",
  body: {},
  ...more,
});

export const verdictGiven = (more: Partial<VerdictView> = {}): VerdictView => ({
  gate: "tests",
  on: "candidate",
  verdict: "pass",
  tree: "t1",
  step: "1.gate-tests-candidate.1",
  counts: null,
  findings: [],
  runs: 1,
  flaky: false,
  ...more,
});

export const evidenceGiven = (more: Partial<EvidenceView> = {}): EvidenceView => ({
  criteria: [],
  gates: [],
  review: null,
  findings: { items: [], accepted: false },
  steps: [],
  ...more,
});

export const stepGiven = (more: Partial<EvidenceView["steps"][number]> = {}): EvidenceView["steps"][number] => ({
  step: "1.item-work.1",
  run: 1,
  item: "work",
  kind: "act",
  status: "completed",
  doing: "run make",
  started_at: AT,
  ended_at: AT,
  started_seq: 7,
  ended_seq: 8,
  record_hash: null,
  evidence: [],
  ...more,
});

export const repoGiven = (more: Partial<RepoView> = {}): RepoView => ({
  id: REPO,
  name: "app",
  project: PROJECT,
  path: "/src/app",
  kind: "local",
  default_branch: null,
  role: "code",
  writable: true,
  path_filters: [],
  directory: null,
  ...more,
});

export const projectGiven = (
  more: Partial<Omit<ProjectView, "settings">> & { readonly settings?: Partial<ProjectView["settings"]> } = {},
): ProjectView => ({
  id: PROJECT,
  name: "shop",
  created_at: AT,
  paused: null,
  repos: [],
  ...more,
  settings: {
    agent: null,
    agent_grants: { hosts: [], variables: [], files: [] },
    run_mode: null,
    package_hosts: [],
    flaky: null,
    tasks_max: null,
    models: {},
    approvals: { approver_not_creator: false, expires_ms: null, delegates: [] },
    ...more.settings,
  },
});

export const providerGiven = (more: Partial<ProviderView> = {}): ProviderView => ({
  id: "ollama",
  kind: "ollama",
  configured: false,
  status: "running",
  detail: "it answers",
  next: null,
  base_url: "http://127.0.0.1:11434",
  version: null,
  key_name: null,
  has_key: false,
  executable: null,
  models_directory: null,
  model_file: null,
  context_tokens: null,
  prices: {},
  started: null,
  probe: null,
  ...more,
});

/** Of a daemon that is this process and has nothing to do. */
export const healthGiven = (home: string, more: Partial<HealthView> = {}): HealthView => ({
  ok: true,
  version: "1.0.0",
  pid: process.pid,
  started_at: AT,
  home,
  sandbox: null,
  sandbox_problem: null,
  tasks: {},
  working: 0,
  inbox: 0,
  paused: null,
  ...more,
});
