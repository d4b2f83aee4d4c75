import type { Actor } from "../domain/actor.ts";
import type { Draft } from "../domain/draft.ts";
import type { TaskEvent } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import type { Project } from "../domain/project.ts";
import type { ScriptPlan } from "../domain/script-plan.ts";
import { type AgentChoice, checkSpec, freezeSpec, specFrom } from "../domain/spec.ts";
import { taskStream } from "../domain/stream.ts";
import type { Task } from "../domain/task.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { AppDependencies } from "./deps.ts";
import { draftOf } from "./draft-of.ts";
import { scripted } from "./freeze-task.ts";
import { findProject } from "./projects.ts";

export interface ForkWanted {
  readonly times: number;
  /** Who does the work instead; null: who did it at the origin. */
  readonly agent: "gates" | "builtin" | null;
  readonly plan: ScriptPlan | null;
  readonly createdBy: string;
}

/**
 * More attempts at what a task is for, side by side: each a task of its own with the same frozen spec (but for the agent, where another
 * one is named), at the same bases and after the same tasks, in the queue at once. Refused (`task/refused`) while the origin's spec is not
 * frozen or its bases are not pinned, and where its base holds uncommitted files, which only its own clone has.
 */
export async function forkTask(
  deps: AppDependencies,
  by: Actor,
  id: string,
  wanted: ForkWanted,
): Promise<readonly string[]> {
  const loaded = await deps.log.load(id);
  const { task } = loaded;
  const stored = task.spec === null ? null : await deps.store.tasks.spec(id, task.spec.version);
  const bases = task.bases ?? task.fork?.bases ?? null;
  if (task.spec === null || stored === null || task.project === null || bases === null)
    throw refused(task, "it has not been planned yet, so there is no frozen spec with a base to begin from");
  const dirty = Object.entries(bases).find(([, base]) => base.included && base.dirty.length > 0);
  if (dirty !== undefined)
    throw refused(task, `its base of ${dirty[0]} holds uncommitted files, which only its own workspace has`);
  const project = await findProject(deps, task.project.id);

  const agent = agentOf(wanted, project);
  const blobs: StagedBlob[] = [];
  const staged = async (text: string): Promise<StagedBlob["ref"]> => {
    const blob = await deps.store.stage(new TextEncoder().encode(text));
    blobs.push(blob);
    return blob.ref;
  };
  let frozen = { hash: task.spec.hash, text: task.spec.text };
  let { draft } = task;
  if (agent !== null) {
    const spec = { ...specFrom(stored.text), nonce: deps.ids.nonce(), agent };
    checkSpec(spec);
    const { text, hash } = freezeSpec(deps.seal, spec);
    frozen = { hash, text: await staged(text) };
    const changed: Draft = {
      ...(await draftOf(deps, loaded)),
      agent: agent.kind === "script" || agent.kind === "gates" ? agent.kind : null,
      plan: wanted.plan,
    };
    draft = await staged(deps.seal(changed).text);
  }
  const events: readonly TaskEvent[] = [
    {
      type: "CREATED",
      body: {
        session: task.session,
        createdBy: wanted.createdBy,
        title: task.title,
        draft,
        metadata: task.metadata,
        template: null,
      },
    },
    { type: "BOUND", body: { project: task.project.id, repos: task.project.repos } },
    ...task.dependencies.map((body): TaskEvent => ({ type: "DEPENDENCY_ADDED", body })),
    { type: "FORKED", body: { origin: id, root: rootOf(task), bases } },
    { type: "SPEC_FROZEN", body: { version: 1, ...frozen } },
    { type: "READY", body: { spec: frozen.hash } },
    { type: "QUEUED", body: { cause: "ready" } },
  ];
  const made: string[] = [];
  for (let time = 0; time < wanted.times; time += 1) {
    const fork = deps.ids.ulid();
    const atMs = deps.clock.nowMs();
    await deps.store.append({
      stream: taskStream(fork),
      expected: 0,
      events: events.map((event) => ({ actor: by, atMs, event })),
      blobs,
      lease: null,
    });
    made.push(fork);
  }
  return made;
}

/** All attempts at what a task is for, the first one first; only itself when it was never forked. */
export async function attemptsOf(deps: AppDependencies, id: string): Promise<readonly string[]> {
  const root = rootOf((await deps.log.load(id)).task);
  return [root, ...(await deps.store.tasks.forks(root))];
}

/**
 * A person's word that the work of this task was taken: every other attempt that lives, or succeeded and was not delivered, ends as
 * `superseded`. What failed or was canceled before stays as it ended. Says which were ended (a running one ends at once after its open step).
 */
export async function supersedeOthers(deps: AppDependencies, by: Actor, id: string): Promise<readonly string[]> {
  const { task } = await deps.log.load(id);
  if (task.delivered === null)
    throw new Failure("task/refused", `task ${id} has not been delivered, so nothing is superseded by it`, {
      next: `agentos task deliver ${id}`,
      facts: { status: task.status },
    });
  const ended: string[] = [];
  for (const other of await attemptsOf(deps, id)) {
    if (other === id) continue;
    const { status, delivered } = (await deps.log.load(other)).task;
    if (status === "failed" || status === "canceled" || delivered !== null) continue;
    await deps.log.give(other, { type: "supersede", by, with: id });
    ended.push(other);
  }
  return ended;
}

const rootOf = (task: Task): string => task.fork?.root ?? task.id;

const refused = (task: Task, why: string): Failure =>
  new Failure("task/refused", `task ${task.id} is ${task.status} and cannot be forked: ${why}`, {
    next: `agentos task show ${task.id}`,
    facts: { status: task.status },
  });

function agentOf({ agent, plan }: ForkWanted, project: Project): AgentChoice | null {
  if (plan !== null) return scripted(plan, project);
  return agent === null ? null : { kind: agent };
}
