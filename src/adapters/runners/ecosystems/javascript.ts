import type { RepoFiles } from "../../../ports/runners.ts";
import { reachesFolders } from "../configured-reach.ts";
import { BUN_TEST, SCRIPT_RUNNERS } from "../known-runners.ts";
import { hasDependencies, type Manifest, readManifest } from "../npm-manifest.ts";
import { insidePath, type Recognised, recogniseRunner } from "../script-runner.ts";
import { setupFiles } from "../setup-files.ts";
import { below } from "./below.ts";
import {
  type Ecosystem,
  none,
  type Offer,
  type OfferedGate,
  type Place,
  type Prepared,
  testsGate,
} from "./ecosystem.ts";
import {
  PACKAGE_MANAGERS,
  type PackageManager,
  type PackageManagerName,
  packageManagerOf,
} from "./package-managers.ts";
import { memberFolders } from "./workspace-members.ts";

interface Look {
  readonly place: Place;
  readonly manifest: Manifest;
  readonly manager: PackageManager;
  readonly members: readonly string[];
}
type Answer = { readonly gates: readonly OfferedGate[]; readonly notes: readonly string[] };

/** The gates of a package, in the order they are shown and run; below the top of the repository only its tests are asked for. */
const GATES: readonly ((look: Look) => Promise<Answer>)[] = [doctor, smoke, tests];

/**
 * Gates and dependency preparation of a folder with a package.json. Only text is read; what the project's scripts do is found out by
 * running them, in a sandbox, elsewhere.
 */
export const javascript: Ecosystem = {
  manifest: /^package\.json$/,
  looksFor: "package.json",
  runners: SCRIPT_RUNNERS,
  async look(place) {
    const manifest = readManifest((await place.files.text("package.json")) ?? "");
    if (manifest === null) return bare("npm", ["package.json is no valid JSON object; name a gate"]);
    const name = await packageManagerOf(manifest, place.files);
    const manager: PackageManager = PACKAGE_MANAGERS[name];
    const members = await memberFolders(place, manifest);
    const look: Look = { place, manifest, manager, members };

    const gates: OfferedGate[] = [];
    const notes: string[] = [];
    for (const ask of place.folder === "." ? GATES : [tests]) {
      const answer = await ask(look);
      notes.push(...answer.notes);
      gates.push(...answer.gates);
    }
    const prepared = await dependencies(look, name);
    return {
      tool: name,
      gates,
      prepare: prepared.prepare,
      notes: [...notes, ...prepared.notes],
      covers: (folder) => members.includes(folder),
    };
  },
};

const bare = (tool: string, notes: readonly string[]): Offer => ({
  tool,
  gates: [],
  prepare: null,
  notes,
  covers: none,
});

async function dependencies({ place, manifest, manager, members }: Look, name: PackageManagerName): Promise<Prepared> {
  if (!hasDependencies(manifest) && members.length === 0) return { prepare: null, notes: [] };
  // yarn's newer versions run no script of a project that they did not install, so theirs is prepared also without packages.
  if ((await place.files.paths("node_modules/", 1)).length > 0)
    return { prepare: null, notes: ["node_modules is part of the repository, so dependencies are not installed"] };
  const foreign = await otherLock(place.files, name);
  const prepared = await manager.prepare(place, members);
  return foreign === null ? prepared : { ...prepared, notes: [...prepared.notes, foreign] };
}

async function otherLock(files: RepoFiles, name: PackageManagerName): Promise<string | null> {
  for (const lock of PACKAGE_MANAGERS[name].locks) if ((await files.text(lock)) !== null) return null;
  for (const [other, { locks }] of Object.entries(PACKAGE_MANAGERS))
    for (const lock of locks)
      if ((await files.text(lock)) !== null) return `package.json asks for ${name}, so ${lock} of ${other} is not used`;
  return null;
}

/** The workspace can be worked on: the tools resolve, and what package.json asks for is installed. */
async function doctor({ manifest, manager, members }: Look): Promise<Answer> {
  const argv = manager.doctor(hasDependencies(manifest) || members.length > 0);
  return { gates: [{ ...byExit("doctor", argv), parts: argv.includes("ls") ? manager.settings : [] }], notes: [] };
}

/** Scripts that show that the code holds together, best first. */
const SMOKE_SCRIPTS = ["build", "typecheck", "type-check", "check-types", "types", "compile", "tsc"] as const;

async function smoke({ place: { files }, manifest, manager }: Look): Promise<Answer> {
  const script = SMOKE_SCRIPTS.find((name) => manifest.scripts[name] !== undefined);
  if (script !== undefined)
    return {
      gates: [{ ...byExit("smoke", manager.run(script)), parts: [...scriptParts(script), ...manager.settings] }],
      notes: [],
    };
  for (const entry of manifest.entries) {
    const path = insidePath(entry.path);
    if (path === null || !/\.[cm]?js$/.test(path) || (await files.text(path)) === null) continue;
    return {
      gates: [{ ...byExit("smoke", ["node", "--check", path]), parts: [`package.json#${entry.pointer}`] }],
      notes: [],
    };
  }
  return {
    gates: [],
    notes: [
      "package.json has no build or type check script and names no JavaScript file as its entry, so there is no gate smoke",
    ],
  };
}

/** Runners that look for tests in the whole tree below where they start. */
const WHOLE_TREE: ReadonlySet<string> = new Set(["vitest", "jest", "ava", "bun test", "node:test"]);

