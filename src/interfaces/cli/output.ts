import type { Problem } from "../../contract/problems.ts";
import { jsonText, line } from "./escape.ts";

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /**
   * What the command found out, for stdout: as lines, as ids with `--quiet`, as data with `--json`. Called again, it adds lines
   * and replaces data. Lines are escaped here.
   */
  result<T>(data: T, lines: (data: T) => readonly string[], ids?: (data: T) => readonly string[]): void;
  /** Talk, for stderr: progress, advice. Not with `--quiet`. */
  note(...lines: readonly string[]): void;
  /** Bytes as they are. Only for what a person asked to have as it is. */
  bytes(bytes: Uint8Array): void;
}

export interface Sinks {
  stdout(text: string | Uint8Array): void;
  stderr(text: string): void;
}

export interface Shape {
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Data on stdout, talk on stderr; with `--json` exactly one envelope on stdout, at the end. */
export function output({ stdout, stderr }: Sinks, { json, quiet }: Shape) {
  let data: unknown = null;
  const out: Output = {
    json,
    quiet,
    result(found, lines, ids) {
      data = found;
      if (json) return;
      const wanted = quiet ? (ids?.(found) ?? []) : lines(found);
      if (wanted.length > 0) stdout(`${wanted.map(lineOfColumns).join("\n")}\n`);
    },
    note(...lines) {
      if (!quiet && lines.length > 0) stderr(`${lines.map(lineOfColumns).join("\n")}\n`);
    },
    bytes(bytes) {
      if (!json) stdout(bytes);
    },
  };
  return {
    out,
    /** The end of a command that did what it was asked. */
    done(): void {
      if (json) stdout(`${jsonText({ agentos: 1, ok: true, data })}\n`);
    },
    /** The end of one that could not. What it found before stays in the envelope. */
    failed(problem: Problem): void {
      if (json) stdout(`${jsonText({ agentos: 1, ok: false, problem, ...(data !== null && { data }) })}\n`);
      else
        stderr(
          `${line(`agentos: ${problem.detail}`)}\n${problem.next === "" ? "" : `${line(`next: ${problem.next}`)}\n`}`,
        );
    },
  };
}

/** Tabs are left to logs and diffs; a line's fields were escaped where they came from. */
const lineOfColumns = (text: string): string => text.split("\t").map(line).join("\t");
