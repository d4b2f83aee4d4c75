import { execFileSync } from "node:child_process";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, watch, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Sandbox, SessionCommand } from "../../src/ports/sandbox.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Workspaces } from "../../src/ports/workspaces.ts";

/** Where this process is to die: at the n-th boundary after it was armed, or at the first (or `nth`) one whose name matches. */
export type DieAt = { readonly count: number } | { readonly name: string; readonly nth?: number };

export interface Boundaries {
  /** A point of the life, in order. At the wanted one this process ends here, by SIGKILL, and the call never returns. */
  cross(name: string): void;
  arm(where: DieAt | null): void;
}

/** @param said told before the process dies: it must have written it down durably when it returns */
export function boundaries(said: (name: string, count: number) => void): Boundaries {
  let where: DieAt | null = null;
  let count = 0;
  let matched = 0;
  return {
    arm(wanted) {
      where = wanted;
      count = 0;
      matched = 0;
    },
    cross(name) {
      if (where === null) return;
      count += 1;
      if ("name" in where && new RegExp(`^${where.name}`).test(name)) matched += 1;
      else if ("name" in where) return;
      if ("count" in where ? count !== where.count : matched !== (where.nth ?? 1)) return;
      said(name, count);
      process.kill(process.pid, "SIGKILL");
    },
  };
}

