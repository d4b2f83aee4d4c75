import { moment } from "./columns.ts";
import type { RunningDaemon } from "./daemon-process.ts";
import { field } from "./escape.ts";

export function daemonLines({ url, pid, health }: RunningDaemon): readonly string[] {
  const tasks = Object.entries(health.tasks).filter(([, n]) => n > 0);
  return [
    `URL: ${field(url)}`,
    `PID: ${pid}`,
    `Data: ${field(health.home)}`,
    `Version: ${field(health.version)}, since ${moment(health.started_at)}`,
    `Sandbox: ${health.sandbox === null ? `none: ${field(health.sandbox_problem ?? "")}` : field(health.sandbox)}`,
    ...(health.paused === null
      ? []
      : [
          `Paused: since ${moment(health.paused.since)} by ${field(health.paused.by)}${health.paused.reason === null ? "" : ` (${field(health.paused.reason)})`}; no task is taken up until agentos daemon resume`,
        ]),
    `Tasks: ${tasks.length === 0 ? "none" : tasks.map(([status, n]) => `${n} ${status}`).join(", ")}; ${health.working} being worked on`,
    `Inbox: ${health.inbox === 0 ? "empty" : `${health.inbox} waiting for you (agentos inbox)`}`,
  ];
}
