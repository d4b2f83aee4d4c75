import type { ReportFormat } from "../../domain/gate.ts";
import type { ReportPlace } from "../../ports/runners.ts";

/** What is known of one test runner: how its report is had, and which files decide what it does. */
export const STDOUT: ReportPlace = { from: "stdout" };
export const inFile = (name: string): ReportPlace => ({ from: "file", name });

export interface TestRunner {
  /** As it stands in a gate's `runner`. */
  readonly name: string;
  readonly report: ReportFormat;
  readonly place: ReportPlace;
  /**
   * How the request for a report reaches the runner: by a variable, wherever in the script it runs; by arguments, which
   * npm appends to the script's last command only; or not at all, because its standard output is the report.
   */
  readonly reach: "environment" | "arguments" | "stdout";
  /** Paths that configure it, `package.json#/…` for an entry; whether they exist or not, they are part of the gate. */
  readonly configuration: readonly string[];
  arguments(reportPath: string): readonly string[];
  environment(reportPath: string): Readonly<Record<string, string>>;
}
