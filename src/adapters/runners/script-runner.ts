import type { RepoFiles } from "../../ports/runners.ts";
import { BUN, PROGRAMS, TAPE } from "./known-runners.ts";
import { NODE_TEST, NODE_TEST_WITH_DESTINATIONS, NODE_TEST_WITH_REPORTER } from "./node-test.ts";
import { type ShellCommand, shellCommands } from "./shell-words.ts";
import type { TestRunner } from "./test-runner.ts";
import { keepsPlace, looksEverywhere, movesOn, nodeLooksEverywhere } from "./whole-tree.ts";

export interface Recognised {
  readonly runner: TestRunner | null;
  /** How many "--" options need before they reach the runner, npm's own counted: one more for each `npm run` inside the script. */
  readonly dashes: number;
  /** Other scripts that the script runs and that so belong to it; null when it picks them by pattern: then all do. */
  readonly scripts: readonly string[] | null;
  /** Paths in the repository that commands name as configuration or preload. */
  readonly files: readonly string[];
  /** The runner is the only one, and plainly started where the script stands, on everything below. */
  readonly wholeTree: boolean;
  readonly notes: readonly string[];
}

/** One command with what decides whether a request for a report reaches it. */
interface Step extends ShellCommand {
  /** How many "--" npm's own argument needs to get appended to this command; null when nothing does. */
  readonly separators: number | null;
  /** It runs in the folder of the package.json whose script is read, as far as the commands before it tell. */
  readonly inPlace: boolean;
}

/**
 * Which test runner the script `test` of a package.json starts, from its text: the first one whose report can be had.
 * `npm run x`, `run-s`, `run-p` and `npm-run-all` are followed one level.
 */
export async function recogniseRunner(
  scripts: Readonly<Record<string, string>>,
  files: RepoFiles,
): Promise<Recognised> {
  const notes: string[] = [];
  const followed = follow(scripts);
  const found: { runner: TestRunner; step: Step; trouble: string | null; wholeTree: boolean }[] = [];
  for (const step of followed.steps ?? []) {
    const program = await programOf(step.words, files);
    if (program !== null)
      found.push({
        runner: program.runner,
        step,
        trouble: program.trouble ?? unreachable(program.runner, step),
        wholeTree: program.wholeTree && step.inPlace,
      });
  }
  const usable = found.find((one) => one.trouble === null);
  if (followed.steps === null)
    notes.push("the test script is more than plain commands, so its test runner is not recognised");
  else if (found.length === 0) notes.push("the test script starts no test runner that is known here");
  if (usable === undefined) notes.push(...found.flatMap((one) => (one.trouble === null ? [] : [one.trouble])));
  if (usable === undefined)
    notes.push(
      "without a report of the test runner the gate tests stays unproven; name a gate with its report, or accept it on record",
    );
  else {
    const others = new Set(found.filter((one) => one.runner !== usable.runner).map((one) => one.runner.name));
    for (const other of others)
      notes.push(`the test script also starts ${other}; only the tests of ${usable.runner.name} are counted`);
    if (usable.runner.reach !== "environment" && found.filter((one) => one.runner === usable.runner).length > 1)
      notes.push(
        `the test script starts ${usable.runner.name} more than once; only the run that writes the report is counted`,
      );
  }
  const separators = usable?.runner.reach === "arguments" ? (usable.step.separators ?? 1) : 1;
  return {
    runner: usable?.runner ?? null,
    dashes: separators,
    scripts: followed.scripts,
    files: await namedFiles(followed.steps ?? [], files),
    wholeTree: found.length === 1 && usable?.wholeTree === true,
    notes,
  };
}

function unreachable(runner: TestRunner, step: Step): string | null {
  if (runner.reach === "environment") return null;
  if (runner.reach === "arguments" && step.separators === null)
    return `${runner.name} is not the last command of the test script, so it cannot be asked for a report; name a gate that runs it alone`;
  if (runner.place.from === "stdout" && step.next === "|")
    return `the output of ${runner.name} goes into a pipe, so its report is not seen`;
  return null;
}

function follow(scripts: Readonly<Record<string, string>>): {
  steps: readonly Step[] | null;
  scripts: readonly string[] | null;
} {
  const commands = shellCommands(scripts["test"] ?? "");
  if (commands === null) return { steps: null, scripts: [] };
  const steps: Step[] = [];
  const names: string[] = [];
  let byPattern = false;
  let moved = false;
  for (const [at, command] of commands.entries()) {
    const last = at === commands.length - 1;
    moved ||= movesOn(withoutVariables(command.words)[0]);
    const inner = callsOf(command.words, Object.keys(scripts));
    if (inner === null) {
      steps.push({ ...command, separators: last ? 1 : null, inPlace: !moved });
      continue;
    }
    byPattern ||= inner.byPattern;
    for (const name of inner.names) {
      names.push(name);
      const below = shellCommands(scripts[name] ?? "") ?? [];
      // A script that is called has a shell of its own: where it goes, the one that calls it does not follow.
      let movedInside = moved || !inner.inPlace;
      for (const [innerAt, one] of below.entries()) {
        const isLast = innerAt === below.length - 1;
        movedInside ||= movesOn(withoutVariables(one.words)[0]);
        steps.push({
          words: isLast ? [...one.words, ...inner.more] : one.words,
          next: one.next || command.next,
          separators: last && inner.separators !== null && isLast ? inner.separators : null,
          inPlace: !movedInside,
        });
      }
    }
  }
  return { steps, scripts: byPattern ? null : [...new Set(names)] };
}

