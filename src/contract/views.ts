import { z } from "zod";
import { DEPENDENCY_KINDS } from "../domain/dependency.ts";
import { REPO_ROLES } from "../domain/event.ts";
import type { Evidence } from "../domain/evidence.ts";
import { RUN_MODES } from "../domain/spec.ts";
import { STATUSES } from "../domain/task.ts";
import { HealthView, TaskListView, TaskRowView, Time, Waiting } from "./first-views.ts";
import { Json } from "./json.ts";
import { BudgetView, ModelPolicyView, SpentView } from "./model-views.ts";

/* What goes out. Times are ISO 8601 in UTC; hashes are hex. */

export { ChatAnswerView, ChatHistoryView, ChatToldView } from "./chat-views.ts";
export { InboxItemView, InboxListView } from "./inbox-views.ts";
export { ModelCheckView, ModelPolicyLayersView } from "./model-views.ts";
export { NoteListView, NoteView } from "./note-views.ts";
export {
  BrowsedView,
  DetectedView,
  KeyForgottenView,
  KeyKeptView,
  ProbeResultView,
  ProviderListView,
  ProviderLogView,
  ProviderModelsView,
  ProviderRanView,
  ProviderRemovedView,
  ProviderView,
  PulledView,
} from "./provider-views.ts";
export { HealthView, TaskListView, TaskRowView };

const Counts = z.object({ passed: z.number(), failed: z.number(), skipped: z.number(), todo: z.number() });
export const VerdictView = z.object({
  gate: z.string(),
  on: z.enum(["base", "candidate", "kept-tests"]),
  verdict: z.enum(["pass", "fail", "unproven"]),
  tree: z.string(),
  step: z.string(),
  counts: Counts.nullable(),
  findings: z.array(z.string()),
  /** How often it was run; a pass after more than one run is flaky. */
  runs: z.number(),
  flaky: z.boolean(),
});
export type VerdictView = z.infer<typeof VerdictView>;

/** Something about the candidate beside its gates' verdicts; `text` is all of it in words. */
export const FoundView = z.object({
  kind: z.string(),
  policy: z.enum(["blocks", "asks", "shown"]),
  repo: z.string().nullable(),
  about: z.string(),
  detail: z.string().nullable(),
  text: z.string(),
  /** What a spec can say so that it is only shown. */
  allowed_by: z.string().nullable(),
});
export type FoundView = z.infer<typeof FoundView>;
export const FoundListView = z.object({ items: z.array(FoundView), accepted: z.boolean() });
export type FoundListView = z.infer<typeof FoundListView>;

/** "`task` requires / blocks / suggests `other`", as people say it. */
const Dependency = z.object({ task: z.string(), kind: z.enum(DEPENDENCY_KINDS), other: z.string() });

