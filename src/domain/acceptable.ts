import { findingText } from "./finding.ts";
import type { TaskOutline } from "./task.ts";

/** Why a person can not take this work on record although it is not proven; null: they can, where the task stands still. */
export function unacceptable(task: TaskOutline): string | null {
  if (task.candidate === null || task.openStep !== null) return "there is no candidate to accept";
  const outside = Object.values(task.candidate).flatMap(({ leftOut }) => leftOut);
  if (outside.length > 0) return `the candidate does not hold to the spec: ${outside[0]}`;
  if (!lookedThrough(task))
    return `what it changes was not looked through yet, which is done once it is ${task.status === "failed" ? "retried" : "resumed"}`;
  const never = task.findings.find(({ policy }) => policy === "blocks");
  return never === undefined ? null : `nobody can let this pass: ${findingText(never)}`;
}

/**
 * Whether all that blocks is known of the candidate. A look that finds nothing is no event; that it was made is known by what only stands
 * behind it, the end of the attempt by its gates or findings. A candidate that was put down earlier may hold anything.
 */
function lookedThrough(task: TaskOutline): boolean {
  if (task.findings.length > 0) return true;
  if (Object.values(task.candidate ?? {}).every(({ tree, baseTree }) => tree === baseTree)) return true;
  switch (task.status) {
    case "failed":
      return task.exitReason === "gates_failed";
    case "blocked":
      return task.reason === "gates_exhausted" || task.reason === "findings";
    default:
      return false;
  }
}
