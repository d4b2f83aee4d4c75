import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { draftFrom } from "../../src/contract/from-wire.ts";
import { SpecInput } from "../../src/contract/inputs.ts";
import type { Actor } from "../../src/domain/actor.ts";
import type { Recorded, TaskEvent, TaskEventBodies, TaskEventType } from "../../src/domain/event.ts";
import type { Project } from "../../src/domain/project.ts";
import type { Retention } from "../../src/domain/retention.ts";
import { sentence } from "../../src/domain/sentence.ts";
import { taskStream } from "../../src/domain/stream.ts";
import type { Status, Task } from "../../src/domain/task.ts";
import { assemble, type System, type SystemOptions } from "../../src/main/system.ts";
import { beginRepository, commitAll, putFiles } from "../support/begin-repository.ts";

/** What the task tests stand on: the whole system in this process, over real git, real SQLite and the real sandbox. */

export const ADA: Actor = { kind: "person", name: "ada" };
const WAIT_MS = 50_000;
const EVENTS_MOST = 10_000;

const place = mkdtempSync(`${realpathSync(tmpdir())}/agentos-tasks-`);
execFileSync("chmod", ["0755", place]);
const rigs: Rig[] = [];
afterAll(async () => {
  for (const rig of rigs) await rig.stop();
  execFileSync("chmod", ["-R", "u+rwx", place], { stdio: "ignore" });
  rmSync(place, { recursive: true, force: true });
});

let count = 0;
function nextNumber(): number {
  count += 1;
  return count;
}

/** A directory of this test's own. */
export function room(): string {
  const path = join(place, String(nextNumber()));
  mkdirSync(path);
  return path;
}

/** Plain git as a person runs it, with neutral settings. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, {
    cwd,
    encoding: "utf8",
    env: personsEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

export const put = putFiles;

/** A small repository; without files of its own it holds one. */
export function repository(
  files: Readonly<Record<string, string>> = { "a.txt": "one\n" },
  at = join(room(), "app"),
): string {
  mkdirSync(at, { recursive: true });
  beginRepository(at);
  put(at, files);
  commit(at, "first");
  return at;
}

export const commit = (repo: string, message: string): string => commitAll(repo, message, personsEnvironment());

const personsEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: "/nonexistent",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
});