export const TaskView = TaskRowView.extend({
  waiting: Waiting.nullable(),
  /** What comes before it: title and status are of the task that comes first. */
  dependencies: z.array(
    Dependency.extend({
      title: z.string(),
      status: z.enum(STATUSES),
      standing: z.enum(["met", "holds", "failed"]),
    }),
  ),
  allowed: z.array(z.string()),
  metadata: z.record(z.string(), Json).nullable(),
  template: z.string().nullable(),
  spec: z.object({ version: z.number(), hash: z.string() }).nullable(),
  plan: z.object({ version: z.number(), hash: z.string() }).nullable(),
  approved_by: z.string().nullable(),
  /** What waits for a yes: the plan by its hash, or one work item of it. */
  proposal: z.object({ kind: z.enum(["plan", "work_item"]), plan: z.string(), item: z.string().nullable() }).nullable(),
  bases: z.record(
    z.string(),
    z.object({ commit: z.string(), branch: z.string().nullable(), dirty: z.array(z.string()), included: z.boolean() }),
  ),
  items: z.array(z.object({ id: z.string(), status: z.string() })),
  candidate: z
    .record(
      z.string(),
      z.object({
        base: z.string(),
        commit: z.string(),
        tree: z.string(),
        changed: z.number(),
        left_out: z.array(z.string()),
      }),
    )
    .nullable(),
  gates: z.array(VerdictView),
  findings: FoundListView,
  /** `warned`: it shows no sign of life (`stall`), or most of its time is gone (`time`). */
  open_step: z
    .object({ step: z.string(), run: z.number(), doing: z.string(), warned: z.array(z.enum(["stall", "time"])) })
    .nullable(),
  /** Work so far in milliseconds, waits not counted, and what people gave it beyond its limit. */
  worked_ms: z.number(),
  granted_ms: z.number(),
  /** What a person is asked just now; the whole of it stands in the inbox. */
  asked: z
    .object({ step: z.string(), item: z.string().nullable(), kind: z.enum(["question", "permission"]) })
    .nullable(),
  /** Patterns of commands that a person allowed for the rest of this spec. */
  grants: z.array(z.string()),
  /** What the frozen spec lets all of it spend; null: no limit. */
  budget: BudgetView.nullable(),
  spent: SpentView,
  accepted_unproven: z.array(z.string()).nullable(),
  delivered: z
    .record(
      z.string(),
      z.object({
        way: z.string(),
        branch: z.string().nullable(),
        to: z.string(),
        tree: z.string(),
        checkout_followed: z.boolean(),
      }),
    )
    .nullable(),
  denials: z.number(),
  /** The task it was forked from, and the first one of all that were. */
  fork: z.object({ origin: z.string(), root: z.string() }).nullable(),
  /** The task whose work was taken instead. */
  superseded_by: z.string().nullable(),
  ended_at: Time.nullable(),
});
export type TaskView = z.infer<typeof TaskView>;

/** Null: what was answered was no task's. */
export const InboxAnsweredView = z.object({ id: z.string(), task: TaskView.nullable() });
export type InboxAnsweredView = z.infer<typeof InboxAnsweredView>;

export const DependencyGraphView = z.object({
  tasks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      status: z.enum(STATUSES),
      exit_reason: z.string().nullable(),
      block_reason: z.string().nullable(),
    }),
  ),
  dependencies: z.array(Dependency),
  /** There is more than is told. */
  cut: z.boolean(),
});
export type DependencyGraphView = z.infer<typeof DependencyGraphView>;

export const BulkView = z.object({
  verb: z.string(),
  dry_run: z.boolean(),
  items: z.array(
    z.object({
      id: z.string(),
      title: z.string().nullable(),
      status: z.enum(STATUSES).nullable(),
      outcome: z.enum(["done", "refused"]),
      code: z.string().nullable(),
      why: z.string().nullable(),
    }),
  ),
  done: z.number(),
  refused: z.number(),
  next: z.string().nullable(),
});
export type BulkView = z.infer<typeof BulkView>;

export const EventView = z.object({
  position: z.number().optional(),
  stream: z.string(),
  seq: z.number(),
  type: z.string(),
  at: Time,
  actor: z.string(),
  sentence: z.string(),
  body: Json,
});
export type EventView = z.infer<typeof EventView>;
export const EventListView = z.object({ items: z.array(EventView), next: z.number().nullable() });
export type EventListView = z.infer<typeof EventListView>;

export const SpecView = z.object({
  version: z.number(),
  frozen: z.boolean(),
  hash: z.string().nullable(),
  spec: Json,
  canonical: z.string().nullable(),
});
export type SpecView = z.infer<typeof SpecView>;
export const PlanView = z.object({
  version: z.number(),
  hash: z.string(),
  approved: z.boolean(),
  approved_by: z.string().nullable(),
  plan: Json,
  canonical: z.string(),
});
export type PlanView = z.infer<typeof PlanView>;

export const ForkedView = z.object({ origin: z.string(), tasks: z.array(z.string()) });
export type ForkedView = z.infer<typeof ForkedView>;
export const AttemptsView = z.object({ tasks: z.array(z.string()) });
export type AttemptsView = z.infer<typeof AttemptsView>;
export const ComparedView = z.object({
  items: z.array(
    TaskRowView.extend({
      agent: z.string().nullable(),
      spec: z.string().nullable(),
      gates: z.array(VerdictView),
      change: z.object({ files: z.number(), lines_added: z.number(), lines_removed: z.number() }).nullable(),
      worked_ms: z.number(),
      /** Why it waits or failed, where it does. */
      detail: z.string().nullable(),
      delivered: z.boolean(),
      superseded_by: z.string().nullable(),
    }),
  ),
});
export type ComparedView = z.infer<typeof ComparedView>;

