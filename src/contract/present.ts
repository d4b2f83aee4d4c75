import { actorText } from "../domain/actor.ts";
import type { AnyEvent, DeliveredTo, Recorded, RepoFacts } from "../domain/event.ts";
import type { Evidence } from "../domain/evidence.ts";
import { allowedCommands } from "../domain/lifecycle.ts";
import type { Project } from "../domain/project.ts";
import { acting, sentence, waitingFor } from "../domain/sentence.ts";
import type { Act } from "../domain/step.ts";
import type { Task } from "../domain/task.ts";
import type {
  DeliveredView,
  EventView,
  EvidenceView,
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
  created_by: row.createdBy,
  created_at: time(row.createdAtMs),
  updated_at: time(row.updatedAtMs),
  seq: row.seq,
});

export const listView = (
  rows: readonly { readonly row: Row; readonly task: Task | null }[],
  next: string | null,
): TaskListView => ({
  items: rows.map(({ row, task }) => ({ ...rowView(row), waiting: task === null ? null : waitingFor(task) })),
  next,
});

export function taskView({
  task,
  row,
  metadata,
}: {
  readonly task: Task;
  readonly row: Row;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}): TaskView {
  return {
    ...rowView(row),
    waiting: waitingFor(task),
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
    open_step:
      task.openStep === null
        ? null
        : { step: task.openStep.step, run: task.openStep.run, doing: doing(task.openStep.act) },
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
    ended_at: "endedAtMs" in task ? time(task.endedAtMs) : null,
  };
}

export const verdictViews = (task: Task): VerdictView[] =>
  (["base", "candidate"] as const).flatMap((on) =>
    Object.entries(on === "base" ? task.baseline : task.verdicts).map(([gate, one]) => ({
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
  default_branch: repo.defaultBranch,
  role: repo.role,
  writable: repo.writable,
  path_filters: [...repo.pathFilters],
});

export const projectView = (project: Project): ProjectView => ({
  id: project.id,
  name: project.name,
  created_at: time(project.createdAtMs),
  settings: {
    agent: project.settings.agent,
    run_mode: project.settings.runMode,
    package_hosts: [...project.settings.packageHosts],
    flaky: project.settings.flaky ?? null,
  },
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
