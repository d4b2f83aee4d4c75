import { isatty } from "node:tty";
import { notThis } from "../../contract/parse.ts";
import { PROBLEMS } from "../../contract/problems.ts";
import { problemOf, trouble } from "../client/trouble.ts";
import { type AnyCommand, wordsOf } from "./command.ts";
import type { Context, Offline, Settings } from "./context.ts";
import type { Launch } from "./daemon-process.ts";
import type { FirstLook } from "./first-look.ts";
import { output } from "./output.ts";
import { type CommonFlags, kebab, readWords, type Typed } from "./program.ts";

/** What the CLI gets from outside of its layer. */
export interface Surroundings {
  readonly version: string;
  /** Name of the person at the operating system. */
  person(): string;
  /** The data directory that is meant when no flag names one. */
  usualHome(): string;
  readonly settings: (flags: {
    readonly home?: string | undefined;
    readonly port?: string | undefined;
  }) => Promise<Settings>;
  readonly launch: (settings: Settings) => Promise<Launch>;
  readonly offline: () => Promise<Offline>;
  /** Becomes the daemon of these settings; returns when it has stopped. */
  readonly serve: (settings: Settings) => Promise<void>;
}

const COLUMNS_USUAL = 100;
const COLUMNS_MAX = 120;
const INTERRUPTED = 130;
const LAST_WORDS_MS = 500;

/** One command line from beginning to end. It owns words, exit codes and signals; commands only act and tell. */
export async function run(words: readonly string[], around: Surroundings): Promise<void> {
  const stdout = opened(() => process.stdout);
  const stderr = opened(() => process.stderr);
  const interrupted = new AbortController();
  // What waits hears of it and says its last words; whatever does not listen is ended a moment later, and asked twice at once.
  const onInterrupt = (): void => {
    if (interrupted.signal.aborted) process.exit(INTERRUPTED);
    interrupted.abort();
    setTimeout(() => process.exit(INTERRUPTED), LAST_WORDS_MS).unref();
  };
  process.on("SIGINT", onInterrupt);

  // Until the words are understood, only this decides in which form a mistake in them is told.
  const early: CommonFlags = { json: words.includes("--json"), quiet: false };
  const sinks = {
    stdout: (text: string | Uint8Array) => void stdout().write(text),
    stderr: (text: string) => void stderr().write(text),
  };
  const told = (flags: CommonFlags) => output(sinks, flags);
  let telling = told(early);
  const looked = mayAskTheDaemon(words)
    ? (await import("./first-look.ts")).firstLook(around.usualHome(), interrupted.signal)
    : null;
  // A turn of the event loop: the question goes out before everything else is loaded.
  if (looked !== null) await new Promise((resolve) => setImmediate(resolve));
  try {
    const typed = await readWords(words, Math.min(isatty(1) ? stdout().columns : COLUMNS_USUAL, COLUMNS_MAX));
    if (typed.kind === "help") {
      if (!typed.asked && early.json)
        throw trouble("input/invalid", `agentos ${typed.noun} is no command: what it is to do was not named.`, {
          next: `agentos ${typed.noun} --help shows what there is.`,
        });
      if (typed.asked) stdout().write(typed.text);
      else stderr().write(typed.text);
      process.exitCode = typed.asked ? 0 : PROBLEMS["input/invalid"].exit;
      return;
    }
    telling = told(typed.flags);
    const alone = typed.kind === "alone" && !typed.web;
    const isTerminal = isatty(0) && isatty(2);
    if (alone && (!isTerminal || !isatty(1) || typed.flags.json)) {
      const help = await readWords(["--help"], COLUMNS_USUAL);
      if (typed.flags.json)
        throw trouble("input/invalid", "No command was named, and there is no terminal to show a menu on.", {
          next: "agentos --help shows the commands.",
        });
      stderr().write(help.kind === "help" ? help.text : "");
      process.exitCode = PROBLEMS["input/invalid"].exit;
      return;
    }
    const { definition, args } = await chosen(typed);
    const context = await contextOf(
      typed.flags,
      around,
      await looked,
      telling.out,
      interrupted.signal,
      isTerminal,
      () => process.off("SIGINT", onInterrupt),
    );
    process.exitCode = (await definition.run(args as never, context)) ?? 0;
    telling.done();
  } catch (error) {
    if (interrupted.signal.aborted) {
      process.exitCode = INTERRUPTED;
      return;
    }
    const problem = problemOf(error);
    if (problem === null) {
      // A bug: crash loudly, after a script that reads the envelope has got one.
      if (early.json)
        telling.failed(trouble("internal", error instanceof Error ? error.message : String(error)).problem);
      console.error(error);
      process.exitCode = PROBLEMS.internal.exit;
      return;
    }
    telling.failed(problem);
    process.exitCode = PROBLEMS[problem.code].exit;
  } finally {
    // Whatever still listens for the daemon ends with the command.
    if (!interrupted.signal.aborted) interrupted.abort();
  }
}

