import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import { CHECKOUT } from "./place.ts";

/** What the figures were measured on: they say little without it. */
export interface Machine {
  readonly at: string;
  /** With `+` when files of the checkout differ from it. */
  readonly commit: string;
  readonly machine: string;
  readonly node: string;
  /** Load average of the last minute before: figures of a busy machine are the machine's. */
  readonly load: number;
}

export function machine(): Machine {
  const [first] = cpus();
  return {
    at: new Date().toISOString(),
    commit: `${gitSays("rev-parse", "--short=12", "HEAD")}${gitSays("status", "--porcelain") === "" ? "" : "+"}`,
    machine: `${cpus().length} × ${first?.model.trim() ?? "?"}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Linux ${release()}`,
    node: process.versions.node,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

function gitSays(...words: string[]): string {
  try {
    return execFileSync("git", ["-C", CHECKOUT, ...words], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown"; // no repository: a copy without its history
  }
}
