import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants, setPriority } from "node:os";
import type { Duplex, Readable, Writable } from "node:stream";
import type { ProcessMark } from "../../ports/sandbox.ts";
import { type CommandLine, GATE_FD, JOIN, STATUS_FD } from "./command-line.ts";
import { inheritableDescriptors } from "./inherited-descriptors.ts";
import { SYSTEM_DIRECTORIES } from "./missing.ts";
import type { OutputPipes } from "./output.ts";
import { OWNER_VARIABLE, ownerName } from "./owner.ts";
import { endProcess, kill, markOf } from "./process-tree.ts";

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface Started {
  /** The namespace's init, once the gate waits for "go"; null when it ended before. */
  readonly ready: Promise<ProcessMark | null>;
  /** Lets the gate become the command. */
  go(): void;
  /** Ends all of it, whatever state it is in; may be called again. */
  end(): void;
  /** Its stdin, where it was asked for. */
  readonly stdin: Writable | null;
  /** Settles when no process of it is alive. */
  readonly gone: Promise<Exit>;
}

/** How long a half-built sandbox may take to end by itself before its outer process is killed. */
const HALF_BUILT_MS = 2_000;

export const start = (
  line: CommandLine,
  groups: readonly string[],
  output: OutputPipes,
  talks: boolean = false,
): Started => {
  const child = spawnOuter(line, groups, output, talks);
  child.stdin?.on("error", ignoreClosed);
  const stdio = child.stdio as readonly (Duplex | null | undefined)[];
  const gate = stdio[GATE_FD];
  for (const [index, content] of line.pipes.entries()) {
    const pipe = stdio[GATE_FD + index];
    pipe?.on("error", ignoreClosed);
    if (content !== null) pipe?.end(content);
  }

  let init: ProcessMark | null = null;
  let ending = false;
  let over = false;
  const strike = (): void => {
    if (over) return;
    if (init !== null) kill(init.pid);
    if (child.pid !== undefined) kill(child.pid);
  };
  const initKnown = initPid(output.status.read).then((pid) => {
    init = pid === null ? null : markOf(pid);
    if (ending) strike();
    return init;
  });
  const gateReady = gate === null || gate === undefined ? Promise.resolve(false) : saysReady(gate);
  const exited = new Promise<Exit>((resolve) => {
    child.once("error", () => resolve({ exitCode: null, signal: null }));
    child.once("exit", (code, signal) => resolve(exitOf(code, signal)));
  });
  const gone = exited.then(async (exit) => {
    over = true;
    const last = await initKnown;
    if (last !== null) await endProcess(last);
    for (const pipe of [child.stdin, ...stdio.slice(GATE_FD)]) pipe?.destroy();
    return exit;
  });
  return {
    ready: Promise.all([initKnown, gateReady]).then(([mark, isReady]) => (isReady ? mark : null)),
    go: () => void gate?.write("go\n"),
    end: () => {
      ending = true;
      // A gate that was not opened reads end-of-file and exits, so a sandbox killed while half built runs nothing.
      gate?.destroy();
      if (init !== null) strike();
      else setTimeout(strike, HALF_BUILT_MS).unref();
    },
    stdin: child.stdin,
    gone,
  };
};

const spawnOuter = (
  line: CommandLine,
  groups: readonly string[],
  output: OutputPipes,
  talks: boolean,
): ChildProcess => {
  const { stdout, stderr, status } = output;
  const stdio: ("ignore" | "pipe" | number)[] = [talks ? "pipe" : "ignore", stdout.writeFd, stderr.writeFd];
  for (const _ of line.pipes) stdio.push("pipe");
  stdio[STATUS_FD] = status.writeFd;
  const devNull = openSync("/dev/null", "r+");
  try {
    for (const fd of inheritableDescriptors()) {
      while (stdio.length <= fd) stdio.push("ignore");
      // "ignore" leaves an inherited descriptor open; a descriptor of ours replaces it.
      if (stdio[fd] === "ignore") stdio[fd] = devNull;
    }
    const child = spawn("/bin/sh", ["-c", JOIN, "agentos-join", ...groups, "--", ...line.argv], {
      cwd: "/",
      env: { PATH: SYSTEM_DIRECTORIES.join(":"), [OWNER_VARIABLE]: ownerName() },
      stdio,
      detached: true, // A Ctrl-C at the daemon's terminal is the daemon's to handle.
    });
    if (child.pid !== undefined) makeNice(child.pid);
    return child;
  } finally {
    closeSync(devNull);
    stdout.closeWriteEnd();
    stderr.closeWriteEnd();
    status.closeWriteEnd();
  }
};

/** While it is still one process, a shell: what it starts inherits it. A courtesy to the person's own programs, and no bound. */
function makeNice(pid: number): void {
  try {
    setPriority(pid, NICE);
  } catch {
    // It ended already; its exit says why.
  }
}

const NICE = 5;

const ignoreClosed = (): void => {
  // The other side went away before it read everything; its exit says why.
};

/** bwrap's own exit code says 128 + n for a command that died of signal n. */
const exitOf = (code: number | null, signal: string | null): Exit => {
  if (code === null || code <= 128) return { exitCode: code, signal };
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return name === undefined ? { exitCode: code, signal: null } : { exitCode: null, signal: name };
};

/**
 * bwrap writes `{ "child-pid": N, … }` as its first line, and more at its end: the stream is read on, because a closed
 * one would end bwrap with SIGPIPE before it could hand on the command's exit code.
 */
const initPid = (status: Readable): Promise<number | null> =>
  new Promise((resolve) => {
    let text = "";
    status.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const pid = /"child-pid": (\d+)[^\n]*\n/.exec(text)?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
    status.once("close", () => resolve(null));
  });

const saysReady = async (gate: Duplex): Promise<boolean> =>
  new Promise((resolve) => {
    gate.once("data", () => resolve(true));
    gate.once("close", () => resolve(false));
    gate.once("end", () => resolve(false));
  });
