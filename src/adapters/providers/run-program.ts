import { execFile } from "node:child_process";

export interface Ran {
  /** Null: it did not end by itself, or never began. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  /** The last line it said anywhere, for people. */
  readonly last: string;
}

const OUTPUT_BYTES_MAX = 1024 ** 2;
const LAST_CHARACTERS_MAX = 300;

/** Runs a provider's own command to its end. Never rejects: how it ended is the answer. */
export function runProgram(
  [program = "", ...rest]: readonly string[],
  timeoutMs: number,
  environment: Readonly<Record<string, string>>,
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      program,
      rest,
      {
        timeout: timeoutMs,
        maxBuffer: OUTPUT_BYTES_MAX,
        encoding: "utf8",
        windowsHide: true,
        env: environment,
      },
      (error, stdout, stderr) => {
        const lines = `${stdout}\n${stderr}`.split(/[\r\n]+/).filter((line) => line.trim() !== "");
        resolve({
          exitCode: error === null ? 0 : typeof error.code === "number" ? error.code : null,
          signal: error?.signal ?? null,
          stdout,
          last: (lines.at(-1) ?? (error === null ? "" : error.message)).slice(0, LAST_CHARACTERS_MAX),
        });
      },
    );
  });
}