/** One of the standard streams, opened when it is needed: that takes a while, and most commands write to one and read from none. */
function opened(open: () => NodeJS.WriteStream): () => NodeJS.WriteStream {
  let stream: NodeJS.WriteStream | null = null;
  return () => {
    stream ??= open().on("error", (error: NodeJS.ErrnoException) => {
      // Nobody reads on (`agentos task list | head`): there is nothing left to say, and nothing went wrong.
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
    return stream;
  };
}

interface Chosen {
  readonly definition: AnyCommand;
  readonly args: unknown;
}

async function chosen(typed: Exclude<Typed, { kind: "help" }>): Promise<Chosen> {
  switch (typed.kind) {
    case "version":
      return { definition: (await import("./commands/version.ts")).version, args: {} };
    case "alone":
      return typed.web
        ? { definition: (await import("./web.ts")).web, args: {} }
        : { definition: (await import("./menu.ts")).menu, args: {} };
    case "command": {
      const checked = typed.definition.args.safeParse(typed.given, { jitless: true });
      if (checked.success) return { definition: typed.definition, args: checked.data };
      const issues = checked.error.issues.map(
        ({ path, message }) =>
          `${flagNamed(typed.definition, String(path[0] ?? ""))} ${message.replace(/^Invalid (input|option): /, "")}${notThis(typed.given, path)}`,
      );
      throw trouble("input/invalid", `agentos ${typed.name}: ${issues.join("; ")}.`, {
        next: `agentos ${typed.name} --help shows what it takes.`,
        facts: { issues },
      });
    }
  }
}

/** Before the words are understood: most commands ask the daemon, and neither help nor these flags are meant for the usual one. */
const mayAskTheDaemon = (words: readonly string[]): boolean =>
  words.length > 0 && !words.some((word) => /^(-h|-V|--(help|version|home|port)(=.*)?)$/.test(word));

async function contextOf(
  flags: CommonFlags,
  around: Surroundings,
  looked: FirstLook | null,
  out: Context["out"],
  signal: AbortSignal,
  isTerminal: boolean,
  leaveSignals: () => void,
): Promise<Context> {
  const { connect, daemonProcess } = await import("./daemon-process.ts");
  const settings = await around.settings(flags);
  const daemon = daemonProcess({
    home: settings.home,
    host: settings.host,
    port: settings.port,
    launch: await around.launch(settings),
    looked,
  });
  let url: string | null = null;
  return {
    version: around.version,
    daemon,
    api: connect(async (lost) => {
      if (url !== null && !lost) return url;
      if (url !== null && (await daemon.wasStopped()))
        throw trouble("daemon/unreachable", "the daemon was stopped; its tasks go on when it starts again");
      const running = await daemon.start();
      if (running.started)
        out.note(`the daemon was started: ${running.url} (pid ${running.pid}, data in ${running.health.home})`);
      if (running.health.version !== around.version)
        out.note(
          `the daemon is AgentOS ${running.health.version}, this command ${around.version}: agentos daemon stop lets the next command start the new one`,
        );
      url = running.url;
      return url;
    }),
    settings,
    offline: lazy(around.offline),
    out,
    prompt:
      isTerminal && !flags.json
        ? (await import("./prompt.ts")).terminalPrompt(process.stdin, process.stderr, signal)
        : null,
    stdin: pipedIn,
    signal,
    workingDirectory: process.cwd(),
    get person() {
      return around.person();
    },
    serve: async () => {
      leaveSignals(); // a daemon has its own idea of what an interrupt means
      await around.serve(settings);
    },
    stdoutIsTerminal: isatty(1),
    completion: async (shell) => (await import("./completion.ts")).completionFor(shell),
  };
}

const STDIN_CHARACTERS_MAX = 65_536;

async function pipedIn(): Promise<string> {
  let text = "";
  for await (const part of process.stdin.setEncoding("utf8")) {
    text += String(part);
    if (text.length > STDIN_CHARACTERS_MAX)
      throw trouble("input/too-large", `more than ${STDIN_CHARACTERS_MAX} characters were piped in`);
  }
  return text;
}

const lazy = (load: () => Promise<Offline>): Offline => ({
  auditVerify: async (home) => (await load()).auditVerify(home),
  doctor: async (home, wanted) => (await load()).doctor(home, wanted),
  init: async (home) => (await load()).init(home),
});

function flagNamed({ args }: AnyCommand, field: string): string {
  const schema = args.shape[field];
  const words = schema === undefined ? undefined : wordsOf(schema as never);
  return words?.kind === "positional" ? (words.value ?? field) : `--${kebab(field)}`;
}
