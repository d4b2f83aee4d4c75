import { readFileSync } from "node:fs";
import type { ProcessMark } from "../../ports/sandbox.ts";

/** This process, so that it can be told from a later one with the same pid. Field 22 of proc(5)'s stat; the name before it may hold spaces. */
export function ownProcess(): ProcessMark {
  // Elsewhere nothing is executed, and a start by the wall clock names no two processes of one pid.
  if (process.platform !== "linux")
    return {
      pid: process.pid,
      startTicks: Math.round(Date.now() / 1_000 - process.uptime()),
      bootId: process.platform,
    };
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    pid: process.pid,
    startTicks: Number(fields[19]),
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  };
}
