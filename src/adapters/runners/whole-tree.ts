/*
 * Whether a command starts its test runner where it stands and on everything below. Only what is known to change nothing about that is
 * let through: an option or a word that is not known here may name one folder, one project or one test.
 */

/** Programs that change their folder, or run what nobody can tell from the text, in the very shell of the script. */
const MOVES: ReadonlySet<string> = new Set(["cd", "chdir", "pushd", "popd", "eval", "source", "."]);

export const movesOn = (program: string | undefined): boolean => program !== undefined && MOVES.has(program);

/** Programs that measure or set up the one behind their options, whatever those say. */
const ONLY_LOOK_ON: ReadonlySet<string> = new Set(["c8", "nyc", "time", "dotenv"]);
const ELSEWHERE = /^(?:-C|--cwd|--chdir|--dir|--prefix)(?:=|$)/;
const MANAGERS_OWN: ReadonlySet<string> = new Set(
  "-- -s --silent -q --quiet -y --yes --no-install --if-present -T --top-level run exec".split(" "),
);

/** Whether a word between a wrapper (npx, pnpm, c8, …) and the runner leaves the runner where the wrapper stands. */
export const keepsPlace = (wrapper: string, word: string): boolean =>
  ONLY_LOOK_ON.has(wrapper) ? !ELSEWHERE.test(word) : MANAGERS_OWN.has(word);

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** Options of vitest, jest, ava and bun that choose no tests; vitest takes them in both spellings. */
const FLAGS = words(
  [
    "run watchAll ci runInBand i serial verbose silent globals color colors cache clearMocks resetMocks restoreMocks expand injectGlobals",
    "update u updateSnapshot isolate threads fileParallelism typecheck allowOnly passWithNoTests forceExit detectOpenHandles bail",
    "logHeapUsage errorOnDeprecated dangerouslyIgnoreUnhandledErrors useStderr noStackTrace failFast retry seed randomize rerunEach",
    "w maxWorkers minWorkers maxConcurrency concurrency testTimeout hookTimeout teardownTimeout timeout T",
  ].join(" "),
);
/** Of these also what is written behind a dot: `--coverage.enabled`. */
const GROUPS = words("coverage poolOptions sequence browser");
/** Options with a value that may be the next word. */
const VALUED = words(
  [
    "reporter reporters outputFile pool environment env testEnvironment mode logLevel nodeArguments preload cacheDirectory",
    "coverageDirectory coverageReporter coverageReporters coverageProvider coverageThreshold collectCoverageFrom",
    "workerIdleMemoryLimit setupFiles setupFilesAfterEnv",
  ].join(" "),
);
const AMOUNT = /^\d+(?:%|ms|s|m)?$/;

/** Whether a runner with these arguments looks for tests everywhere below its folder. */
export function looksEverywhere(runner: string, args: readonly string[]): boolean {
  let verb = runner === "vitest";
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--" || AMOUNT.test(word)) continue;
    if (!word.startsWith("-")) {
      if (!verb || !/^(?:run|watch|dev)$/.test(word)) return false;
      verb = false;
      continue;
    }
    // jest's --watch looks at what changed only.
    if (/^--no-[\w-]+$/.test(word) || word === "--watch=false") continue;
    const [, name = "", dotted = ""] = /^--?([\w-]+)(\.[\w.-]+)?(?:=|$)/.exec(word) ?? [];
    const option = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (dotted === "" && VALUED.has(option)) at += word.includes("=") ? 0 : 1;
    else if (!GROUPS.has(option) && !(dotted === "" && FLAGS.has(option))) return false;
  }
  return true;
}

const NODE_CHOOSES =
  /^--(?:test-(?:name-pattern|skip-pattern|only|shard|rerun-failures)|experimental-(?:default-)?config-file)\b/;

/** The same of `node --test`, by its options and what stands behind them: a file or a pattern chooses. */
export const nodeLooksEverywhere = (options: readonly string[], operands: readonly string[]): boolean =>
  operands.length === 0 && !options.some((word) => NODE_CHOOSES.test(word));
