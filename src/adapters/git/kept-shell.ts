import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Ended,
  endGroup,
  forked,
  missing,
  NOT_FOUND,
  type Program,
  type Running,
  running,
  type Starter,
} from "./program.ts";
import { shellWord } from "./shell-word.ts";

/*
 * Node starts a program by forking itself, and the event loop stands still meanwhile: the kernel copies the page tables of all its memory,
 * and afterwards every page that is written to is faulted in anew. With the memory of a daemon that costs many times what git itself takes,
 * and a task starts git sixty times. So a small shell is kept and told what to run, one program at a time. It reads its commands like a
 * script, each ending with
 *
 *     printf '<mark> %d\n' "$?"; printf '<mark>\n' >&2
 *
 * where the mark is random and new for each program: what comes before it on either stream is the program's, and nothing the program says
 * can be taken for it. Its input is file 3, which has no name any more and is written anew for each program: a pipe would have to be closed
 * to end, and could then not be used again. A program that left another behind it would speak into the answer of the next one: what starts
 * any of its own accord (upkeep, file watching) is switched off for git, and what talks over a network is forked.
 */

/** So many wait for the next program; more are begun when more run at once, and end with what they run. */
const IDLE_MAX = 4;
const IDLE_MS = 10_000;
/** More input than this is worth a fork: it is written before the program begins. */
const INPUT_BYTES_MAX = 1024 ** 2;

/** Programs whose parents are small shells where that saves something, and this process where they need what a shell cannot give. */
export function startedByShells(environment: Readonly<Record<string, string>>): Starter {
  const byFork = forked(environment);
  // Elsewhere libuv does not fork to start a program.
  if (process.platform !== "linux") return byFork;
  const idle: Shell[] = [];
  /** Null: there is no place or no room for its file. */
  const free = (): Shell | null => {
    for (let shell = idle.pop(); shell !== undefined; shell = idle.pop()) if (!shell.over()) return shell;
    const input = namelessFile();
    return input === null ? null : begun(environment, input);
  };
  return async (program) => {
    if (program.person !== null || program.ownGroup || program.input.length > INPUT_BYTES_MAX) return byFork(program);
    const script = scriptOf(program);
    const shell = free();
    if (shell === null) return byFork(program);
    try {
      if (!shell.hand(program.input)) return await byFork(program);
      const ended = await shell.run(program, script);
      if (ended.code === NOT_FOUND) throw missing(program, program.words[0], new Error(ended.stderr));
      return ended;
    } finally {
      if (idle.length < IDLE_MAX) idle.push(shell);
      else shell.close();
    }
  };
}

interface Shell {
  /** Input for the next program; false: there is no room for it. */
  hand(input: Buffer): boolean;
  /** One at a time. */
  run(program: Program, script: Script): Promise<Ended>;
  /** Whether it takes no program any more. */
  over(): boolean;
  close(): void;
}

function begun(environment: Readonly<Record<string, string>>, input: number): Shell {
  // It ends with us, and what was to end with us ends with it. A group of its own, so that it is ended with what it runs.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "sh"], {
    cwd: "/",
    env: environment,
    stdio: ["pipe", "pipe", "pipe", input],
    detached: true,
  });
  const stdin = socket(child.stdin);
  const stdout = socket(child.stdout);
  const stderr = socket(child.stderr);
  let current: { readonly run: Running; readonly out: Marked; readonly err: Marked } | null = null;
  let over = false;
  let tired: NodeJS.Timeout | undefined;

  /** What waits for a program keeps this process going; the shell itself does not. */
  const hold = (held: boolean): void => {
    for (const each of [child, stdin, stdout, stderr]) {
      if (held) each.ref();
      else each.unref();
    }
  };
  const close = (): void => {
    over = true;
    stdin.end();
  };
  const settle = (): void => {
    const code = current?.out.said();
    if (current === null || code === null || code === undefined || current.err.said() === null) return;
    const { run } = current;
    current = null;
    hold(false);
    tired = setTimeout(close, IDLE_MS).unref();
    run.ended(Number(code));
  };

  stdout.on("data", (piece: Buffer) => {
    if (current !== null) current.run.out(current.out.before(piece));
    settle();
  });
  stderr.on("data", (piece: Buffer) => {
    if (current !== null) current.run.err(current.err.before(piece));
    settle();
  });
  // A shell that is gone is seen below.
  stdin.on("error", () => {});
  child.on("error", (error) => current?.run.failed(missing({ cwd: "/" }, "setpriv", error)));
  child.on("close", () => {
    over = true;
    clearTimeout(tired);
    closeSync(input);
    current?.run.ended(null);
  });
  stdin.write(`own=$(umask)\n`);
  hold(false);

  return {
    over: () => over,
    close,
    hand: (content) => writtenAnew(input, content),
    run(program, script) {
      clearTimeout(tired);
      const run = running(program, () => {
        over = true;
        if (child.pid !== undefined) endGroup(child.pid);
      });
      const mark = randomBytes(16).toString("hex");
      current = { run, out: marked(mark), err: marked(mark) };
      hold(true);
      stdin.write(script(mark));
      return run.result;
    },
  };
}

function socket(stream: unknown): Socket {
  if (!(stream instanceof Socket)) throw new Error("a pipe to a child is a socket");
  return stream;
}

/** A file that is gone when its last user is; null: it cannot be made. */
function namelessFile(): number | null {
  const path = join(tmpdir(), `agentos-input-${randomBytes(16).toString("hex")}`);
  try {
    const file = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    return file;
  } catch {
    return null; // A full or missing directory; a fork needs none.
  }
}

/** Cut to the length that it has now, never to none: ext4 takes a file that was emptied for one that is being replaced, and writes it out. */
function writtenAnew(file: number, content: Buffer): boolean {
  try {
    for (let at = 0; at < content.length; ) at += writeSync(file, content, at, content.length - at, at);
    if (content.length > 0) ftruncateSync(file, content.length);
    return true;
  } catch {
    return false; // The disk is full; a fork hands it on through a pipe.
  }
}

type Script = (mark: string) => string;

function scriptOf(program: Program): Script {
  const assigned = Object.entries(program.environment).map(([name, value]) => `${name}=${shellWord(value)}`);
  const command = [...assigned, ...program.words.map(shellWord)].join(" ");
  const input = program.input.length === 0 ? "/dev/null" : "/dev/fd/3";
  const body =
    `if cd -- ${shellWord(program.cwd)}; then umask ${program.plainModes ? "022" : '"$own"'}; ` +
    `${command} <${input} 3<&-; else (exit ${NOT_FOUND}); fi`;
  return (mark) => `${body}; printf '${mark} %d\\n' "$?"; printf '${mark} \\n' >&2\n`;
}

/** Tells the bytes before a mark from the line that begins with it. */
interface Marked {
  /** Which of these bytes come before the mark, as far as that is known; the others are kept until it is. */
  before(piece: Buffer): Buffer;
  /** What the line says after the mark; null: it is not there yet. */
  said(): string | null;
}

export function marked(mark: string): Marked {
  let kept: Buffer = Buffer.alloc(0);
  let said: string | null = null;
  return {
    before(piece) {
      const all = Buffer.concat([kept, piece]);
      const found = all.indexOf(mark, 0, "latin1");
      const end = found < 0 ? Math.max(0, all.length - mark.length + 1) : found;
      kept = all.subarray(end);
      const line = kept.toString("latin1");
      if (found >= 0 && line.endsWith("\n")) said = line.slice(mark.length).trim();
      return all.subarray(0, end);
    },
    said: () => said,
  };
}
