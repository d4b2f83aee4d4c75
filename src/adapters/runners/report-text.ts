/** A larger report is not read: it could only be made so by something that wants to be in the way. Bytes. */
export const REPORT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The text of a report, null when it is too large or empty. Bytes that are no UTF-8 become replacement characters:
 * what tests print is not ours to refuse, and counts hang on structure, which is ASCII.
 */
export function reportText(report: Uint8Array): string | null {
  if (report.length === 0 || report.length > REPORT_BYTES_MAX) return null;
  return new TextDecoder("utf-8").decode(report);
}
