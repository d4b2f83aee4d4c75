import type { BlobRef } from "../domain/blob.ts";
import type { Budget } from "../domain/budget.ts";
import type { Draft } from "../domain/draft.ts";
import type { Input, Recorded, TaskEvent } from "../domain/event.ts";
import type { Evidence } from "../domain/evidence.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { Pause } from "../domain/pause.ts";
import { type OpenPlan, planFrom } from "../domain/plan.ts";
import { isUndelivered } from "../domain/retention.ts";
import { type Spec, specFrom } from "../domain/spec.ts";
import type { DependencyNow } from "../domain/standing.ts";
import type { Act } from "../domain/step.ts";
import type { Task, TaskOutline } from "../domain/task.ts";
import type { TaskFilter, TaskRow } from "../ports/store.ts";
import type { ChangedPath, Moved } from "../ports/workspaces.ts";
import type { AppDependencies } from "./deps.ts";
import { draftOf } from "./draft-of.ts";
import { allPaused } from "./pause-all.ts";
import { pausedBy } from "./paused-by.ts";
import { findProject } from "./projects.ts";

const DIFF_BYTES_MAX = 4 * 1024 ** 2;
/** One answer never holds more output than this, however many steps there were. */
const LOGS_BYTES_MAX = 16 * 1024 ** 2;
/** Of a task that has no such step, so many of its last ones are told. */
const STEPS_NAMED_MAX = 50;

export interface TaskSeen {
  readonly task: Task;
  readonly row: TaskRow;
  /** What it depends on, as that is now. */
  readonly before: readonly DependencyNow[];
  /** By whose word it is not taken up. */
  readonly paused: Pause | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** What its frozen spec lets all of it spend; null: no limit, or no spec yet. */
  readonly budget: Budget | null;
}

