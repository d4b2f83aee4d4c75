import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coverageEnvironment } from "../support/coverage.ts";
import { program } from "../support/programs.ts";

const CLI = program("product", "cli");

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A person at a shell, with a data directory and a repository of their own. */
export interface Person {
  readonly home: string;
  readonly repository: string;
  /** Types `agentos …` in the repository. */
  agentos(...words: string[]): Promise<Said>;
  /** The data of its `--json` envelope. */
  data<T>(...words: string[]): Promise<T>;
  /** Types it and does not wait. */
  begin(words: readonly string[], environment?: Readonly<Record<string, string>>): Running;
  /** Types a line into bash on a real terminal. */
  onTerminal(line: string): Terminal;
  with(environment: Readonly<Record<string, string>>, directory?: string): Person;
  write(path: string, text: string): string;
  /** Ends what was started and removes all of it. */
  leave(): Promise<void>;
}

export interface Running {
  readonly child: ChildProcess;
  readonly said: Promise<Said>;
  /** Resolves when stdout or stderr has it. */
  sees(text: string | RegExp): Promise<void>;
}

export interface Terminal {
  sees(text: string | RegExp): Promise<void>;
  types(text: string): void;
  /** Everything since the beginning, with the terminal's control sequences left out. */
  readonly screen: () => string;
  readonly ended: Promise<number | null>;
}

export const ENTER = "\r";
export const DOWN = "\u001b[B";

/** `script` is part of util-linux; without it nobody can pretend to be a terminal here. */
export const hasTerminal = spawnSync("script", ["--version"]).status === 0;

export function person(state: "broken" | "mended" = "broken"): Person {
  const root = mkdtempSync(join(tmpdir(), "agentos-person-"));
  const home = join(root, "home");
  const repository = join(root, "shop");
  sampleRepository(repository, state);
  return personIn({ root, home, repository }, {}, repository);
}

/** An npm project; broken, its suite fails for a real reason: it subtracts. */
function sampleRepository(path: string, state: "broken" | "mended"): void {
  mkdirSync(path);
  writeFileSync(
    join(path, "package.json"),
    JSON.stringify({ name: "shop", version: "1.0.0", type: "module", scripts: { test: "node --test" } }),
  );
  writeFileSync(join(path, "sum.js"), `export const sum = (a, b) => a ${state === "mended" ? "+" : "-"} b;\n`);
  writeFileSync(
    join(path, "sum.test.js"),
    'import test from "node:test";\nimport assert from "node:assert/strict";\nimport { sum } from "./sum.js";\ntest("adds", () => assert.equal(sum(2, 3), 5));\ntest("nothing", () => assert.equal(sum(0, 0), 0));\n',
  );
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...words], {
      cwd: path,
      stdio: "ignore",
    });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "a shop");
}

export const MEND =
  "items:\n  - id: mend\n    title: Mend the sum\n    do:\n      - replace: sum.js\n        find: a - b\n        with: a + b\n";

function personIn(
  place: { readonly root: string; readonly home: string; readonly repository: string },
  more: Readonly<Record<string, string>>,
  directory: string,
): Person {
  const path = (process.env["PATH"] ?? "").split(":").filter((entry) => !entry.endsWith("node_modules/.bin"));
  const environment: Record<string, string> = {
    PATH: path.join(":"),
    HOME: place.root,
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    AGENTOS_HOME: place.home,
    AGENTOS_PORT: "0",
    AGENTOS_CREATE_PER_MINUTE: "1000",
    ...more,
  };

  function begin(words: readonly string[], extra: Readonly<Record<string, string>> = {}): Running {
    const child = spawn(process.execPath, [CLI, ...words], {
      cwd: directory,
      env: { ...coverageEnvironment(), ...environment, ...extra },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { child, ...listen(child) };
  }

  const self: Person = {
    home: place.home,
    repository: place.repository,
    agentos: (...words) => begin(words).said,
    async data<T>(...words: string[]): Promise<T> {
      const { stdout, stderr } = await self.agentos("--json", ...words);
      const lines = stdout.split("\n");
      if (lines.length !== 2 || lines[1] !== "") throw new Error(`not one envelope: ${stdout}\n${stderr}`);
      const envelope = JSON.parse(lines[0] ?? "");
      if (envelope.agentos !== 1 || envelope.ok !== true) throw new Error(`not a good envelope: ${stdout}`);
      return envelope.data as T;
    },
    begin,
    onTerminal: (line) => terminal(line, directory, environment),
    with: (extra, elsewhere) => personIn(place, { ...more, ...extra }, elsewhere ?? directory),
    write(name, text) {
      const file = join(place.root, name);
      writeFileSync(file, text);
      return file;
    },
    async leave() {
      if (existsSync(join(place.home, "daemon.json"))) {
        await self.agentos("daemon", "stop");
        kill(place.home);
      }
      rmSync(place.root, { recursive: true, force: true });
    },
  };
  return self;
}

/** Only what this person's data directory names: a daemon that did not stop when asked. */
function kill(home: string): void {
  const file = join(home, "daemon.json");
  if (existsSync(file)) process.kill(JSON.parse(readFileSync(file, "utf8")).pid, "SIGKILL");
}

function listen(child: ChildProcess): Omit<Running, "child"> {
  let stdout = "";
  let stderr = "";
  const heard = watcher(() => stdout + stderr);
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
    heard.changed();
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
    heard.changed();
  });
  const said = new Promise<Said>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, stdout, stderr });
      heard.ended();
    });
  });
  return { said, sees: heard.sees };
}

function terminal(line: string, directory: string, environment: Readonly<Record<string, string>>): Terminal {
  const agentos = `agentos() { '${process.execPath}' '${CLI}' "$@"; }`;
  const child = spawn(
    "script",
    ["-qec", `bash -c ${shellWord(`stty cols 160 rows 50; ${agentos}; ${line}`)}`, "/dev/null"],
    { cwd: directory, env: { ...coverageEnvironment(), ...environment }, stdio: ["pipe", "pipe", "pipe"] },
  );
  let bytes = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences begin with one
  const screen = () => bytes.replace(/\u001b\[[0-9;?]*[A-Za-z]|\u001b[=>()][0-9A-B]?|\r/g, "");
  const heard = watcher(() => screen());
  child.stdout.on("data", (chunk) => {
    bytes += chunk;
    heard.changed();
  });
  child.stdin.on("error", () => {}); // it ended before it read all that was typed: the test sees that on the screen
  return {
    sees: heard.sees,
    types: (text) => void child.stdin.write(text),
    screen,
    ended: new Promise((resolve) =>
      child.once("close", (code) => {
        heard.ended();
        resolve(code);
      }),
    ),
  };
}

/** Waits for text to appear, and only after what was seen last. */
function watcher(text: () => string) {
  let from = 0;
  let over = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const one of [...waiting]) one();
  };
  return {
    changed: wake,
    ended: () => {
      over = true;
      wake();
    },
    sees: (wanted: string | RegExp): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = () => {
          const rest = text().slice(from);
          const match =
            typeof wanted === "string"
              ? { index: rest.indexOf(wanted), length: wanted.length }
              : ((found) => ({ index: found?.index ?? -1, length: found?.[0].length ?? 0 }))(wanted.exec(rest));
          if (match.index >= 0) {
            from += match.index + match.length;
            waiting.delete(look);
            resolve();
          } else if (over) {
            waiting.delete(look);
            reject(new Error(`it ended without ${String(wanted)} after:\n${rest}`));
          }
        };
        waiting.add(look);
        look();
      }),
  };
}

const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
