import type { Actor } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import { type Spec, specFrom } from "../domain/spec.ts";
import type { Task } from "../domain/task.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { AppDependencies } from "./deps.ts";
import { present, stageText } from "./text.ts";

/** A person's acts on a task. Each is one command; the domain says whether it may be. */
export const answers = (deps: AppDependencies) => ({
  ready: (by: Actor, id: string) => deps.log.give(id, { type: "ready", by }),

  /** Binds to what was shown: the plan's hash (which names the spec's), and in interactive mode the work item. */
  async approve(
    by: Actor,
    id: string,
    hashes: {
      readonly plan: string;
      readonly spec: string | null;
      readonly item: string | null;
      readonly reason: string | null;
    },
  ): Promise<Loaded> {
    const { task } = await deps.log.load(id);
    const reason = await stageText(deps, hashes.reason);
    return deps.log.give(
      id,
      {
        type: "approve",
        by,
        item: hashes.item,
        plan: hashes.plan,
        spec: hashes.spec ?? task.spec?.hash ?? "",
        reason: reason?.ref ?? null,
      },
      { blobs: present([reason]) },
    );
  },

  async requestChanges(by: Actor, id: string, request: string): Promise<Loaded> {
    const blob = await stageText(deps, request);
    if (blob === null) throw new Failure("input/invalid", "a request for changes needs words");
    return deps.log.give(id, { type: "request_changes", by, request: blob.ref }, { blobs: [blob] });
  },

  reject: (by: Actor, id: string, reason: string | null) =>
    withReason(deps, id, reason, (blob) => ({ type: "reject", by, reason: blob })),
  pause: (by: Actor, id: string, reason: string | null) =>
    withReason(deps, id, reason, (blob) => ({ type: "pause", by, reason: blob })),
  cancel: (by: Actor, id: string, reason: string | null) =>
    withReason(deps, id, reason, (blob) => ({ type: "cancel", by, reason: blob })),

  async resume(
    by: Actor,
    id: string,
    outcome: "done" | "redo" | "abort" | null,
    reason: string | null,
  ): Promise<Loaded> {
    const { task } = await deps.log.load(id);
    const restart = await startsOver(deps, task);
    return withReason(deps, id, reason, (blob) => ({ type: "resume", by, outcome, reason: blob, restart }));
  },

  async retry(by: Actor, id: string): Promise<Loaded> {
    const { task } = await deps.log.load(id);
    return deps.log.give(id, { type: "retry", by, restart: await startsOver(deps, task) });
  },

  async accept(by: Actor, id: string, reason: string): Promise<Loaded> {
    const blob = await stageText(deps, reason);
    if (blob === null) throw new Failure("input/invalid", "accepting what is not proven needs a reason");
    const { task } = await deps.log.load(id);
    const gates = (await frozenSpec(deps, task))?.gates.map((gate) => gate.id) ?? [];
    return deps.log.give(id, { type: "accept", by, gates, reason: blob.ref }, { blobs: [blob] });
  },
});

type Reasoned = (
  reason: { readonly digest: string; readonly bytes: number } | null,
) => Parameters<AppDependencies["log"]["give"]>[1];

async function withReason(
  deps: AppDependencies,
  id: string,
  reason: string | null,
  command: Reasoned,
): Promise<Loaded> {
  const blob = await stageText(deps, reason);
  return deps.log.give(id, command(blob?.ref ?? null), { blobs: present([blob]) });
}

/** A script does the same from the start; another agent goes on with what is there. */
const startsOver = async (deps: AppDependencies, task: Task): Promise<boolean> =>
  (await frozenSpec(deps, task))?.agent.kind === "script";

async function frozenSpec(deps: AppDependencies, task: Task): Promise<Spec | null> {
  const stored = task.spec === null ? null : await deps.store.tasks.spec(task.id, task.spec.version);
  return stored === null ? null : specFrom(stored.text);
}