async function tests(look: Look): Promise<Answer> {
  const { place, manifest, manager, members } = look;
  if (members.length === 0) return packageTests(place, manifest, manager, ".", "tests");

  const own = manifest.scripts["test"] === undefined ? null : await recogniseRunner(manifest.scripts, place.files);
  const looksBelow = own !== null && own.runner !== null && WHOLE_TREE.has(own.runner.name);
  if (looksBelow && own.wholeTree && (await reachesFolders(own.runner?.configuration ?? [], place.files, members))) {
    const answer = await packageTests(place, manifest, manager, ".", "tests");
    const said = `the test script at the top starts ${own.runner?.name} over the whole tree, so it stands for all ${members.length} packages`;
    return { ...answer, notes: [said, ...answer.notes] };
  }
  const gates: OfferedGate[] = [];
  const notes: string[] = [];
  const ids = new Set<string>(["tests"]);
  for (const folder of members) {
    const inner = readManifest((await place.files.text(`${folder}/package.json`)) ?? "");
    if (inner?.scripts["test"] === undefined || isPlaceholder(inner.scripts["test"])) continue;
    const id = freeId(ids, inner.name, folder);
    const answer = await packageTests(place, inner, manager, folder, id);
    gates.push(...answer.gates);
    notes.push(...answer.notes.map((note) => `${folder}: ${note}`));
  }
  const hasOwn = own !== null && (own.runner !== null || gates.length === 0);
  const top = hasOwn || gates.length === 0 ? await packageTests(place, manifest, manager, ".", "tests") : NOTHING;
  const told =
    gates.length === 0
      ? `none of its ${members.length} packages has a test script of its own`
      : `each of the ${gates.length} packages with a test script has a gate of its own${own === null || hasOwn ? "" : "; the test script at the top is not run, because it only hands over to them or cannot be counted"}`;
  const part = looksBelow
    ? `the test script at the top does not plainly start ${own.runner?.name} over the whole tree, so it stands for no package; `
    : "";
  return { gates: [...top.gates, ...gates], notes: [part + told, ...top.notes, ...notes] };
}

const NOTHING: Answer = { gates: [], notes: [] };

const isPlaceholder = (script: string): boolean => /\bno test specified\b/.test(script);

/** `tests-` and the last part of the package's name; its folder where that is taken or has no letter, and a number behind that. */
function freeId(taken: Set<string>, name: string | null, folder: string): string {
  const stems = [name?.split("/").at(-1) ?? folder, folder, `${slug(folder)}-package`]
    .map(slug)
    .filter((stem) => stem !== "");
  const last = stems.at(-1) ?? "package";
  const numbered = Array.from({ length: taken.size + 1 }, (_, index) => `${last}-${index + 2}`);
  const id = [...stems, ...numbered].map((stem) => `tests-${stem}`).find((one) => !taken.has(one));
  if (id === undefined) throw new Error("as many ids as are taken, and one more, were all taken");
  taken.add(id);
  return id;
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+|-+$/g, "")
    .slice(0, 50);

async function packageTests(
  place: Place,
  manifest: Manifest,
  manager: PackageManager,
  folder: string,
  id: string,
): Promise<Answer> {
  const files = below(place.files, folder);
  const script = manifest.scripts["test"];
  const inFolder = (path: string): string => (folder === "." ? path : `${folder}/${path}`);
  if (script === undefined && manager === PACKAGE_MANAGERS.bun) {
    const own = place.paths.filter((path) => folder === "." || path.startsWith(`${folder}/`));
    if (own.some((path) => BUN_TEST_FILE.test(path)))
      return {
        gates: [testsGate(["bun", "test"], BUN_TEST, { id, folder, parts: BUN_TEST.configuration.map(inFolder) })],
        notes: [],
      };
  }
  if (script === undefined) return { gates: [], notes: ["package.json has no test script, so there is no gate tests"] };
  if (isPlaceholder(script))
    return { gates: [], notes: ["the test script of package.json is npm's placeholder, so there is no gate tests"] };

  const recognised = await recogniseRunner(manifest.scripts, files);
  const parts = [...(await scriptsAndSettings(recognised, manager, files))].map(inFolder);
  const { runner } = recognised;
  const gate: OfferedGate = {
    id,
    argv: manager.test(recognised.dashes),
    judgement: "tests",
    runner: runner?.name ?? null,
    report: runner?.report ?? null,
    environment: {},
    folder,
    parts: [...parts, ...(folder === "." ? [] : manager.settings)],
  };
  return { gates: [gate], notes: recognised.notes };
}

const BUN_TEST_FILE = /(?:[._]test|[._]spec)\.[cm]?[jt]sx?$/;

async function scriptsAndSettings(
  recognised: Recognised,
  manager: PackageManager,
  files: RepoFiles,
): Promise<readonly string[]> {
  const configuration = recognised.runner?.configuration ?? [];
  const scripts =
    recognised.scripts === null ? ["package.json#/scripts"] : ["test", ...recognised.scripts].flatMap(scriptParts);
  return [
    ...scripts,
    ...manager.settings,
    ...configuration,
    ...recognised.files,
    ...(await setupFiles([...configuration, ...recognised.files], files)),
  ];
}

const byExit = (id: string, argv: readonly string[]): Omit<OfferedGate, "parts"> => ({
  id,
  argv,
  judgement: "exit",
  runner: null,
  report: null,
  environment: {},
  folder: ".",
});

/** npm runs `preX` before a script and `postX` after it: all three decide what happens, there or not. */
const scriptParts = (name: string): string[] =>
  ["", "pre", "post"].map((when) => `package.json#/scripts/${escaped(when + name)}`);

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