export const EvidenceView = z.object({
  criteria: z.array(
    z.object({
      id: z.string(),
      text: z.string(),
      gate: z.string().nullable(),
      verdict: z.enum(["pass", "fail", "unproven"]),
    }),
  ),
  gates: z.array(VerdictView),
  /** A model's second opinion, on which no verdict depends; null: there is none. */
  review: z
    .object({ by: z.string(), count: z.number(), findings: z.string().nullable(), failed: z.string().nullable() })
    .nullable(),
  findings: FoundListView,
  steps: z.array(
    z.object({
      step: z.string(),
      run: z.number(),
      item: z.string().nullable(),
      kind: z.string(),
      status: z.enum(["open", "completed", "failed", "lost"]),
      doing: z.string(),
      started_at: Time,
      ended_at: Time.nullable(),
      started_seq: z.number(),
      ended_seq: z.number().nullable(),
      record_hash: z.string().nullable(),
      evidence: z.array(Json),
    }),
  ),
});
export type EvidenceKind = Evidence["kind"];
export type EvidenceView = z.infer<typeof EvidenceView>;

/** `digest`: SHA-256 over a salt and the content, by which the journal names it. It cannot be computed from the content alone. */
const Artifacts = z.array(
  z.object({ name: z.string(), media_type: z.string(), bytes: z.number(), digest: z.string() }),
);
const Handed = z.array(z.object({ task: z.string(), artifacts: Artifacts }));
export const ArtifactListView = z.object({
  items: Artifacts,
  /** What it was shown of the tasks it requires, as pinned when it was claimed. */
  from: Handed,
  /** Which tasks were shown what of this one. */
  to: Handed,
});
export type ArtifactListView = z.infer<typeof ArtifactListView>;
export const LogsView = z.object({
  items: z.array(
    z.object({
      step: z.string(),
      run: z.number(),
      doing: z.string(),
      status: z.string(),
      stdout: z.string(),
      stderr: z.string(),
      truncated: z.boolean(),
    }),
  ),
});
export type LogsView = z.infer<typeof LogsView>;
export const OutputView = z.object({
  step: z.string(),
  run: z.number(),
  /** Both streams as they came. */
  text: z.string(),
  /** Where the next part begins. */
  next: z.number(),
  /** Whether more may come. */
  open: z.boolean(),
});
export type OutputView = z.infer<typeof OutputView>;
export const DiffView = z.object({
  repos: z.record(
    z.string(),
    z.object({
      from: z.string(),
      to: z.string(),
      diff: z.string(),
      changed: z.array(
        z.object({
          path: z.string(),
          change: z.string(),
          lines_added: z.number().nullable(),
          lines_removed: z.number().nullable(),
        }),
      ),
    }),
  ),
});
export type DiffView = z.infer<typeof DiffView>;
export const DeliveredView = z.object({
  repos: z.record(
    z.string(),
    z.object({
      way: z.string(),
      branch: z.string().nullable(),
      from: z.string().nullable(),
      to: z.string(),
      tree: z.string(),
      checkout_followed: z.boolean(),
    }),
  ),
  notes: z.array(z.string()),
});
export type DeliveredView = z.infer<typeof DeliveredView>;

