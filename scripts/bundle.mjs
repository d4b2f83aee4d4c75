/**
 * Makes of the sources what starts quickly: one file per program, commands loaded as they are typed, types taken out, parsed
 * code kept.
 *
 *     node scripts/bundle.mjs     the product's own; prints the name of its directory in .setup
 *
 * A bundle's directory is named after the digest of everything it was made of, so one that exists is right and never changes:
 * whoever runs from it keeps what they started with while the sources move on.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** A daemon may run for long, and still start its reading thread from the bundle it came from. */
const KEPT = 8;
const ABANDONED_MS = 3_600_000;
const TRIES_MAX = 5;

/** The product: each program by its name. `daemon` is there for those who start one inside a process of their own. */
export const PRODUCT = {
  kind: "bundle",
  programs: {
    cli: "src/main/cli.ts",
    "daemon-program": "src/main/daemon-program.ts",
    daemon: "src/main/daemon.ts",
    "scanning-worker": "src/adapters/store/scanning-worker.ts",
    "writing-worker": "src/adapters/store/writing-worker.ts",
  },
  sources: ["src"],
  compiled: ["daemon"],
};

/** Files that are read as they are, from beside the code that names them. */
const BESIDE = [
  "src/adapters/sandbox/bridge.mjs",
  "src/adapters/policy/agentos.cedarschema",
  "src/adapters/policy/default.cedar",
];

/** Native code, and what finds files of its own beside itself. */
const OUTSIDE = ["better-sqlite3", "@cedar-policy/cedar-wasm", "@napi-rs/keyring"];

/**
 * The bundle of these sources, made now unless it is there: the absolute path of its directory.
 *
 * @param {string} root the checkout
 * @param {import("./bundle.d.mts").Bundled} wanted
 * @returns {Promise<string>}
 */
export async function bundle(root, wanted = PRODUCT) {
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    const directory = directoryOf(root, wanted);
    if (existsSync(directory)) return directory;
    const making = `${directory}.${process.pid}`;
    mkdirSync(dirname(making), { recursive: true });
    try {
      await write(root, wanted.programs, making);
      // Edited in between: then its name would be wrong.
      if (directoryOf(root, wanted) !== directory) continue;
      settle(making, directory);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
    compile(directory, wanted.compiled);
    forgetOld(join(root, ".setup"), wanted.kind, directory);
    return directory;
  }
  throw new Error(`the sources changed ${TRIES_MAX} times while they were bundled`);
}

/** Named after all it is made of. */
function directoryOf(root, { kind, programs, sources }) {
  const digest = digestOf(root, JSON.stringify([kind, programs, process.platform]), [
    "package-lock.json",
    "scripts/bundle.mjs",
    ...sources,
  ]);
  return join(root, ".setup", `${kind}-${digest.slice(0, 20)}`);
}

async function write(root, programs, directory) {
  const together = filesTogether(root);
  const made = await rolldown({
    cwd: root,
    platform: "node",
    input: programs,
    preserveEntrySignatures: "allow-extension",
    external: (id) => OUTSIDE.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [builtinsByName, together.plugin],
    onLog(level, log) {
      if (level === "warn" && log.code !== "EVAL") throw new Error(log.message);
    },
  });
  try {
    await made.write({
      dir: directory,
      format: "esm",
      sourcemap: true,
      // A map names places in the sources, and those are there.
      sourcemapExcludeSources: true,
      entryFileNames: "[name].js",
      chunkFileNames: "[name]-[hash].js",
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [{ name: together.nameOf, debugName: "together" }],
      },
    });
  } finally {
    await made.close();
  }
  for (const file of BESIDE) copyFileSync(join(root, file), join(directory, basename(file)));
}

/** What a command line loads in one go, with all that these import: each file more costs a start half a millisecond. */
const TOGETHER = [
  ["own", ["src/main/cli.ts"]],
  ["words", ["src/interfaces/cli/run.ts"]],
  ["look", ["src/interfaces/cli/first-look.ts"]],
  [
    "api",
    [
      "src/config/config.ts",
      "src/interfaces/cli/daemon-process.ts",
      "src/interfaces/cli/list-options.ts",
      "src/interfaces/cli/task-reference.ts",
      "src/interfaces/cli/task-text.ts",
      "src/interfaces/client/client.ts",
    ],
  ],
];

function filesTogether(root) {
  const groupOf = new Map();
  return {
    nameOf: (id) => groupOf.get(id) ?? null,
    plugin: {
      name: "files-together",
      buildEnd() {
        const take = (group, id) => {
          // Of the schema library the daemon needs twice as much: what both need is a file of its own without being told.
          if (groupOf.has(id) || id.includes("/node_modules/zod/")) return;
          groupOf.set(id, group);
          for (const imported of this.getModuleInfo(id)?.importedIds ?? []) take(group, imported);
        };
        for (const [group, files] of TOGETHER) for (const file of files) take(group, join(root, file));
        for (const id of [join(root, "src/main/cli.ts")]) groupOf.delete(id);
      },
    },
  };
}

