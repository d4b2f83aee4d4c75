import type { BlobRef } from "../domain/blob.ts";
import type { Draft } from "../domain/draft.ts";
import type { Recorded, TaskEvent } from "../domain/event.ts";
import type { Evidence } from "../domain/evidence.ts";
import { Failure } from "../domain/failure.ts";
import { type OpenPlan, planFrom } from "../domain/plan.ts";
import { type Spec, specFrom } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";
import type { Task } from "../domain/task.ts";
import type { TaskFilter, TaskRow } from "../ports/store.ts";
import type { ChangedPath } from "../ports/workspaces.ts";
import type { AppDependencies } from "./deps.ts";
import { draftOf } from "./draft-of.ts";
import { findProject } from "./projects.ts";

const DIFF_BYTES_MAX = 4 * 1024 ** 2;

export interface TaskSeen {
  readonly task: Task;
  readonly row: TaskRow;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

/** One run of a step with everything that is recorded about it. */
export interface StepSeen {
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

/** Looking at what is: no look changes anything. */
export const looks = (deps: AppDependencies) => {
  const seen = async (id: string): Promise<TaskSeen> => {
    const { task } = await deps.log.load(id);
    const row = await deps.store.tasks.taskRow(id);
    if (row === null) throw new Failure("task/not-found", `there is no task ${id}`);
    return {
      task,
      row,
      metadata:
        task.metadata === null
          ? null
          : (JSON.parse((await textOf(deps, task.metadata)) ?? "null") as Record<string, unknown> | null),
    };
  };

  const spec = async (
    id: string,
  ): Promise<{
    readonly version: number;
    readonly frozen: { readonly text: string; readonly hash: string } | null;
    readonly value: Spec | Draft;
  }> => {
    const loaded = await deps.log.load(id);
    const frozen = loaded.task.spec === null ? null : await deps.store.tasks.spec(id, loaded.task.spec.version);
    if (frozen === null) return { version: loaded.task.specVersion, frozen: null, value: await draftOf(deps, loaded) };
    return { version: loaded.task.spec?.version ?? 0, frozen, value: specFrom(frozen.text) };
  };

  const steps = async (id: string): Promise<readonly StepSeen[]> => {
    await deps.log.load(id);
    const byRun = new Map<string, StepSeen>();
    for await (const row of deps.store.journal(`task/${id}`)) {
      const event = { type: row.type, body: JSON.parse(row.body) } as TaskEvent;
      if (event.type === "STEP_STARTED") {
        const { step, run, item, act } = event.body;
        byRun.set(`${step} ${run}`, {
          step,
          run,
          item,
          act,
          status: "open",
          startedAtMs: row.atMs,
          endedAtMs: null,
          startedSeq: row.seq,
          endedSeq: null,
          recordHash: null,
          evidence: [],
        });
      } else if (event.type === "STEP_COMPLETED" || event.type === "STEP_FAILED" || event.type === "STEP_LOST") {
        const open = byRun.get(`${event.body.step} ${event.body.run}`);
        if (open === undefined) continue;
        const status = event.type === "STEP_COMPLETED" ? "completed" : event.type === "STEP_FAILED" ? "failed" : "lost";
        byRun.set(`${open.step} ${open.run}`, {
          ...open,
          status,
          endedAtMs: row.atMs,
          endedSeq: row.seq,
          recordHash: row.hash,
          evidence: event.type === "STEP_LOST" ? [] : event.body.evidence,
        });
      }
    }
    return [...byRun.values()];
  };

  return {
    task: seen,
    spec,
    steps,

    /** Null for a draft. */
    async frozenSpec(id: string): Promise<Spec | null> {
      const { frozen } = await spec(id);
      return frozen === null ? null : specFrom(frozen.text);
    },

    async tasks(filter: Omit<TaskFilter, "project"> & { readonly project: string | null }) {
      const project = filter.project === null ? null : (await findProject(deps, filter.project)).id;
      const page = await deps.store.tasks.tasks({ ...filter, project });
      const rows = [];
      for (const row of page.rows) {
        const found = await deps.store.tasks.task(row.id);
        rows.push({ row, task: found?.task ?? null });
      }
      return { rows, next: page.next };
    },

    async plan(id: string): Promise<{
      readonly version: number;
      readonly text: string;
      readonly hash: string;
      readonly value: OpenPlan;
      readonly approvedBy: string | null;
    }> {
      const { task } = await deps.log.load(id);
      const stored = task.plan === null ? null : await deps.store.tasks.plan(id, task.plan.version);
      if (task.plan === null || stored === null)
        throw new Failure(
          "task/refused",
          `task ${id} is ${task.status} in the phase ${task.phase} and has no plan yet`,
          { next: `agentos task show ${id}` },
        );
      const approvedBy = task.approval !== null && task.approval.plan === stored.hash ? task.approval.by : null;
      return { version: task.plan.version, ...stored, value: planFrom(stored.text), approvedBy };
    },

    async events(id: string, afterSeq: number, most: number): Promise<readonly Recorded<TaskEvent>[]> {
      await deps.log.load(id);
      return deps.store.tasks.events(id, afterSeq, most);
    },

    since: (position: number, most: number) => deps.store.since(position, most),
    position: () => deps.store.position(),
    onAppended: (listener: Parameters<AppDependencies["store"]["onAppended"]>[0]) => deps.store.onAppended(listener),
    counts: () => deps.store.tasks.counts(),

    async artifact(id: string, name: string): Promise<{ readonly mediaType: string; readonly bytes: Uint8Array }> {
      const { task } = await deps.log.load(id);
      const found = task.artifacts.find((artifact) => artifact.name === name);
      const bytes = found === undefined ? null : await deps.store.get(found.content);
      if (found === undefined || bytes === null)
        throw new Failure("artifact/not-found", `task ${id} has no artifact ${name}`);
      return { mediaType: found.mediaType, bytes };
    },

    /** Output of steps, each at most `bytesMax` of its end; of an open step what there is so far. */
    async logs(id: string, only: string | null, bytesMax: number) {
      const items = [];
      for (const one of await steps(id)) {
        if (only !== null && one.step !== only) continue;
        const commands = one.evidence.flatMap((evidence) => (evidence.kind === "command" ? [evidence] : []));
        const last = commands.at(-1);
        if (last === undefined) {
          const live =
            one.status === "open" || one.status === "lost"
              ? await deps.liveOutput(id, one.step, one.run, bytesMax)
              : null;
          if (live !== null && live.byteLength > 0)
            items.push({ step: one, stdout: decode(live), stderr: "", truncated: live.byteLength >= bytesMax });
          continue;
        }
        const stdout = await endOf(deps, last.stdout, bytesMax);
        const stderr = await endOf(deps, last.stderr, bytesMax);
        items.push({ step: one, stdout: stdout.text, stderr: stderr.text, truncated: stdout.cut || stderr.cut });
      }
      return items;
    },

    /** What the task changed: base to candidate, per repo. */
    async diff(
      id: string,
      only: string | null,
    ): Promise<
      Readonly<
        Record<
          string,
          {
            readonly from: string;
            readonly to: string;
            readonly diff: string;
            readonly changed: readonly ChangedPath[];
          }
        >
      >
    > {
      const { task } = await deps.log.load(id);
      if (task.candidate === null)
        throw new Failure(
          "task/refused",
          `task ${id} is ${task.status} in the phase ${task.phase} and has no candidate to compare yet`,
          { next: `agentos task show ${id}` },
        );
      const repos: Record<string, { from: string; to: string; diff: string; changed: readonly ChangedPath[] }> = {};
      for (const [repo, { base, commit }] of Object.entries(task.candidate)) {
        if (only !== null && repo !== only) continue;
        const clone = { task: id, repo };
        repos[repo] = {
          from: base,
          to: commit,
          diff: base === commit ? "" : await deps.workspaces.diff(clone, base, commit, DIFF_BYTES_MAX),
          changed: base === commit ? [] : await deps.workspaces.changes(clone, base, commit),
        };
      }
      return repos;
    },

    async workspaces() {
      const used = await deps.workspaces.use();
      const items = [];
      for (const one of used)
        items.push({ ...one, status: (await deps.store.tasks.taskRow(one.task))?.status ?? null });
      return items;
    },

    /**
     * Removes the working directories of a task that ended, and its live output (what finished steps put out is in their evidence). What
     * is not in git is kept in the person's repository first.
     */
    async clean(id: string) {
      const { task } = await deps.log.load(id);
      if (task.status !== "succeeded" && task.status !== "failed" && task.status !== "canceled")
        throw new Failure(
          "task/refused",
          `task ${id} is ${task.status}; only the workspace of a task that ended can be removed`,
          { next: `agentos task cancel ${id}`, facts: { status: task.status } },
        );
      if (task.openStep !== null)
        throw new Failure("task/refused", `step ${task.openStep.step} of task ${id} is open and works there`, {
          next: `agentos task show ${id} says what it does; clean up when it is through.`,
          facts: { status: task.status },
        });
      const project = task.project === null ? null : await deps.store.projects.project(task.project.id);
      const sources = Object.fromEntries((project?.project.repos ?? []).map(({ name, path }) => [name, path]));
      const removed = await deps.workspaces.remove(id, sources);
      await deps.dropOutput(id);
      return { task: id, ...removed };
    },

    projects: () => deps.store.projects.projects(),
    project: (wanted: string) => findProject(deps, wanted),
  };
};

async function textOf(deps: AppDependencies, ref: BlobRef): Promise<string | null> {
  const bytes = await deps.store.get(ref);
  return bytes === null ? null : decode(bytes);
}

async function endOf(
  deps: AppDependencies,
  ref: BlobRef,
  bytesMax: number,
): Promise<{ readonly text: string; readonly cut: boolean }> {
  const bytes = await deps.store.get(ref);
  if (bytes === null) return { text: "(erased)", cut: false };
  return { text: decode(bytes.subarray(Math.max(0, bytes.byteLength - bytesMax))), cut: bytes.byteLength > bytesMax };
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
