/** Why a task ended. Closed; set at every end, success included. */
export const EXIT_REASONS = {
  succeeded: ["done", "accepted_unproven"],
  failed: ["gates_failed", "plan_rejected", "dependency_failed", "bug"],
  canceled: ["canceled_by_person", "plan_rejected", "superseded"],
} as const;

export type SuccessReason = (typeof EXIT_REASONS.succeeded)[number];
export type FailReason = (typeof EXIT_REASONS.failed)[number];
export type CancelReason = (typeof EXIT_REASONS.canceled)[number];
export type ExitReason = SuccessReason | FailReason | CancelReason;
