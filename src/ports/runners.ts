import type { GateDefinition, PrepareDefinition, ReportFormat } from "../domain/gate.ts";
import type { TestCounts } from "../domain/test-counts.ts";

/** Read access to one commit of one repository. */
export interface RepoFiles {
  text(path: string): Promise<string | null>;
  paths(prefix?: string, most?: number): Promise<readonly string[]>;
}

/** What a repository offers, before digests are pinned (`sha256` null, `program` null in what is returned). */
export interface Detected {
  /** Names of the ecosystems that were recognised, e.g. "npm", "go". */
  readonly ecosystems: readonly string[];
  readonly gates: readonly GateDefinition[];
  readonly prepare: readonly PrepareDefinition[];
  /** Plain sentences: what was looked for and not found, e.g. "package.json has no test script". */
  readonly notes: readonly string[];
}

/**
 * Where a runner's report is found. `file`: in the report directory, by name. `checkout`: files that the runner can write nowhere else, all
 * whose path in the checkout matches (source of a regular expression, whole path).
 */
export type ReportPlace =
  | { readonly from: "file"; readonly name: string }
  | { readonly from: "stdout" }
  | { readonly from: "stderr" }
  | { readonly from: "checkout"; readonly pattern: string };

/** How to run a gate so that its report can be had, outside the checkout wherever the runner lets us. */
export interface Instrumented {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly report: ReportPlace;
}

/** Contract: knows ecosystems and their reports; runs nothing and reads nothing but what it is given. */
export interface Runners {
  detect(repo: string, files: RepoFiles): Promise<Detected>;
  /** `reportDirectory` is the path inside the sandbox. */
  instrument(gate: GateDefinition, reportDirectory: string): Instrumented;
  /** One report made of several files of a format, in the given order. */
  join(format: ReportFormat, reports: readonly Uint8Array[]): Uint8Array;
  /** Counts in a report; null when it is no such report. Tests that never ran count nowhere but in skipped or todo. */
  read(format: ReportFormat, report: Uint8Array): TestCounts | null;
}
