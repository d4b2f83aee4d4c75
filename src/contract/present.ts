import { actorText } from "../domain/actor.ts";
import { rulesOf } from "../domain/approver.ts";
import type { Budget } from "../domain/budget.ts";
import { spoken } from "../domain/dependency.ts";
import type { AnyEvent, Artifact, DeliveredTo, Input, Recorded, RepoFacts } from "../domain/event.ts";
import type { Evidence } from "../domain/evidence.ts";
import { allowedBy, findingText } from "../domain/finding.ts";
import { type AgentGrants, type NamedForeign, NO_GRANTS } from "../domain/foreign-agent.ts";
import { allowedCommands } from "../domain/lifecycle.ts";
import type { Pause } from "../domain/pause.ts";
import type { Priority } from "../domain/priority.ts";
import type { Project } from "../domain/project.ts";
import { isRemote } from "../domain/remote.ts";
import { acting, sentence, waitingFor } from "../domain/sentence.ts";
import { type DependencyNow, standing } from "../domain/standing.ts";
import type { Act } from "../domain/step.ts";
import type { Task, TaskOutline } from "../domain/task.ts";
import { budgetView, modelPolicyView, spentView } from "./model-wire.ts";
import type {
  AgentView,
  ArtifactListView,
  BulkView,
  ComparedView,
  DeliveredView,
  DependencyGraphView,
  EventView,
  EvidenceView,
  FoundListView,
  HealthView,
  ProjectView,
  RepoView,
  TaskListView,
  TaskRowView,
  TaskView,
  VerdictView,
} from "./views.ts";

/** ISO 8601 in UTC. */
export const time = (ms: number): string => new Date(ms).toISOString();

interface Row {
  readonly id: string;
  readonly title: string;
  readonly session: string;
  readonly status: Task["status"];
  readonly phase: Task["phase"];
  readonly attempt: number;
  readonly blockReason: string | null;
  readonly exitReason: string | null;
  readonly priority: Priority;
  readonly project: { readonly id: string; readonly name: string } | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly seq: number;
}

export const rowView = (row: Row): TaskRowView => ({
  id: row.id,
  title: row.title,
  session: row.session,
  status: row.status,
  phase: row.phase,
  attempt: row.attempt,
  project: row.project === null ? null : { id: row.project.id, name: row.project.name },
  block_reason: row.blockReason,
  exit_reason: row.exitReason,
  priority: row.priority,
  created_by: row.createdBy,
  created_at: time(row.createdAtMs),
  updated_at: time(row.updatedAtMs),
  seq: row.seq,
});

export const listView = (
  rows: readonly {
    readonly row: Row;
    readonly state: TaskOutline | null;
    readonly before: readonly DependencyNow[];
    readonly paused: Pause | null;
  }[],
  next: string | null,
): TaskListView => ({
  items: rows.map(({ row, state, before, paused }) => ({
    ...rowView(row),
    waiting: state === null ? null : waitingFor(state, before, paused),
    stalled: state?.openStep?.warned.includes("stall") ?? false,
  })),
  next,
});

export function taskView({
  task,
  row,
  before,
  paused,
  metadata,
  budget,
}: {
  readonly task: Task;
  readonly row: Row;
  readonly before: readonly DependencyNow[];
  readonly paused: Pause | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly budget: Budget | null;
}): TaskView {
  return {
    ...rowView(row),
    waiting: waitingFor(task, before, paused),
    dependencies: before.map(({ on, ...one }) => ({
      ...spoken(task.id, { on, kind: one.kind }),
      title: one.title,
      status: one.status,
      standing: standing(one),
    })),
    allowed: [...allowedCommands(task)],
    metadata: metadata as TaskView["metadata"],
    template: task.template,
    spec: task.spec === null ? null : { version: task.spec.version, hash: task.spec.hash },
    plan: task.plan === null ? null : { version: task.plan.version, hash: task.plan.hash },
    approved_by: task.approval?.by ?? null,
    proposal:
      task.status === "awaiting_approval"
        ? {
            kind: task.proposal.kind,
            plan: task.proposal.plan,
            item: task.proposal.kind === "work_item" ? task.proposal.item : null,
          }
        : null,
    bases: Object.fromEntries(
      Object.entries(task.bases ?? {}).map(([repo, base]) => [
        repo,
        { commit: base.commit, branch: base.branch, dirty: [...base.dirty], included: base.included },
      ]),
    ),
    items: (task.plan?.items ?? []).map(({ id }) => ({ id, status: task.items[id]?.status ?? "pending" })),
    candidate:
      task.candidate === null
        ? null
        : Object.fromEntries(
            Object.entries(task.candidate).map(([repo, one]) => [
              repo,
              { base: one.base, commit: one.commit, tree: one.tree, changed: one.changed, left_out: [...one.leftOut] },
            ]),
          ),
    gates: verdictViews(task),
    findings: foundViews(task),
    open_step:
      task.openStep === null
        ? null
        : {
            step: task.openStep.step,
            run: task.openStep.run,
            doing: doing(task.openStep.act),
            warned: [...task.openStep.warned],
          },
    worked_ms: task.worked.ms,
    granted_ms: task.worked.grantedMs,
    asked: task.asked === null ? null : { step: task.asked.step, item: task.asked.item, kind: task.asked.matter.kind },
    grants: [...task.grants],
    budget: budget === null ? null : budgetView(budget),
    spent: spentView(task.spent),
    accepted_unproven: task.acceptedUnproven === null ? null : [...task.acceptedUnproven],
    delivered:
      task.delivered === null
        ? null
        : Object.fromEntries(
            Object.entries(task.delivered).map(([repo, { way, branch, to, tree, checkoutFollowed }]) => [
              repo,
              { way, branch, to, tree, checkout_followed: checkoutFollowed },
            ]),
          ),
    denials: task.denials,
    fork: task.fork === null ? null : { origin: task.fork.origin, root: task.fork.root },
    superseded_by: task.supersededBy,
    ended_at: "endedAtMs" in task ? time(task.endedAtMs) : null,
  };
}