const MANAGERS: ReadonlySet<string> = new Set(["npm", "pnpm", "yarn", "bun"]);

interface Calls {
  readonly names: readonly string[];
  readonly byPattern: boolean;
  readonly separators: number | null;
  /** What is appended to the script's last command. */
  readonly more: readonly string[];
  /** No option of the call takes the script of another folder. */
  readonly inPlace: boolean;
}

/** The scripts a command runs through npm, null when it is no such command. */
function callsOf(words: readonly string[], all: readonly string[]): Calls | null {
  const [program, ...rest] = withoutVariables(words);
  const operands = rest.filter((word) => !word.startsWith("-"));
  if (operands[0] === "run" || operands[0] === "run-script") {
    const name = operands[1] ?? "";
    if (!MANAGERS.has(program ?? "") || !all.includes(name)) return null;
    // `npm run x` takes options for itself, so they need a "--" of their own; `npm run x --` has it already, and the others take none.
    const separators = program !== "npm" || rest.includes("--") ? 1 : 2;
    return { names: [name], byPattern: false, separators, ...passedOn(program ?? "", rest, name) };
  }
  if (program !== "npm" && MANAGERS.has(program ?? "") && operands[0] !== "test" && all.includes(operands[0] ?? "")) {
    const [name = ""] = operands;
    return { names: [name], byPattern: false, separators: 1, ...passedOn(program ?? "", rest, name) };
  }
  if (program !== "npm-run-all" && program !== "run-s" && program !== "run-p") return null;
  const byPattern = operands.some((word) => word.includes("*"));
  return {
    names: operands.flatMap((word) => all.filter((name) => matches(word, name))),
    byPattern,
    separators: null,
    more: [],
    inPlace: true,
  };
}

/** npm keeps options before a "--" for itself and hands on the rest; the others hand on everything behind the script's name. */
function passedOn(program: string, rest: readonly string[], name: string): Pick<Calls, "more" | "inPlace"> {
  const at = rest.indexOf(name, /^run(?:-script)?$/.test(name) ? rest.indexOf(name) + 1 : 0);
  const behind = rest.slice(at + 1);
  const dashes = behind.indexOf("--");
  const before = program === "npm" ? behind.slice(0, dashes === -1 ? behind.length : dashes) : [];
  const after = program === "npm" ? behind.slice(before.length + 1) : behind.filter((_, index) => index !== dashes);
  const kept = [...rest.slice(0, at), ...before].filter((word) => word.startsWith("-"));
  return {
    more: [...before.filter((word) => !word.startsWith("-")), ...after],
    inPlace: kept.every((word) => keepsPlace(program, word)),
  };
}

/** npm-run-all's patterns: `*` within one part of a name, `**` across the colons. */
function matches(pattern: string, name: string): boolean {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === "**" ? ".*" : part === "*" ? "[^:]*" : part.replace(/[^\w]/g, "\\$&")))
    .join("");
  return new RegExp(`^${source}$`).test(name);
}

const ASSIGNMENT = /^\w+=/;
const withoutVariables = (words: readonly string[]): readonly string[] =>
  words.slice(words.findIndex((word) => !ASSIGNMENT.test(word)));

/** Programs that run the command which follows their own options. */
const WRAPPERS = new Set(["env", "cross-env", "npx", "bunx", "c8", "nyc", "time", "dotenv", "exec"]);
/** Package managers that run a program of the project by its bare name. */
const RUNS_PROGRAMS = new Set(["pnpm", "yarn"]);

interface Program {
  readonly runner: TestRunner;
  readonly trouble: string | null;
  /** It is started where the command stands, on everything below. */
  readonly wholeTree: boolean;
}

