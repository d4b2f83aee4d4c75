import { type Actor, SYSTEM } from "../domain/actor.ts";
import { type Approving, NO_RULES, rulesOf } from "../domain/approver.ts";
import type { Spent } from "../domain/budget.ts";
import { Failure } from "../domain/failure.ts";
import type { Command } from "../domain/lifecycle.ts";
import type { Word } from "../domain/matter.ts";
import type { Priority } from "../domain/priority.ts";
import { type RunMode, type Spec, specFrom } from "../domain/spec.ts";
import { taskStream } from "../domain/stream.ts";
import type { Task } from "../domain/task.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { AppDependencies } from "./deps.ts";
import { present, stageText } from "./text.ts";

/** What a person can say of one task or of many alike. */
export const VERBS = ["pause", "resume", "retry", "cancel", "accept"] as const;
export type Verb = (typeof VERBS)[number];

/** What goes with it; null where nothing was said. */
export interface Said {
  readonly reason: string | null;
  /** What became of a step whose outcome is unknown. */
  readonly outcome: "done" | "redo" | "abort" | null;
  /** Time that a resumed task gets beyond its limit. */
  readonly moreMs: number | null;
  /** What it may spend beyond its budgets. */
  readonly more: Partial<Spent>;
}

export const NOTHING_SAID: Said = { reason: null, outcome: null, moreMs: null, more: {} };

/** A person's word on what the task asks; `grant`: and on the like of it, where that can be said. */
export interface Settling {
  readonly decision: Word["decision"];
  readonly text: string | null;
  readonly grant: boolean;
  readonly expected: string | null;
}

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
    const spec = hashes.spec ?? task.spec?.hash ?? "";
    await noteForeignApproval(deps, by, task, hashes.plan, spec);
    return deps.log.give(
      id,
      {
        type: "approve",
        by,
        item: hashes.item,
        plan: hashes.plan,
        spec,
        reason: reason?.ref ?? null,
        approving: await approvingOf(deps, task),
      },
      { blobs: present([reason]) },
    );
  },

  async requestChanges(by: Actor, id: string, request: string): Promise<Loaded> {
    const blob = await stageText(deps, request);
    if (blob === null) throw new Failure("input/invalid", "a request for changes needs words");
    return deps.log.give(id, { type: "request_changes", by, request: blob.ref }, { blobs: [blob] });
  },

  async reject(by: Actor, id: string, reason: string | null): Promise<Loaded> {
    const blob = await stageText(deps, reason);
    return deps.log.give(id, { type: "reject", by, reason: blob?.ref ?? null }, { blobs: present([blob]) });
  },

  /** What the task asks. `expected`: the step whose matter was looked at; null: whatever it asks now. */
  async settle(by: Actor, id: string, { decision, text, grant, expected }: Settling): Promise<Loaded> {
    const { task } = await deps.log.load(id);
    const choices = task.asked?.matter.kind === "question" ? task.asked.matter.choices : [];
    if (decision === "answered" && choices.length > 0 && (text === null || !choices.includes(text)))
      throw new Failure("input/invalid", `the answer has to be one of ${choices.join(", ")}`);
    const blob = await stageText(deps, text);
    const matter = task.asked?.matter;
    const granted = grant && matter?.kind === "permission" ? matter.grant : null;
    if (grant && granted === null) throw new Failure("input/invalid", "there is no pattern that could be granted here");
    return deps.log.give(
      id,
      {
        type: "answer",
        by,
        step: expected ?? task.asked?.step ?? "",
        decision,
        text: blob?.ref ?? null,
        grant: granted,
        approving: await approvingOf(deps, task),
      },
      { blobs: present([blob]) },
    );
  },

  changeMode: (by: Actor, id: string, mode: RunMode) => deps.log.give(id, { type: "change_mode", by, mode }),

  prioritize: (by: Actor, id: string, priority: Priority) => deps.log.give(id, { type: "prioritize", by, priority }),

  pause: (by: Actor, id: string, reason: string | null) => say(deps, by, id, "pause", { ...NOTHING_SAID, reason }),
  cancel: (by: Actor, id: string, reason: string | null) => say(deps, by, id, "cancel", { ...NOTHING_SAID, reason }),
  resume: (
    by: Actor,
    id: string,
    outcome: Said["outcome"],
    reason: string | null,
    moreMs: number | null = null,
    more: Said["more"] = {},
  ) => say(deps, by, id, "resume", { outcome, reason, moreMs, more }),
  retry: (by: Actor, id: string) => say(deps, by, id, "retry", NOTHING_SAID),
  accept: (by: Actor, id: string, reason: string) => say(deps, by, id, "accept", { ...NOTHING_SAID, reason }),
});