export const comparedView = (
  compared: readonly {
    readonly row: Row;
    readonly task: Task;
    readonly agent: string | null;
    readonly workedMs: number;
    readonly change: { readonly files: number; readonly linesAdded: number; readonly linesRemoved: number } | null;
  }[],
): ComparedView => ({
  items: compared.map(({ row, task, agent, workedMs, change }) => ({
    ...rowView(row),
    agent,
    spec: task.spec?.hash ?? null,
    gates: verdictViews(task),
    change:
      change === null
        ? null
        : { files: change.files, lines_added: change.linesAdded, lines_removed: change.linesRemoved },
    worked_ms: workedMs,
    detail: "detail" in task ? task.detail : null,
    delivered: task.delivered !== null,
    superseded_by: task.supersededBy,
  })),
});

const VERDICTS_ON = {
  base: (task) => task.baseline,
  candidate: (task) => task.verdicts,
  "kept-tests": (task) => task.keptTests,
} as const satisfies Record<VerdictView["on"], (task: Task) => Task["verdicts"]>;

export const foundViews = (task: Task): FoundListView => ({
  items: task.findings.map((one) => ({
    kind: one.kind,
    policy: one.policy,
    repo: one.repo,
    about: one.about,
    detail: one.detail,
    text: findingText(one),
    allowed_by: allowedBy(one.kind),
  })),
  accepted: task.findingsAccepted,
});

export const verdictViews = (task: Task): VerdictView[] =>
  (["base", "candidate", "kept-tests"] as const).flatMap((on) =>
    Object.entries(VERDICTS_ON[on](task)).map(([gate, one]) => ({
      gate,
      on,
      verdict: one.verdict,
      tree: one.tree,
      step: one.step,
      counts: one.counts === null ? null : { ...one.counts },
      findings: [...one.findings],
      runs: one.runs ?? 1,
      flaky: one.verdict === "pass" && (one.runs ?? 1) > 1,
    })),
  );

export const artifactViews = (artifacts: readonly Artifact[]): ArtifactListView["items"] =>
  artifacts.map(({ name, mediaType, content }) => ({
    name,
    media_type: mediaType,
    bytes: content.bytes,
    digest: content.digest,
  }));

export const inputViews = (inputs: readonly Input[]): ArtifactListView["from"] =>
  inputs.map(({ task, artifacts }) => ({ task, artifacts: artifactViews(artifacts) }));

export const graphView = ({
  tasks,
  dependencies,
  cut,
}: {
  readonly tasks: readonly Row[];
  readonly dependencies: DependencyGraphView["dependencies"] extends (infer D)[] ? readonly Readonly<D>[] : never;
  readonly cut: boolean;
}): DependencyGraphView => ({
  tasks: tasks.map(({ id, title, status, exitReason, blockReason }) => ({
    id,
    title,
    status,
    exit_reason: exitReason,
    block_reason: blockReason,
  })),
  dependencies: dependencies.map((one) => ({ ...one })),
  cut,
});

