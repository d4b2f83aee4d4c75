import { resolve } from "node:path";
import type { ArtifactListView, ProjectOfPathView, TaskView } from "../../src/contract/views.ts";
import { offline } from "../../src/main/offline.ts";
import type { DemoDaemon } from "./daemon.ts";
import type { Place } from "./place.ts";
import { say } from "./say.ts";
import { waits, watch } from "./watch.ts";

/** Runs the gates of a person's repository as a task. Nothing in it is changed. Exit code 0 when they pass, 1 when not. */
export async function ownRepository(_place: Place, daemon: DemoDaemon, path: string): Promise<number> {
  // npm runs its scripts in the package's directory; the path was typed where the person stood.
  const repository = resolve(process.env["INIT_CWD"] ?? process.cwd(), path);
  say.chapter(`The gates of ${repository}`);
  await daemon.start();
  const { project } = await daemon.post<ProjectOfPathView>("/api/projects/of-path", { path: repository });
  const { id } = await daemon.post<TaskView>("/api/tasks", {
    title: "Run tests and generate report",
    project: project.name,
    run_mode: "autonomous",
    created_by: "demo",
  });
  await daemon.post(`/api/tasks/${id}/spec/freeze`);
  await daemon.post(`/api/tasks/${id}/ready`);
  const { task } = await watch(daemon, id, 0, waits);
  const { items } = await daemon.get<ArtifactListView>(`/api/tasks/${id}/artifacts`);
  if (items.some(({ name }) => name === "report.md")) {
    say.chapter("Report");
    const report = await (await fetch(`${daemon.url}/api/tasks/${id}/artifacts/report.md`)).text();
    for (const line of report.trim().split("\n")) say.line(line);
  }
  if (task.status !== "succeeded")
    say.bad(`the task is ${task.status}: ${task.waiting?.sentence ?? ""} ${task.waiting?.next ?? ""}`);
  await daemon.stop();
  const audit = await offline.auditVerify(daemon.home);
  say.chapter("Look around");
  say.line(`AGENTOS_HOME=${daemon.home} AGENTOS_PORT=8010 ./agentos task evidence ${id}`);
  say.faint(`${audit.events} events, ${audit.findings.length} findings of the audit; your repository is as it was`);
  return task.status === "succeeded" && audit.findings.length === 0 ? 0 : 1;
}
