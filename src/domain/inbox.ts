import { unacceptable } from "./acceptable.ts";
import type { TaskOutline } from "./task.ts";

/** What a person can be needed for. `blocked`: something outside stands in the way, and its reason says what. */
export const INBOX_KINDS = [
  "plan",
  "work_item",
  "permission",
  "question",
  "outcome_unknown",
  "gates_failed",
  "budget",
  "blocked",
  "delivery",
  "note",
] as const;
export type InboxKind = (typeof INBOX_KINDS)[number];

export const INBOX_ANSWERS = [
  "approve",
  "request_changes",
  "reject",
  "allow",
  "deny",
  "text",
  "outcome",
  "accept",
  "more",
  "retry",
  "leave",
] as const;
export type InboxAnswer = (typeof INBOX_ANSWERS)[number];

/** What each kind may be answered with; whether it really may be at this moment is decided by the command it comes to. */
export const ANSWERS_TO = {
  plan: ["approve", "request_changes", "reject"],
  work_item: ["approve", "request_changes", "reject"],
  permission: ["allow", "deny"],
  question: ["text"],
  outcome_unknown: ["outcome"],
  gates_failed: ["retry", "accept"],
  budget: ["more"],
  blocked: ["retry"],
  delivery: ["retry", "leave"],
  note: ["approve", "reject"],
} as const satisfies Record<InboxKind, readonly InboxAnswer[]>;

/** Of these, what this task takes. */
export const answersTo = (task: WaitingTask): readonly InboxAnswer[] =>
  ANSWERS_TO[inboxKind(task)].filter((answer) => answer !== "accept" || unacceptable(task) === null);

export type WaitingTask = Extract<TaskOutline, { readonly status: "awaiting_approval" | "blocked" | "succeeded" }>;

/** One that succeeded needs a person only where its delivery stands half-way. */
export const isWaiting = (task: TaskOutline): task is WaitingTask =>
  task.status === "awaiting_approval" ||
  task.status === "blocked" ||
  (task.status === "succeeded" && (task.openStep?.torn ?? null) !== null);

/** What a waiting task needs a person for. */
export function inboxKind(task: WaitingTask): InboxKind {
  if (task.status === "succeeded") return "delivery";
  if (task.status === "awaiting_approval") return task.proposal.kind;
  if (task.asked !== null) return task.asked.matter.kind;
  switch (task.reason) {
    case "outcome_unknown":
      return "outcome_unknown";
    case "gates_exhausted":
    case "findings":
      return "gates_failed";
    case "budget_exhausted":
      return "budget";
    default:
      return "blocked";
  }
}