export const eventView = (stream: string, recorded: Recorded<AnyEvent>, position?: number): EventView => ({
  ...(position === undefined ? {} : { position }),
  stream,
  seq: recorded.seq,
  type: recorded.event.type,
  at: time(recorded.atMs),
  actor: actorText(recorded.actor),
  sentence: sentence(recorded.event),
  body: recorded.event.body as EventView["body"],
});

export const repoView = (project: string, repo: RepoFacts): RepoView => ({
  id: repo.id,
  name: repo.name,
  project,
  path: repo.path,
  kind: isRemote(repo.path) ? "remote" : "local",
  default_branch: repo.defaultBranch,
  role: repo.role,
  writable: repo.writable,
  path_filters: [...repo.pathFilters],
  directory: repo.directory ?? null,
});

export const agentView = (agent: "builtin" | "script" | "gates" | NamedForeign): AgentView => {
  if (typeof agent === "string") return agent;
  if (agent.kind === "command") return { kind: "command", agent: null, command: [...agent.argv] };
  return agent.argv === null ? `acp:${agent.agent}` : { kind: "acp", agent: agent.agent, command: [...agent.argv] };
};

const grantsView = ({ hosts, variables, files }: AgentGrants): ProjectView["settings"]["agent_grants"] => ({
  hosts: [...hosts],
  variables: [...variables],
  files: [...files],
});

export const projectView = (project: Project): ProjectView => ({
  id: project.id,
  name: project.name,
  created_at: time(project.createdAtMs),
  settings: {
    agent: project.settings.agent === null ? null : agentView(project.settings.agent),
    agent_grants: grantsView(project.settings.agentGrants ?? NO_GRANTS),
    run_mode: project.settings.runMode,
    package_hosts: [...project.settings.packageHosts],
    flaky: project.settings.flaky ?? null,
    tasks_max: project.settings.tasksMax,
    models: modelPolicyView(project.settings.models ?? {}),
    approvals: {
      approver_not_creator: rulesOf(project.settings).approverNotCreator,
      expires_ms: rulesOf(project.settings).expiresMs,
      delegates: [...rulesOf(project.settings).delegates],
    },
  },
  paused: project.paused === null ? null : { since: time(project.paused.sinceMs), by: project.paused.by },
  repos: project.repos.map((repo) => repoView(project.id, repo)),
});

export const deliveredView = ({
  repos,
  notes,
}: {
  readonly repos: Readonly<Record<string, DeliveredTo>>;
  readonly notes: readonly string[];
}): DeliveredView => ({
  repos: Object.fromEntries(
    Object.entries(repos).map(([repo, { way, branch, from, to, tree, checkoutFollowed }]) => [
      repo,
      { way, branch, from, to, tree, checkout_followed: checkoutFollowed },
    ]),
  ),
  notes: [...notes],
});

/** One run of a step as recorded. */
export interface RecordedStep {
  readonly step: string;
  readonly run: number;
  readonly item: string | null;
  readonly act: Act;
  readonly status: "open" | "completed" | "failed" | "lost";
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly startedSeq: number;
  readonly endedSeq: number | null;
  readonly recordHash: string | null;
  readonly evidence: readonly Evidence[];
}

export const stepView = (one: RecordedStep): EvidenceView["steps"][number] => ({
  step: one.step,
  run: one.run,
  item: one.item,
  kind: one.act.kind,
  status: one.status,
  doing: doing(one.act),
  started_at: time(one.startedAtMs),
  ended_at: one.endedAtMs === null ? null : time(one.endedAtMs),
  started_seq: one.startedSeq,
  ended_seq: one.endedSeq,
  record_hash: one.recordHash,
  evidence: one.evidence as unknown as EvidenceView["steps"][number]["evidence"],
});

/** What a step does, in words. */
export const doing = (act: Act): string => acting(act);

export const bulkView = (
  verb: string,
  dryRun: boolean,
  items: readonly {
    readonly id: string;
    readonly title: string | null;
    readonly status: Task["status"] | null;
    readonly refused: { readonly code: string; readonly why: string } | null;
  }[],
  next: string | null,
): BulkView => ({
  verb,
  dry_run: dryRun,
  items: items.map(({ id, title, status, refused }) => ({
    id,
    title,
    status,
    outcome: refused === null ? "done" : "refused",
    code: refused?.code ?? null,
    why: refused?.why ?? null,
  })),
  done: items.filter(({ refused }) => refused === null).length,
  refused: items.filter(({ refused }) => refused !== null).length,
  next,
});

export const pausedView = (
  paused: { readonly sinceMs: number; readonly by: string; readonly reason: string | null } | null,
): HealthView["paused"] =>
  paused === null ? null : { since: time(paused.sinceMs), by: paused.by, reason: paused.reason };
