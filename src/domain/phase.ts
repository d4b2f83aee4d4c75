export const PHASES = ["intent", "planning", "implementation", "verification"] as const;
export type Phase = (typeof PHASES)[number];
