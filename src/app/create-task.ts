import type { Actor } from "../domain/actor.ts";
import type { Dependency } from "../domain/dependency.ts";
import type { Draft } from "../domain/draft.ts";
import { isPriority, type Priority } from "../domain/priority.ts";
import { taskStream } from "../domain/stream.ts";
import { templateNamed } from "../domain/template.ts";
import type { Loaded } from "../ports/task-log.ts";
import { bindingTo } from "./bind-task.ts";
import { requireThere } from "./dependencies.ts";
import type { AppDependencies } from "./deps.ts";
import { findProject } from "./projects.ts";
import { present, stageText } from "./text.ts";

export interface NewTask {
  /** Given to a request that may be sent again; null: a new one. Where the task is there already, this is the request that made it. */
  readonly id: string | null;
  readonly draft: Draft;
  /** A label; who did it is the actor. */
  readonly createdBy: string;
  readonly session: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Null: what the metadata call `priority`, where that is one; else normal. */
  readonly priority: Priority | null;
  /** Id or name of the project to bind it to at once. */
  readonly project: string | null;
  /** What comes before it, from its first event on: it is never claimed without them. */
  readonly dependencies: readonly Dependency[];
}

/** A draft with a session, bound to its project in the same append: there is all of it or nothing. Nothing runs until its spec is frozen, it is bound and made ready. */
export async function createTask(deps: AppDependencies, by: Actor, wanted: NewTask): Promise<Loaded> {
  const binding = wanted.project === null ? null : bindingTo(await findProject(deps, wanted.project));
  const id = wanted.id ?? deps.ids.ulid();
  if (wanted.id !== null && (await deps.store.tasks.task(id)) !== null) return deps.log.load(id);
  const priority = wanted.priority ?? priorityIn(wanted.metadata) ?? "normal";
  for (const { on, kind } of wanted.dependencies) await requireThere(deps, kind, on);
  const atMs = deps.clock.nowMs();
  const template = wanted.draft.agent === null ? templateNamed(wanted.draft.title) : null;
  const title = await deps.store.stage(new TextEncoder().encode(wanted.draft.title));
  const draft = await deps.store.stage(new TextEncoder().encode(deps.seal(wanted.draft).text));
  const metadata = await stageText(deps, wanted.metadata === null ? null : deps.seal(wanted.metadata).text);
  const session = wanted.session ?? `auto_${id}_${Math.floor(atMs / 1000)}`;
  await deps.store.append({
    stream: taskStream(id),
    expected: 0,
    events: [
      {
        actor: by,
        atMs,
        event: {
          type: "CREATED",
          body: {
            session,
            createdBy: wanted.createdBy,
            title: title.ref,
            draft: draft.ref,
            metadata: metadata?.ref ?? null,
            template: template?.name ?? null,
          },
        },
      },
      ...(priority === "normal"
        ? []
        : [{ actor: by, atMs, event: { type: "PRIORITIZED", body: { priority, from: "normal" } } } as const]),
      ...(binding === null ? [] : [{ actor: by, atMs, event: { type: "BOUND", body: binding } } as const]),
      ...wanted.dependencies.map((body) => ({ actor: by, atMs, event: { type: "DEPENDENCY_ADDED", body } }) as const),
    ],
    blobs: present([title, draft, metadata]),
    lease: null,
  });
  return deps.log.load(id);
}

const priorityIn = (metadata: NewTask["metadata"]): Priority | null => {
  const said = metadata?.["priority"];
  return isPriority(said) ? said : null;
};