/** Who may approve is its project's word; who created it is who stands as the actor of its first event. */
async function approvingOf(deps: AppDependencies, { id, project }: Task): Promise<Approving> {
  const [first] = await deps.store.read(taskStream(id), 0, 1);
  const found = project === null ? null : await deps.store.projects.project(project.id);
  return {
    rules: found === null ? NO_RULES : rulesOf(found.project.settings),
    creator: first?.actor ?? SYSTEM,
    nowMs: deps.clock.nowMs(),
  };
}

/**
 * A yes to something else than what waits is an old one, another task's, or forged. It is refused in any case; that it was tried is worth
 * remembering.
 */
async function noteForeignApproval(
  deps: AppDependencies,
  by: Actor,
  task: Task,
  plan: string,
  spec: string,
): Promise<void> {
  if (task.status !== "awaiting_approval" || (plan === task.plan?.hash && spec === task.spec?.hash)) return;
  const reason = `the approval names the plan ${plan} and the spec ${spec}; what waits is the plan ${task.plan?.hash ?? "none"} of the spec ${task.spec?.hash ?? "none"}`;
  const act = "approve a plan that does not wait";
  await deps.log.give(task.id, { type: "deny", by, act, rule: "approval/bound", reason, item: null });
}

/** One verb on one task. */
export async function say(deps: AppDependencies, by: Actor, id: string, verb: Verb, said: Said): Promise<Loaded> {
  const { task } = await deps.log.load(id);
  const { command, blobs } = await commandOf(deps, by, task, verb, said);
  return deps.log.give(id, command, { blobs });
}

/** The command that a verb comes to for this task, with the content it names. Changes nothing. */
export async function commandOf(
  deps: AppDependencies,
  by: Actor,
  task: Task,
  verb: Verb,
  { reason, outcome, moreMs, more }: Said,
): Promise<{ readonly command: Command; readonly blobs: readonly StagedBlob[] }> {
  const blob = await stageText(deps, reason);
  const blobs = present([blob]);
  const why = blob?.ref ?? null;
  switch (verb) {
    case "pause":
    case "cancel":
      return { command: { type: verb, by, reason: why }, blobs };
    case "resume": {
      const restart = await startsOver(deps, task);
      return { command: { type: "resume", by, outcome, reason: why, restart, moreMs, more }, blobs };
    }
    case "retry":
      return { command: { type: "retry", by, restart: await startsOver(deps, task) }, blobs: [] };
    case "accept": {
      if (why === null) throw new Failure("input/invalid", "accepting what is not proven needs a reason");
      const gates = (await frozenSpec(deps, task))?.gates.map((gate) => gate.id) ?? [];
      return { command: { type: "accept", by, gates, reason: why }, blobs };
    }
  }
}

/** A script does the same from the start; another agent goes on with what is there. */
const startsOver = async (deps: AppDependencies, task: Task): Promise<boolean> =>
  (await frozenSpec(deps, task))?.agent.kind === "script";

async function frozenSpec(deps: AppDependencies, task: Task): Promise<Spec | null> {
  const stored = task.spec === null ? null : await deps.store.tasks.spec(task.id, task.spec.version);
  return stored === null ? null : specFrom(stored.text);
}