/**
 * `import … from "node:http"` reads every export there is, and some are getters that load half of Node: 30 ms of each start for
 * a WebSocket nobody uses. Here each name is read alone.
 */
const BUILTIN = "\0builtin:";
/** Builtins that take long to load, and what of them may be loaded with its first call: starting programs is nothing that most commands do. */
const LATER = { "node:child_process": ["spawn"] };
const loadedLater = (name, exported) => {
  const builtin = `process.getBuiltinModule(${JSON.stringify(name)})`;
  return [
    `export default /* @__PURE__ */ new Proxy({}, { get: (_, name) => ${builtin}[name] });`,
    ...exported.map((one) =>
      LATER[name].includes(one)
        ? `export const ${one} = (...given) => ${builtin}.${one}(...given);`
        : `export const ${one} = /* @__PURE__ */ (() => ${builtin}.${one})();`,
    ),
  ].join("\n");
};
const RUNTIME = "\0rolldown/runtime.js";
const builtinsByName = {
  name: "builtins-by-name",
  // Apart for each importer: what one of them uses, the others need not load. Not for the bundler's own runtime, which every file loads
  // first: what it imports must lie in none of them, or they wait for each other in a circle.
  resolveId: (id, importer, { kind }) =>
    kind === "import-statement" && isBuiltin(id) && importer !== RUNTIME ? `${BUILTIN}${id}?${importer}` : null,
  load(id) {
    if (!id.startsWith(BUILTIN)) return null;
    const name = id.slice(BUILTIN.length, id.indexOf("?"));
    const exported = Object.keys(process.getBuiltinModule(name)).filter((one) =>
      /^(?!default$)[a-zA-Z_]\w*$/.test(one),
    );
    if (Object.hasOwn(LATER, name)) return loadedLater(name, exported);
    return [
      `const builtin = process.getBuiltinModule(${JSON.stringify(name)});`,
      "export default builtin;",
      ...exported.map((one) => `export const ${one} = /* @__PURE__ */ (() => builtin.${one})();`),
    ].join("\n");
  },
};

/** Whoever is first has made it; another's is the same. */
function settle(making, directory) {
  try {
    renameSync(making, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
  }
}

/** Loads them once, so that their parsed code is there for the first start. */
function compile(directory, names) {
  if (names.length === 0) return;
  const loads = names.map((name) => join(directory, `${name}.js`));
  const program = `
    import { enableCompileCache, flushCompileCache } from "node:module";
    enableCompileCache(${JSON.stringify(join(directory, "compiled"))});
    for (const file of ${JSON.stringify(loads)}) await import(file);
    flushCompileCache();
    process.exit(0);`;
  execFileSync(process.execPath, ["--input-type=module", "--eval", program], { stdio: "ignore" });
}

function forgetOld(state, kind, current) {
  const now = new Date();
  utimesSync(current, now, now);
  const others = readdirSync(state)
    .filter((name) => name.startsWith(`${kind}-`) && join(state, name) !== current)
    .map((name) => ({ path: join(state, name), finished: !name.includes("."), changed: changedAt(join(state, name)) }))
    .sort((a, b) => b.changed - a.changed);
  const running = commandLines();
  const finished = others.filter(
    (one) => one.finished && !running.some((words) => words.includes(`${basename(one.path)}/`)),
  );
  const abandoned = others.filter((one) => !one.finished && now.getTime() - one.changed > ABANDONED_MS);
  for (const { path } of [...finished.slice(KEPT - 1), ...abandoned]) rmSync(path, { recursive: true, force: true });
}

/** Of every process, where the system shows them: a daemon begins its threads from the bundle it was started from, however old that is. */
function commandLines() {
  if (!existsSync("/proc/self/cmdline")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return ""; // ended in between
      }
    });
}

function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Over names and bytes of files and folders, unit tests left out. */
function digestOf(root, words, paths) {
  const hash = createHash("sha256").update(words);
  const files = paths.flatMap((path) =>
    statSync(join(root, path)).isDirectory()
      ? readdirSync(join(root, path), { recursive: true }).map((name) => join(path, name))
      : [path],
  );
  for (const file of files.filter((name) => !name.endsWith(".test.ts")).sort()) {
    if (statSync(join(root, file)).isDirectory()) continue;
    const bytes = readFileSync(join(root, file));
    hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  try {
    process.stdout.write(`${basename(await bundle(root))}\n`);
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes(error.code)) throw error;
    process.stderr.write(
      `set-up: this account cannot write to ${join(root, ".setup")}; its owner's next start mends that\n`,
    );
    process.exitCode = 1;
  }
}
