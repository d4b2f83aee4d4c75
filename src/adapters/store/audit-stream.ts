import type { AuditFinding } from "../../ports/store.ts";

/** Stands where a finding's stream would, when it is about the database as a whole. */
export const DATABASE = "agentos.db";

export type Found = (finding: AuditFinding) => void;