export const RepoView = z.object({
  id: z.string(),
  name: z.string(),
  project: z.string(),
  /** Absolute path, or the url of a remote repository. */
  path: z.string(),
  kind: z.enum(["local", "remote"]),
  default_branch: z.string().nullable(),
  role: z.enum(REPO_ROLES),
  writable: z.boolean(),
  path_filters: z.array(z.string()),
  directory: z.string().nullable(),
});
export type RepoView = z.infer<typeof RepoView>;
/** `notes`: what the change does to tasks that have not ended. */
export const RepoChangedView = RepoView.extend({ notes: z.array(z.string()) });
export type RepoChangedView = z.infer<typeof RepoChangedView>;
/** A name (`gates`, `acp:opencode`), or a command of one's own. */
export const AgentView = z.union([
  z.string(),
  z.object({ kind: z.enum(["acp", "command"]), agent: z.string().nullable(), command: z.array(z.string()) }),
]);
export type AgentView = z.infer<typeof AgentView>;
export const ProjectView = z.object({
  id: z.string(),
  name: z.string(),
  created_at: Time,
  settings: z.object({
    agent: AgentView.nullable(),
    /** What its foreign agents are let have. */
    agent_grants: z.object({ hosts: z.array(z.string()), variables: z.array(z.string()), files: z.array(z.string()) }),
    run_mode: z.enum(RUN_MODES).nullable(),
    package_hosts: z.array(z.string()),
    flaky: z.object({ rerun: z.number(), passes: z.boolean() }).nullable(),
    tasks_max: z.number().nullable(),
    models: ModelPolicyView,
    approvals: z.object({
      approver_not_creator: z.boolean(),
      expires_ms: z.number().nullable(),
      delegates: z.array(z.string()),
    }),
  }),
  paused: z.object({ since: Time, by: z.string() }).nullable(),
  repos: z.array(RepoView),
});
export type ProjectView = z.infer<typeof ProjectView>;
export const ProjectListView = z.object({ items: z.array(ProjectView) });
export type ProjectListView = z.infer<typeof ProjectListView>;
export const ProjectOfPathView = z.object({ project: ProjectView, made: z.boolean() });
export type ProjectOfPathView = z.infer<typeof ProjectOfPathView>;
export const RepoListView = z.object({ items: z.array(RepoView) });
export type RepoListView = z.infer<typeof RepoListView>;
export const ScanView = z.object({
  root: z.string(),
  head: z.string().nullable(),
  branch: z.string().nullable(),
  dirty: z.array(z.string()),
  unsupported: z.array(z.string()),
  ecosystems: z.array(z.string()),
  gates: z.array(z.object({ id: z.string(), argv: z.array(z.string()), judgement: z.string() })),
  prepare: z.array(z.array(z.string())),
  notes: z.array(z.string()),
});
export type ScanView = z.infer<typeof ScanView>;

export const GateView = z.object({
  id: z.string(),
  repo: z.string(),
  argv: z.array(z.string()),
  cwd: z.string(),
  judgement: z.enum(["exit", "tests"]),
  runner: z.string().nullable(),
  report: z.string().nullable(),
  program: z.string().nullable(),
  /** Null where nothing is looked up: no command, or one that is named by its path. */
  program_found: z.boolean().nullable(),
  timeout_ms: z.number(),
  source: z.enum(["detected", "named"]),
  /** Files, and entries of files, whose content decides what the gate means. */
  pinned: z.array(z.string()),
});
export type GateView = z.infer<typeof GateView>;
export const PrepareView = z.object({
  id: z.string(),
  repo: z.string(),
  argv: z.array(z.string()),
  cwd: z.string(),
  inputs: z.array(z.string()),
  fills: z.array(z.string()),
  hosts: z.array(z.string()),
  reproducible: z.boolean(),
});
export type PrepareView = z.infer<typeof PrepareView>;
export const OfferedGatesView = z.object({
  repo: z.string(),
  root: z.string(),
  commit: z.string(),
  ecosystems: z.array(z.string()),
  gates: z.array(GateView),
  prepare: z.array(PrepareView),
  notes: z.array(z.string()),
});
export type OfferedGatesView = z.infer<typeof OfferedGatesView>;
export const OfferedGatesListView = z.object({ items: z.array(OfferedGatesView) });
export const PinnedGatesView = z.object({
  task: z.string(),
  pinned_on: z.record(z.string(), z.string()),
  gates: z.array(GateView),
  prepare: z.array(PrepareView),
  verdicts: z.array(VerdictView),
});
export type PinnedGatesView = z.infer<typeof PinnedGatesView>;
const ProbeAnswer = z.object({
  ok: z.boolean(),
  code: z.string().nullable(),
  says: z.string(),
  next: z.string().nullable(),
});
export const ProbeView = z.object({
  kind: z.enum(["local", "remote"]),
  read: ProbeAnswer,
  write: ProbeAnswer,
  branch: z.string().nullable(),
  bytes: z.number().nullable(),
  credentials: z.string(),
  notes: z.array(z.string()),
});
export type ProbeView = z.infer<typeof ProbeView>;
export const MovedListView = z.object({
  items: z.array(
    z.object({
      repo: z.string(),
      branch: z.string(),
      base: z.string(),
      head: z.string().nullable(),
      commits: z.number(),
      conflicts: z.array(z.string()),
      problem: z.string().nullable(),
    }),
  ),
});
export type MovedListView = z.infer<typeof MovedListView>;