/** A branch a task began on, as it is now. */
export interface MovedBase extends Moved {
  readonly repo: string;
  readonly branch: string;
  readonly base: string;
  /** Why nothing can be said. */
  readonly problem: string | null;
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
    const frozen = task.spec === null ? null : await deps.store.tasks.spec(id, task.spec.version);
    return {
      task,
      row,
      before: await beforeOf(deps, [task]).then((before) => before[id] ?? []),
      paused: (await pausedBy(deps, [task]))[id] ?? null,
      metadata:
        task.metadata === null
          ? null
          : (JSON.parse((await textOf(deps, task.metadata)) ?? "null") as Record<string, unknown> | null),
      budget: frozen === null ? null : (specFrom(frozen.text).budget ?? null),
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

    /** What a model found when it looked over the candidate; null: none did. `findings` is null once its text was erased. */
    async review(id: string) {
      const { review } = (await deps.log.load(id)).task;
      if (review === null) return null;
      const { by, count, failed } = review;
      return { by, count, failed, findings: await textOf(deps, review.findings) };
    },

    /** Null for a draft. */
    async frozenSpec(id: string): Promise<Spec | null> {
      const { frozen } = await spec(id);
      return frozen === null ? null : specFrom(frozen.text);
    },

    async tasks(filter: TaskFilter) {
      const project = filter.project === null ? null : (await findProject(deps, filter.project)).id;
      const page = await deps.store.tasks.tasks({ ...filter, project });
      const states = page.rows.flatMap(({ state }) => (state === null ? [] : [state]));
      const before = await beforeOf(deps, states);
      const paused = await pausedBy(deps, states);
      return {
        rows: page.rows.map((one) => ({
          ...one,
          before: before[one.row.id] ?? [],
          paused: paused[one.row.id] ?? null,
        })),
        next: page.next,
      };
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
    allPaused: () => allPaused(deps),
    counts: () => deps.store.tasks.counts(),

    /** What the task left, what it was shown of others, and which tasks were shown what it left. */
    async artifacts(id: string): Promise<{
      readonly own: Task["artifacts"];
      readonly from: readonly Input[];
      readonly to: readonly Input[];
    }> {
      const { task } = await deps.log.load(id);
      const to: Input[] = [];
      for (const later of await deps.store.tasks.requiredBy(id)) {
        const shown = (await deps.log.load(later)).task.inputs.find((one) => one.task === id);
        if (shown !== undefined) to.push({ task: later, artifacts: shown.artifacts });
      }
      return { own: task.artifacts, from: task.inputs, to };
    },

    async artifact(id: string, name: string): Promise<{ readonly mediaType: string; readonly bytes: Uint8Array }> {
      const { task } = await deps.log.load(id);
      const found = task.artifacts.find((artifact) => artifact.name === name);
      const bytes = found === undefined ? null : await deps.store.get(found.content);
      if (found === undefined || bytes === null)
        throw new Failure("artifact/not-found", `task ${id} has no artifact ${name}`);
      return { mediaType: found.mediaType, bytes };
    },

    /** A part of what a run puts out, cut between two characters. While it is open there may be more to come. */
    async output(id: string, step: string, run: number, offset: number, bytesMax: number) {
      const { task } = await deps.log.load(id);
      // Looked at before the file: a run that is over by now has put out everything.
      const open = task.openStep?.step === step && task.openStep.run === run;
      const { bytes, size } = await deps.outputFrom(id, step, run, offset, bytesMax);
      const from = Math.min(offset, size);
      const whole = open || from + bytes.byteLength < size ? wholeCharacters(bytes) : bytes.byteLength;
      return { text: decode(bytes.subarray(0, whole)), next: from + whole, open };
    },

    /**
     * Output of steps, each at most `bytesMax` of its end; of an open step what there is so far. Together they hold at most `LOGS_BYTES_MAX`:
     * the newest in full, of what no longer fits it is said that it is cut.
     */
    async logs(id: string, only: string | null, bytesMax: number) {
      const items = [];
      let room = LOGS_BYTES_MAX;
      const all = await steps(id);
      const wanted = all.filter(({ step }) => only === null || step === only);
      if (only !== null && wanted.length === 0)
        throw new Failure("input/invalid", `task ${id} has no step ${only}`, {
          next:
            all.length === 0
              ? "It has begun none yet."
              : `agentos task logs ${id} without --step names those that wrote something.`,
          facts: { steps: [...new Set(all.map(({ step }) => step))].slice(-STEPS_NAMED_MAX) },
        });
      for (const one of wanted.toReversed()) {
        const most = Math.min(bytesMax, Math.floor(room / 2));
        const last = one.evidence.findLast((evidence) => evidence.kind === "command" || evidence.kind === "turn");
        if (last === undefined) {
          const live =
            one.status === "open" || one.status === "lost"
              ? await deps.liveOutput(id, one.step, one.run, Math.max(1, most))
              : null;
          if (live !== null && live.byteLength > 0) {
            items.push({ step: one, stdout: decode(live), stderr: "", truncated: live.byteLength >= most });
            room -= live.byteLength;
          }
          continue;
        }
        // A turn's stdout is the protocol's: what a person reads of it is what the agent said there.
        const said = last.kind === "turn" ? await saidIn(deps, last.transcript) : await deps.store.get(last.stdout);
        const stdout = endOf(said, most);
        const stderr = endOf(await deps.store.get(last.stderr), most);
        items.push({ step: one, stdout: stdout.text, stderr: stderr.text, truncated: stdout.cut || stderr.cut });
        room -= stdout.bytes + stderr.bytes;
      }
      return items.toReversed();
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
      // A repo that is only read has a base and no candidate: it is the task's all the same, and nothing of it was changed.
      const known = [...new Set([...Object.keys(task.bases ?? {}), ...Object.keys(task.candidate)])];
      if (only !== null && !known.includes(only))
        throw new Failure("repo/not-found", `task ${id} has no repo ${only}; it has ${known.join(", ")}`, {
          next: `agentos task diff ${id} shows all of them.`,
        });
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

    /** How far the branches a task began on have moved since; a remote one is asked. Empty before the task has bases. */
    async moved(id: string): Promise<readonly MovedBase[]> {
      const { task } = await deps.log.load(id);
      const project = task.project === null ? null : await deps.store.projects.project(task.project.id);
      const bases: MovedBase[] = [];
      for (const [repo, { commit, branch }] of Object.entries(task.bases ?? {})) {
        const source = project?.project.repos.find(({ name }) => name === repo)?.path;
        if (source === undefined || branch === null) continue;
        const candidate = task.candidate?.[repo]?.commit ?? null;
        const base = { repo, branch, base: commit };
        try {
          const moved = await deps.workspaces.movedSince({ task: id, repo }, source, branch, commit, candidate);
          bases.push({ ...base, ...moved, problem: null });
        } catch (error) {
          // A remote that is away, or a workspace that is gone, is worth a word and hides nothing else of the task.
          if (!isFailure(error)) throw error;
          bases.push({ ...base, head: null, commits: 0, conflicts: [], problem: error.message });
        }
      }
      return bases;
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
     *
     * @param undelivered a person gives up proven work that is delivered nowhere: without its clone it can not be delivered any more
     */
    async clean(id: string, undelivered = false) {
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
      if (task.status === "succeeded" && isUndelivered(task) && !undelivered)
        throw new Failure(
          "task/refused",
          `the work of task ${id} is proven and not delivered yet, and without its workspace it can not be delivered`,
          {
            next: `agentos task deliver ${id}, or keep it as a patch: agentos task deliver ${id} --way patch. To give it up: agentos workspace clean ${id} --undelivered.`,
            facts: { status: task.status },
          },
        );
      const project = task.project === null ? null : await deps.store.projects.project(task.project.id);
      const sources = Object.fromEntries((project?.project.repos ?? []).map(({ name, path }) => [name, path]));
      const removed = await deps.workspaces.remove(id, sources);
      await deps.dropOutput(id);
      await deps.agentHomes.drop(id);
      return { task: id, ...removed };
    },

    projects: () => deps.store.projects.projects(),
    project: (wanted: string) => findProject(deps, wanted),
  };
};

const beforeOf = (
  deps: AppDependencies,
  tasks: readonly TaskOutline[],
): Promise<Readonly<Record<string, readonly DependencyNow[]>>> =>
  deps.store.tasks.before(tasks.filter((task) => task.dependencies.length > 0).map(({ id }) => id));

async function textOf(deps: AppDependencies, ref: BlobRef): Promise<string | null> {
  const bytes = await deps.store.get(ref);
  return bytes === null ? null : decode(bytes);
}

async function saidIn(deps: AppDependencies, transcript: BlobRef): Promise<Uint8Array | null> {
  const bytes = await deps.store.get(transcript);
  return bytes === null ? null : new TextEncoder().encode(deps.transcriptText(bytes));
}

/** @param kept null: it was erased */
function endOf(
  kept: Uint8Array | null,
  bytesMax: number,
): { readonly text: string; readonly bytes: number; readonly cut: boolean } {
  if (kept === null) return { text: "(erased)", bytes: 0, cut: false };
  const end = kept.subarray(Math.max(0, kept.byteLength - bytesMax));
  return { text: decode(end), bytes: end.byteLength, cut: end.byteLength < kept.byteLength };
}

/** How many of the bytes are whole characters: a last one that is cut off is left for the next part. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back += 1) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.byteLength - back : bytes.byteLength;
  }
  return bytes.byteLength;
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