/** All of a person's repository that nobody but them may change: every file outside our refs and objects, and every ref. */
export function fingerprint(repo: string): string {
  const names = execFileSync("find", [".", "-type", "f", "-o", "-type", "l"], { cwd: repo, encoding: "utf8" })
    .split("\n")
    .filter((path) => path !== "" && !/^\.\/\.git\/(objects|refs\/agentos|logs\/refs\/agentos)\//.test(path))
    .sort();
  const hash = createHash("sha256");
  for (const name of names) {
    const path = join(repo, name);
    const link = lstatSync(path).isSymbolicLink();
    hash.update(`${name}\0${lstatSync(path).mode}\0`).update(link ? readlinkSync(path) : readFileSync(path));
  }
  return `${hash.digest("hex")}\n${refsOf(repo)}\n${git(repo, "status", "--porcelain")}`;
}

/** What no task leaves by itself: waiting longer for another status would be in vain. */
const STAYS: ReadonlySet<Status> = new Set<Status>([
  "draft",
  "awaiting_approval",
  "blocked",
  "succeeded",
  "failed",
  "canceled",
]);

/** Every ref but ours, with what it names. */
const refsOf = (repo: string): string =>
  git(repo, "for-each-ref")
    .split("\n")
    .filter((line) => !line.includes("\trefs/agentos/"))
    .join("\n");

export interface Rig {
  readonly home: string;
  readonly system: System;
  /** What was told of trouble nobody awaits. A task test ends with none. */
  readonly warnings: readonly string[];
  project(...repos: readonly string[]): Promise<Project>;
  /** A project of one repository, whose commands are looked up on a PATH of their own. */
  projectWith(repo: { readonly path: string; readonly toolPath?: readonly string[] }): Promise<Project>;
  /** All that happened to a task, and every warning, in words. */
  told(id: string): Promise<string>;
  /** A task that is bound and frozen. The spec is as a person writes it. */
  frozen(project: Project, spec: Record<string, unknown>): Promise<string>;
  /** Frozen and in the queue. */
  queued(project: Project, spec: Record<string, unknown>): Promise<string>;
  /** Queued, planned, and the plan approved. */
  approved(project: Project, spec: Record<string, unknown>): Promise<string>;
  task(id: string): Promise<Task>;
  approve(id: string): Promise<void>;
  /** The task as soon as it stands in one of these statuses; says what happened when it does not come to that. */
  until<S extends Status>(id: string, ...statuses: readonly S[]): Promise<Extract<Task, { readonly status: S }>>;
  /** Resolves with the first event of that type after `afterSeq` (default: of all). */
  happened<T extends TaskEventType>(id: string, type: T, afterSeq?: number): Promise<TaskEventBodies[T]>;
  events(id: string): Promise<readonly Recorded<TaskEvent>[]>;
  bodies<T extends TaskEventType>(id: string, type: T): Promise<readonly TaskEventBodies[T][]>;
  text(ref: { readonly digest: string; readonly bytes: number } | null): Promise<string>;
  stop(): Promise<void>;
}

export const TOOL_PATH = [dirname(realpathSync(process.execPath)), "/usr/local/bin", "/usr/bin", "/bin"];

export async function startRig(
  adapters: NonNullable<SystemOptions["adapters"]> = {},
  {
    home = join(room(), "home"),
    tasksMax = 4,
    toolPath = TOOL_PATH,
    waitMs = WAIT_MS,
    retention = { succeededDays: 14, failedDays: 60, canceledDays: 14, layersDays: 30 },
  }: {
    readonly home?: string;
    readonly tasksMax?: number;
    readonly toolPath?: readonly string[];
    /** How long a status or an event is waited for. */
    readonly waitMs?: number;
    readonly retention?: Retention;
  } = {},
): Promise<Rig> {
  if (!existsSync(home)) mkdirSync(home, { mode: 0o700 });
  const warnings: string[] = [];
  const system = await assemble({
    home,
    toolPath,
    tasksMax,
    retention,
    warn: (told, error) =>
      warnings.push(`${told}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    onFatal: (error) => warnings.push(`fatal: ${String(error)}`),
    adapters,
  });
  await system.start();
  const rig = rigOver(system, home, warnings, waitMs);
  rigs.push(rig);
  return rig;
}

const isIn = <S extends Status>(task: Task, statuses: readonly S[]): task is Extract<Task, { readonly status: S }> =>
  (statuses as readonly Status[]).includes(task.status);

/** The same over a system that someone else started. */
export function rigOver(system: System, home: string, warnings: readonly string[], waitMs: number = WAIT_MS): Rig {
  const { cases, store } = system;
  let stopped: Promise<void> | null = null;

  const events = async (id: string) =>
    (await store.read(taskStream(id), 0, EVENTS_MOST)) as readonly Recorded<TaskEvent>[];
  const task = async (id: string): Promise<Task> => (await cases.look.task(id)).task;

  const told = async (id: string): Promise<string> =>
    [...(await events(id)).map(({ event }) => sentence(event)), ...warnings].join("\n");

  /** Looks again at every event of the task until `found` gives something. */
  const watch = <T>(id: string, what: string, found: () => Promise<T | null>): Promise<T> =>
    new Promise((resolve, reject) => {
      let unsubscribe = (): void => {};
      const end = (then: () => void): void => {
        clearTimeout(timer);
        unsubscribe();
        then();
      };
      const timer = setTimeout(() => {
        void told(id).then((all) => end(() => reject(new Error(`task ${id} did not come to ${what}:\n${all}`))));
      }, waitMs);
      const look = (): void => {
        found().then(
          (value) => {
            if (value !== null) end(() => resolve(value));
          },
          (error: unknown) => end(() => reject(error)),
        );
      };
      unsubscribe = store.onAppended(({ stream }) => {
        if (stream === taskStream(id)) look();
      });
      look();
    });

  const projectOf = (repos: readonly { readonly path: string; readonly toolPath?: readonly string[] }[]) =>
    cases.createProject(ADA, {
      name: `p${nextNumber()}`,
      settings: { agent: null, runMode: null, packageHosts: [], tasksMax: null },
      repos: repos.map(({ path, toolPath = null }) => ({
        path,
        name: null,
        role: "code",
        writable: true,
        pathFilters: [],
        toolPath,
      })),
    });

  const rig: Rig = {
    home,
    system,
    warnings,
    project: (...paths) => projectOf(paths.map((path) => ({ path }))),
    projectWith: (repo) => projectOf([repo]),
    told,
    async frozen(project, spec) {
      const draft = draftFrom(SpecInput.parse({ title: "A task", ...spec }));
      const { task: made } = await cases.createTask(ADA, {
        id: null,
        draft,
        createdBy: "ada",
        session: null,
        metadata: null,
        priority: null,
        project: project.id,
        dependencies: [],
      });
      await cases.freezeTask(ADA, made.id);
      return made.id;
    },
    async queued(project, spec) {
      const id = await rig.frozen(project, spec);
      await cases.answer.ready(ADA, id);
      return id;
    },
    async approved(project, spec) {
      const id = await rig.queued(project, spec);
      await rig.until(id, "awaiting_approval");
      await rig.approve(id);
      return id;
    },
    task,
    async approve(id) {
      const now = await task(id);
      const item = now.status === "awaiting_approval" && now.proposal.kind === "work_item" ? now.proposal.item : null;
      await cases.answer.approve(ADA, id, { plan: now.plan?.hash ?? "", spec: null, item, reason: null });
    },
    until: (id, ...statuses) =>
      watch(id, statuses.join(" or "), async () => {
        const now = await task(id);
        if (isIn(now, statuses)) return now;
        if (STAYS.has(now.status))
          throw new Error(`task ${id} is ${now.status}, not ${statuses.join(" or ")}:\n${await told(id)}`);
        return null;
      }),
    happened: <T extends TaskEventType>(id: string, type: T, afterSeq = 0) =>
      watch(id, type, async () => {
        const one = (await events(id)).find(({ seq, event }) => seq > afterSeq && event.type === type);
        return one === undefined ? null : (one.event.body as TaskEventBodies[T]);
      }),
    events,
    async bodies<T extends TaskEventType>(id: string, type: T) {
      return (await events(id)).flatMap(({ event }) => (event.type === type ? [event.body as TaskEventBodies[T]] : []));
    },
    async text(ref) {
      const bytes = ref === null ? null : await store.get(ref);
      return bytes === null ? "" : new TextDecoder().decode(bytes);
    },
    stop: () => (stopped ??= system.stop()),
  };
  return rig;
}

/** A plan file with one work item. */
export const plan = (...acts: readonly (string | Record<string, unknown>)[]) => planIn(undefined, ...acts);

/** The same, in one of several repos. */
export const planIn = (repo: string | undefined, ...acts: readonly (string | Record<string, unknown>)[]) => ({
  agent: "script",
  plan: {
    items: [
      {
        id: "work",
        title: "Do it",
        ...(repo !== undefined && { repo }),
        do: acts.map((act) => (typeof act === "string" ? { run: act } : act)),
      },
    ],
  },
});

/** A gate of one's own that passes when the command does. */
export const gate = (run: string, id = "check") => ({ id, run });
