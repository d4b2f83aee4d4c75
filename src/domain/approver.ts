import type { Actor } from "./actor.ts";
import type { ProjectSettings } from "./event.ts";

/** Who may say yes for a project's tasks. */
export interface ApprovalRules {
  /** Whoever created a task may not approve what it proposes. */
  readonly approverNotCreator: boolean;
  /** A proposal that has waited longer takes no yes any more; null: it waits for as long as it takes. */
  readonly expiresMs: number | null;
  /** Names of those who were asked in advance to answer; none: everyone may. */
  readonly delegates: readonly string[];
}

export const NO_RULES: ApprovalRules = { approverNotCreator: false, expiresMs: null, delegates: [] };

export const rulesOf = (settings: ProjectSettings): ApprovalRules => settings.approvals ?? NO_RULES;

/** What an approval is judged by. `creator`: the authenticated actor of the task's first event, not the label it was created with. */
export interface Approving {
  readonly rules: ApprovalRules;
  readonly creator: Actor;
  readonly nowMs: number;
}

/** Why this person's yes does not count; null: it does. */
export function mayNotApprove(by: Actor, askedAtMs: number, { rules, creator, nowMs }: Approving): string | null {
  if (rules.approverNotCreator && by.kind === creator.kind && by.name === creator.name)
    return `${by.name} created it, and its project wants another person's yes`;
  if (rules.delegates.length > 0 && !rules.delegates.includes(by.name))
    return `${by.name} is not among those who answer for its project: ${rules.delegates.join(", ")}`;
  if (rules.expiresMs !== null && nowMs - askedAtMs > rules.expiresMs)
    return `it was asked ${Math.floor((nowMs - askedAtMs) / 60_000)} minutes ago, and its project lets a proposal wait for ${Math.floor(rules.expiresMs / 60_000)}; request changes to get a new one`;
  return null;
}