/** Appends a line and has it on the disk when it returns. */
export function writeDown(file: string, line: unknown): void {
  const fd = openSync(file, "a");
  try {
    writeSync(fd, `${JSON.stringify(line)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The store with a boundary before and after each append, and after each other thing it makes durable for the engine. */
export function countedStore(store: Store, { cross }: Boundaries): Store {
  const { operations } = store;
  return {
    ...store,
    async append(append) {
      const name = `${append.stream.split("/")[0]}: ${append.events.map(({ event }) => event.type).join("+")}`;
      cross(`before ${name}`);
      const appended = await store.append(append);
      cross(`after ${name}`);
      return appended;
    },
    operations: {
      ...operations,
      async rememberAnswer(...args) {
        cross(`before the answer is remembered`);
        await operations.rememberAnswer(...args);
        cross(`after the answer is remembered`);
      },
      async markProcess(task, step, mark) {
        await operations.markProcess(task, step, mark);
        cross(`after the process of ${step} is noted`);
      },
      async forgetDeadLeases() {
        cross("before dead leases are forgotten");
        await operations.forgetDeadLeases();
        cross("after dead leases are forgotten");
      },
    },
  };
}

/** Workspaces with a boundary before and after each move of a branch of the person's, and each way back. */
export function countedMoves(workspaces: Workspaces, { cross }: Boundaries): Workspaces {
  return {
    ...workspaces,
    async moveBranch(source, branch, from, to) {
      cross(`before the move of ${basename(source)}`);
      const moved = await workspaces.moveBranch(source, branch, from, to);
      cross(`after the move of ${basename(source)}`);
      return moved;
    },
    async takeBack(source, branch, from, to, only) {
      if (only !== "try") cross(`before the way back of ${basename(source)}`);
      await workspaces.takeBack(source, branch, from, to, only);
      if (only !== "try") cross(`after the way back of ${basename(source)}`);
    },
  };
}

export const WITNESS_INSIDE = "/run/agentos/witness";
export const MEET_INSIDE = "/run/agentos/meet";

export interface Meeting {
  readonly name: string;
  /** Lets the command go on. */
  release(): void;
}

/**
 * The sandbox with a boundary before each command of a step, at the birth of its process, in its middle (for commands that
 * say when that is) and after its end. Each command finds the witness file to write its line into, and who it is in
 * AGENTOS_TASK, AGENTOS_STEP and AGENTOS_RUN.
 *
 * A command that names MEET_INSIDE makes `<task>.<step>.<run>.in` there and then reads from `<task>.<step>.<run>.go`: in
 * between it is in its middle, for as long as `met` lets it wait.
 */
export function countedSandbox(
  sandbox: Sandbox,
  { cross }: Boundaries,
  places: { readonly witness: string; readonly meet: string; readonly mark: string },
  met: (meeting: Meeting) => void,
): Sandbox {
  return {
    ...sandbox,
    async run(command, signal) {
      const who = stepOf(command.outputFile);
      if (who === null) return sandbox.run(command, signal);
      const name = `${who.step}.${who.run}`;
      cross(`before the command of ${name}`);
      const meeting = command.argv.some((word) => word.includes(MEET_INSIDE))
        ? meetIn(places.meet, `${who.task}.${name}`, (release) => {
            cross(`in the middle of ${name}`);
            met({ name: `${who.task}.${name}`, release });
          })
        : null;
      try {
        const outcome = await sandbox.run(
          {
            ...command,
            mounts: [
              ...command.mounts,
              { host: places.witness, inside: WITNESS_INSIDE, access: "write" },
              { host: places.meet, inside: MEET_INSIDE, access: "write" },
            ],
            environment: {
              ...command.environment,
              AGENTOS_TASK: who.task,
              AGENTOS_STEP: who.step,
              AGENTOS_RUN: String(who.run),
              AGENTOS_CRASH_TEST: places.mark,
            },
            onStart(mark) {
              command.onStart(mark);
              cross(`at the process of ${name}`);
            },
          },
          signal,
        );
        cross(`after the command of ${name}`);
        return outcome;
      } finally {
        meeting?.close();
      }
    },
    open(command, signal) {
      const who = turnOf(command);
      if (who === null) return sandbox.open(command, signal);
      const name = `${who.step}.${who.run}`;
      cross(`before the turn of ${name}`);
      const session = sandbox.open(
        {
          ...command,
          environment: { ...command.environment, AGENTOS_CRASH_TEST: places.mark },
          onStart(mark) {
            command.onStart(mark);
            cross(`at the process of ${name}`);
          },
        },
        signal,
      );
      const outcome = session.outcome.then((ended) => {
        cross(`after the turn of ${name}`);
        return ended;
      });
      // Whoever talks with it awaits it later.
      outcome.catch(() => undefined);
      return { ...session, outcome };
    },
  };
}

/** Steps put their output into `output/<task>/<step>.<run>.log`; commands that belong to no step go elsewhere. */
function stepOf(outputFile: string): StepRun | null {
  const [, step, run] = /^(.+)\.(\d+)\.log$/.exec(basename(outputFile)) ?? [];
  if (step === undefined || run === undefined) return null;
  return { task: basename(dirname(outputFile)), step, run: Number(run) };
}

/** Turns have a home of their own, in a directory of their task; agents that are tried outside of any task have another. */
function turnOf({ mounts }: SessionCommand): StepRun | null {
  const home = mounts.find(({ inside }) => inside === "/home/agent")?.host ?? "";
  return stepOf(`${home}.log`);
}

interface StepRun {
  readonly task: string;
  readonly step: string;
  readonly run: number;
}

function meetIn(
  directory: string,
  name: string,
  inTheMiddle: (release: () => void) => void,
): { readonly close: () => void } {
  mkdirSync(directory, { recursive: true });
  const arrived = join(directory, `${name}.in`);
  const go = join(directory, `${name}.go`);
  for (const path of [arrived, go]) rmSync(path, { force: true });
  execFileSync("mkfifo", ["-m", "0666", go]);
  // Open for both, so that neither opening nor writing waits for the command.
  const fd = openSync(go, "r+");
  let seen = false;
  let closed = false;
  const look = (): void => {
    if (seen || closed || !existsSync(arrived)) return;
    seen = true;
    inTheMiddle(() => {
      if (!closed) writeSync(fd, "go\n");
    });
  };
  const watcher = watch(directory, look);
  look();
  return {
    close() {
      closed = true;
      watcher.close();
      closeSync(fd);
    },
  };
}
