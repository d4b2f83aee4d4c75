/** What the checker can find. Each finding names the check, the place and what is wrong there. */
export const CHECKS = [
  "chain",
  "order",
  "acknowledged",
  "once per key",
  "step begun after its end",
  "runs of a step",
  "outside",
  "witness",
  "replay",
  "content",
  "tree",
  "file",
  "commit",
  "command",
  "layer",
  "tests",
  "turn",
  "proof",
  "repository",
  "all or none",
  "orphan",
  "waiting",
] as const;

export interface Finding {
  readonly check: (typeof CHECKS)[number];
  readonly where: string;
  readonly problem: string;
}

export interface Report {
  readonly findings: readonly Finding[];
  found(check: Finding["check"], where: string, problem: string): void;
  /** How much was looked at, by what it was. */
  readonly counts: Readonly<Record<string, number>>;
  counted(what: string, by?: number): void;
}

export function newReport(): Report {
  const findings: Finding[] = [];
  const counts: Record<string, number> = {};
  return {
    findings,
    found: (check, where, problem) => {
      findings.push({ check, where, problem });
    },
    counts,
    counted: (what, by = 1) => {
      counts[what] = (counts[what] ?? 0) + by;
    },
  };
}

export const sentences = (findings: readonly Finding[]): string[] =>
  findings.map(({ check, where, problem }) => `${check}: ${where}: ${problem}`);
