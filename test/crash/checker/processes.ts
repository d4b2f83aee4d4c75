import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Database } from "./journal.ts";
import type { Report } from "./report.ts";

/** Processes that belong to this directory by what they were started with, where they are, or what their environment says. */
export function processesOf(directory: string): readonly { readonly pid: number; readonly command: string }[] {
  const mine: { pid: number; command: string }[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const command = text(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim();
    if (state(name) === "Z") continue;
    if ([command, text(`/proc/${name}/environ`), link(`/proc/${name}/cwd`)].some((one) => one.includes(directory)))
      mine.push({ pid: Number(name), command });
  }
  return mine;
}

export function checkProcesses(directory: string, database: Database, { found }: Report): void {
  for (const { pid, command } of processesOf(directory))
    found("orphan", `process ${pid}`, `still runs: ${command.slice(0, 200)}`);
  for (const row of database.rows("SELECT task, step, pid, start_ticks FROM processes"))
    if (startTicks(String(row["pid"])) === Number(row["start_ticks"]))
      found("orphan", `process ${row["pid"]}`, `a sandbox of ${row["step"]} of task ${row["task"]} still runs`);
  for (const row of database.rows(
    "SELECT leases.task FROM leases JOIN tasks ON tasks.id = leases.task WHERE tasks.status <> 'running'",
  ))
    found("orphan", `task/${row["task"]}`, "does not run and has a lease");
}

const fields = (pid: string): readonly string[] => {
  const stat = text(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};
const state = (pid: string): string => fields(pid)[0] ?? "";
const startTicks = (pid: string): number => Number(fields(pid)[19]);

function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // It ended meanwhile, or belongs to somebody else: then it is not ours.
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