const ToolServerView = z.object({
  name: z.string(),
  argv: z.array(z.string()),
  hosts: z.array(z.string()),
  /** Those that a person agreed to. */
  tools: z.array(z.object({ name: z.string(), digest: z.string() })),
});
export const ToolServerListView = z.object({ items: z.array(ToolServerView) });
export type ToolServerListView = z.infer<typeof ToolServerListView>;
export const LookedAtServerView = ToolServerView.extend({
  offered: z.array(
    z.object({
      name: z.string(),
      /** What a model calls it by; null: it has a name that cannot be told apart. */
      callable: z.string().nullable(),
      description: z.string(),
      schema: Json,
      digest: z.string(),
      agreed: z.boolean(),
    }),
  ),
  /** Against what was agreed to. */
  changes: z.array(z.string()),
});
export type LookedAtServerView = z.infer<typeof LookedAtServerView>;

export const WorkspaceListView = z.object({
  items: z.array(
    z.object({ task: z.string(), status: z.string().nullable(), bytes: z.number(), epochs: z.array(z.number()) }),
  ),
});
export type WorkspaceListView = z.infer<typeof WorkspaceListView>;
export const CleanedView = z.object({ task: z.string(), bytes: z.number(), rescued: z.array(z.string()) });
export type CleanedView = z.infer<typeof CleanedView>;

export const GcView = z.object({
  items: z.array(
    z.object({
      kind: z.enum(["workspace", "layer", "mirror", "rescued"]),
      id: z.string(),
      bytes: z.number(),
      goes: z.boolean(),
      why: z.string(),
      problem: z.string().nullable(),
    }),
  ),
  bytes: z.number(),
  kept_bytes: z.number(),
  rescued: z.array(z.string()),
});
export type GcView = z.infer<typeof GcView>;

export const AgentListView = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      command: z.array(z.string()),
      /** Where its program is; null: it was not found. */
      path: z.string().nullable(),
      install: z.string(),
      usual_hosts: z.array(z.string()),
      /** It has a mode that only plans. */
      plans: z.boolean(),
      quirk: z.string().nullable(),
    }),
  ),
});
export type AgentListView = z.infer<typeof AgentListView>;
export const AgentProbeView = z.object({
  protocol: z.number(),
  agent: z.string().nullable(),
  version: z.string().nullable(),
  loads_sessions: z.boolean(),
  auth_methods: z.array(z.string()),
  modes: z.array(z.string()),
  trouble: z.string().nullable(),
});
export type AgentProbeView = z.infer<typeof AgentProbeView>;
export const AgentTestView = z.object({
  stop: z.string(),
  message: z.string(),
  changed: z.array(z.string()),
  asked: z.array(z.string()),
  denied: z.array(z.string()),
  trouble: z.string().nullable(),
});
export type AgentTestView = z.infer<typeof AgentTestView>;
export const PolicyView = z.object({
  /** SHA-256 over all of them: what each decision's evidence names. */
  hash: z.string(),
  /** `problem`: why it cannot be read; until it can be, nothing is allowed. */
  layers: z.array(z.object({ name: z.string(), sha256: z.string(), problem: z.string().nullable() })),
  policies: z.array(
    z.object({
      id: z.string(),
      layer: z.enum(["shipped", "user", "project"]),
      effect: z.enum(["permit", "forbid"]),
      reason: z.string(),
      /** It speaks of commands, so one that cannot be read is forbidden too. */
      forbids_opaque: z.boolean(),
    }),
  ),
});
export type PolicyView = z.infer<typeof PolicyView>;

export const DecisionView = z.object({
  step: z.string().nullable(),
  verdict: z.enum(["allow", "ask", "deny"]),
  rule: z.string(),
  policy: z.string(),
  set: z.string(),
  reason: z.string(),
});
export type DecisionView = z.infer<typeof DecisionView>;
