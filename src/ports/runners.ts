import type { GateDefinition, PrepareDefinition, ReportFormat } from "../domain/gate.ts";
import type { TestCounts } from "../domain/test-counts.ts";

/** Read access to one commit of one repository. */
export interface RepoFiles {
  text(path: string): Promise<string | null>;
  paths(prefix?: string, most?: number): Promise<readonly string[]>;
}

/** What a repository offers, before digests are pinned (`sha256` null, `program` null in what is returned). */
export interface Detected {
  readonly ecosystem: string | null;
  readonly gates: readonly GateDefinition[];
  readonly prepare: PrepareDefinition | null;
  /** Plain sentences: what was looked for and not found, e.g. "package.json has no test script". */
  readonly notes: readonly string[];
}

/** How to run a gate so that its report lands outside the checkout. */
export interface Instrumented {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** File name the report will have in the report directory, null when the report is the standard output. */
  readonly reportFile: string | null;
}

/** Contract: knows ecosystems and their reports; runs nothing and reads nothing but what it is given. */
export interface Runners {
  detect(repo: string, files: RepoFiles): Promise<Detected>;
  /** `reportDirectory` is the path inside the sandbox. */
  instrument(gate: GateDefinition, reportDirectory: string): Instrumented;
  /** Counts in a report; null when it is no such report. Tests that never ran count nowhere but in skipped or todo. */
  read(format: ReportFormat, report: Uint8Array): TestCounts | null;
}
