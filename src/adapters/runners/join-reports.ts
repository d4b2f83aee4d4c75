import type { ReportFormat } from "../../domain/gate.ts";

/** Several files of a format as one report of it. Only JUnit comes in several: each becomes a suite of one document. */
export function joinReports(format: ReportFormat, reports: readonly Uint8Array[]): Uint8Array {
  const texts = reports.map((report) => new TextDecoder().decode(report));
  const joined =
    format === "junit"
      ? `<testsuites>\n${texts.map((text) => text.replace(/^\uFEFF?\s*(?:<\?xml[^>]*\?>)?\s*/, "")).join("\n")}\n</testsuites>\n`
      : texts.join("\n");
  return new TextEncoder().encode(joined);
}
