import type { PlanView, TaskView } from "../../contract/views.ts";
import { trouble } from "../client/trouble.ts";
import { short } from "./columns.ts";
import type { Context } from "./context.ts";
import { field } from "./escape.ts";
import { planLines } from "./plan-text.ts";

export interface Yes {
  /** The hash a person has seen, or its beginning; null when they were not asked for it. */
  readonly hash: string | null;
  /** Said in advance. */
  readonly yes: boolean;
  readonly reason: string | null;
}

const HASH_CHARACTERS_LEAST = 8;

/**
 * A person's yes to what a task proposes, bound to the hashes of what they saw. On a terminal they see it and are asked;
 * elsewhere they must have named the hash or said yes in advance. Null: they said no to the question, and nothing was changed.
 */
export async function approveProposal(
  context: Context,
  task: TaskView,
  { hash, yes, reason }: Yes,
): Promise<TaskView | null> {
  const { api, out, prompt } = context;
  if (task.status !== "awaiting_approval") throw refused(task);
  const plan = await api.plan(task.id);
  if (hash !== null && (hash.length < HASH_CHARACTERS_LEAST || !plan.hash.startsWith(hash.toLowerCase())))
    throw trouble("task/changed", `task ${task.id} proposes plan ${plan.hash}, not ${hash}`, {
      next: `Look at it again: agentos task plan ${task.id}`,
      facts: { plan: plan.hash },
    });
  if (!yes && hash === null) {
    if (prompt === null) throw unasked(task, plan);
    out.note(...proposalLines(task, plan));
    if (!(await prompt.confirm(question(task, plan)))) {
      out.note(
        `nothing was changed; the task still waits. To ask for another plan: agentos task request-changes ${task.id} "…"; to end it: agentos task reject ${task.id}`,
      );
      return null;
    }
  }
  return api.approveTask(task.id, {
    plan: plan.hash,
    ...(task.proposal?.item != null && { item: task.proposal.item }),
    ...(task.spec !== null && { spec: task.spec.hash }),
    ...(reason !== null && { reason }),
  });
}

const proposalLines = (task: TaskView, plan: PlanView): readonly string[] => [
  `Task ${task.id}: ${field(task.title)}`,
  ...planLines(plan),
  ...(task.waiting === null ? [] : [field(task.waiting.sentence)]),
];

const question = (task: TaskView, plan: PlanView): string =>
  task.waiting?.reason === "work_item" ? "Approve this work item?" : `Approve plan ${short(plan.hash)}?`;

const refused = (task: TaskView) =>
  trouble("task/refused", `task ${task.id} is ${task.status} and proposes nothing to approve`, {
    next: task.waiting?.next ?? `agentos task show ${task.id}`,
    facts: { status: task.status, allowed: task.allowed },
  });

const unasked = (task: TaskView, plan: PlanView) =>
  trouble("task/refused", `task ${task.id} awaits approval of plan ${plan.hash}, and there is no terminal to ask on`, {
    next: `Look at it (agentos task plan ${task.id}), then: agentos task approve ${task.id} --plan ${plan.hash}`,
    facts: { status: task.status, allowed: task.allowed, plan: plan.hash },
  });
