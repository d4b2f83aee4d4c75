import { field } from "./escape.ts";

/** Rows as text, each column as wide as its widest value; the last is left as it is. Values are escaped here. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const shown = rows.map((row) => row.map(field));
  const widths = shown.reduce<number[]>(
    (most, row) => row.map((value, at) => Math.max(most[at] ?? 0, [...value].length)),
    [],
  );
  return shown.map((row) =>
    row
      .map((value, at) => (at === row.length - 1 ? value : value + " ".repeat((widths[at] ?? 0) - [...value].length)))
      .join("  ")
      .trimEnd(),
  );
}

/** `3 files`, `1 file`. */
export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

export const short = (hash: string): string => hash.slice(0, 12);

/** `2026-11-22 12:03:04`, UTC, from ISO 8601. */
export const moment = (iso: string): string => iso.slice(0, 19).replace("T", " ");

/** As few names as can be taken in, and how many are not shown. */
export const some = (names: readonly string[], most: number): string =>
  `${names.slice(0, most).map(field).join(", ")}${names.length > most ? ` and ${names.length - most} more` : ""}`;

export function size(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}