async function programOf(words: readonly string[], files: RepoFiles): Promise<Program | null> {
  let ownNodeOptions = false;
  let wrapper: string | null = null;
  let inPlace = true;
  for (const [at, word] of words.entries()) {
    if (ASSIGNMENT.test(word)) {
      ownNodeOptions ||= word.startsWith("NODE_OPTIONS=") && !/\$\{?NODE_OPTIONS\b/.test(word);
      continue;
    }
    const name = programName(word);
    const rest = words.slice(at + 1);
    if (name === "node" || name === "tsx") {
      const program = await nodeProgram(rest, ownNodeOptions, files);
      return program === null ? null : { ...program, wholeTree: program.wholeTree && inPlace };
    }
    const known = name === "bun" && rest[0] === "test" ? BUN : PROGRAMS.get(name);
    if (known !== undefined) {
      const args = known === BUN ? rest.slice(1) : rest;
      return {
        runner: known.runner,
        trouble: conflict(known, args),
        wholeTree: inPlace && looksEverywhere(name, args),
      };
    }
    if (RUNS_PROGRAMS.has(name) || WRAPPERS.has(name) || (name === "npm" && rest[0] === "exec")) wrapper = name;
    else if (wrapper === null) return null;
    // Behind a wrapper an unknown word is one of its options, or the value of one: the next program decides.
    else inPlace &&= keepsPlace(wrapper, word);
  }
  return null;
}

/** `./node_modules/.bin/vitest`, `node_modules/jest/bin/jest.js` and `vitest` are the same program. */
function programName(word: string): string {
  const inside = /(?:^|\/)node_modules\/(?:\.bin\/)?([^/]+)/.exec(word);
  return inside?.[1] ?? word;
}

function conflict(
  known: { readonly runner: TestRunner; readonly taken: RegExp | null },
  rest: readonly string[],
): string | null {
  const { taken, runner } = known;
  const option = taken === null ? undefined : rest.find((word) => taken.test(word));
  return option === undefined
    ? null
    : `the test script already sets ${option} of ${runner.name}, so it cannot be asked for a report of its own`;
}

/** Options of node whose value is the next word. */
const WITH_VALUE = new Set(
  "-r --require --import --loader --experimental-loader -C --conditions --env-file --test-reporter --test-reporter-destination --test-name-pattern --test-skip-pattern --test-concurrency --test-timeout".split(
    " ",
  ),
);

async function nodeProgram(
  words: readonly string[],
  ownNodeOptions: boolean,
  files: RepoFiles,
): Promise<Program | null> {
  const options: string[] = [];
  let script: string | null = null;
  for (let at = 0; at < words.length && script === null; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) script = word;
    else options.push(word);
    if (WITH_VALUE.has(word)) at += 1;
  }
  if (options.some((option) => /^(?:-e|-p|-pe|--eval|--print)$/.test(option))) return null;
  const behind = script === null ? [] : words.slice(words.indexOf(script));
  if (options.includes("--test")) return nodeTest(options, ownNodeOptions, nodeLooksEverywhere(options, behind));
  if (script === null) return null;
  const known = PROGRAMS.get(programName(script));
  const args = behind.slice(1);
  if (known !== undefined)
    return {
      runner: known.runner,
      trouble: conflict(known, args),
      wholeTree: looksEverywhere(programName(script), args),
    };
  const text = await scriptText(script, files);
  if (text === null) return null;
  if (/["']node:test["']/.test(text)) return nodeTest(options, ownNodeOptions, false);
  return /["']tape["']/.test(text) ? { runner: TAPE, trouble: null, wholeTree: false } : null;
}

function nodeTest(options: readonly string[], ownNodeOptions: boolean, wholeTree: boolean): Program {
  const says = (option: string) => options.some((word) => word === option || word.startsWith(`${option}=`));
  const runner = says("--test-reporter-destination")
    ? NODE_TEST_WITH_DESTINATIONS
    : says("--test-reporter")
      ? NODE_TEST_WITH_REPORTER
      : NODE_TEST;
  const trouble = "the test script sets NODE_OPTIONS itself, so node's test runner cannot be asked for a report";
  return { runner, trouble: ownNodeOptions ? trouble : null, wholeTree };
}

/** The file that `node SCRIPT` runs, by node's own order of guesses. */
async function scriptText(script: string, files: RepoFiles): Promise<string | null> {
  const path = insidePath(script);
  if (path === null) return null;
  for (const guess of [path, `${path}.js`, `${path}/index.js`]) {
    const text = await files.text(guess);
    if (text !== null) return text;
  }
  return null;
}

const NAMING = /^(?:-c|-r|--config|--require|--import|--loader|--experimental-loader|--setupFiles|--globalSetup)$/;

/** Files that commands name as configuration or preload, where the repository has them. */
async function namedFiles(steps: readonly Step[], files: RepoFiles): Promise<string[]> {
  const paths = new Set<string>();
  for (const { words } of steps)
    for (const [at, word] of words.entries()) {
      const [option = "", joined] = word.split(/=(.*)/s);
      if (!NAMING.test(option)) continue;
      const path = insidePath(joined ?? words[at + 1] ?? "");
      if (path !== null && !paths.has(path) && (await files.text(path)) !== null) paths.add(path);
    }
  return [...paths];
}

/** A relative path as git names it, null when it leads out of the repository or is a pattern. */
export function insidePath(path: string): string | null {
  const parts = path.split("/").filter((part) => part !== "." && part !== "");
  const outside = path.startsWith("/") || parts.includes("..") || parts.length === 0 || /[*?[\]{}$]/.test(path);
  return outside ? null : parts.join("/");
}
