import { mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { draftFrom } from "../src/contract/from-wire.ts";
import { SpecInput } from "../src/contract/inputs.ts";
import type { Recorded, TaskEvent } from "../src/domain/event.ts";
import type { Project } from "../src/domain/project.ts";
import { taskStream } from "../src/domain/stream.ts";
import { assemble, type System, type SystemOptions } from "../src/main/system.ts";
import type { Place } from "./place.ts";

const ADA = { kind: "person", name: "ada" } as const;

/** The whole system in this process: production engine, journal, store, git and sandbox. */
export interface Rig {
  readonly home: string;
  readonly system: System;
  project(repository: string): Promise<Project>;
  /** A task that needs nobody's yes, in the queue; its id. The spec is as a person writes it. */
  queued(project: Project, spec: Record<string, unknown>): Promise<string>;
  /** The first event of the task for which `found` gives something. */
  event<T>(id: string, found: (recorded: Recorded<TaskEvent>) => T | null): Promise<T>;
}

export async function startRig(
  place: Place,
  { tasksMax = 4, adapters = {} }: { tasksMax?: number; adapters?: NonNullable<SystemOptions["adapters"]> } = {},
): Promise<Rig> {
  const home = join(place.directory("home"), "data");
  mkdirSync(home, { mode: 0o700 });
  const trouble = (sentence: string, error: unknown): void => {
    process.stderr.write(`bench: ${sentence}: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
  };
  const system = await assemble({
    home,
    toolPath: [dirname(realpathSync(process.execPath)), "/usr/local/bin", "/usr/bin", "/bin"],
    tasksMax,
    retention: { succeededDays: 14, failedDays: 60, canceledDays: 14, layersDays: 30 },
    warn: trouble,
    onFatal: (error) => trouble("the store is broken", error),
    adapters,
  });
  await system.start();
  const { cases, store } = system;
  // A task that stops where nobody expects it would be waited for without end.
  store.onAppended(({ stream, recorded: { event } }) => {
    if (event.type === "BLOCKED" || event.type === "FAILED") trouble(`${stream} stopped`, JSON.stringify(event.body));
  });
  return {
    home,
    system,
    project: (path) =>
      cases.createProject(ADA, {
        name: "bench",
        settings: { agent: null, runMode: null, packageHosts: [], tasksMax: null },
        repos: [{ path, name: null, role: "code", writable: true, pathFilters: [], toolPath: null }],
      }),
    async queued(project, spec) {
      const draft = draftFrom(
        SpecInput.parse({ title: "A task", run_mode: "autonomous", gates: [{ id: "check", run: "true" }], ...spec }),
      );
      const { task } = await cases.createTask(ADA, {
        id: null,
        draft,
        createdBy: "ada",
        session: null,
        metadata: null,
        priority: null,
        project: project.id,
        dependencies: [],
      });
      await cases.freezeTask(ADA, task.id);
      await cases.answer.ready(ADA, task.id);
      return task.id;
    },
    event: (id, found) =>
      new Promise((resolve, reject) => {
        let unsubscribe = (): void => {};
        const look = async (): Promise<void> => {
          for (const recorded of await store.read(taskStream(id), 0, 10_000)) {
            const value = found(recorded as Recorded<TaskEvent>);
            if (value !== null) {
              unsubscribe();
              resolve(value);
              return;
            }
            if (["BLOCKED", "FAILED", "CANCELED"].includes(recorded.event.type))
              reject(new Error(`task ${id} ended otherwise: ${JSON.stringify(recorded.event)}`));
          }
        };
        unsubscribe = store.onAppended(({ stream }) => {
          if (stream === taskStream(id)) look().catch(reject);
        });
        look().catch(reject);
      }),
  };
}
