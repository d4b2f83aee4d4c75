import type { GateDefinition, PinnedPart } from "../../domain/gate.ts";
import type { Detected, RepoFiles } from "../../ports/runners.ts";
import { hasDependencies, type Manifest, readManifest } from "./npm-manifest.ts";
import { detectPrepare } from "./npm-prepare.ts";
import { insidePath, recogniseRunner } from "./script-runner.ts";
import { setupFiles } from "./setup-files.ts";

const TIMEOUT_MS = 600_000;

/** What a gate is before the fields that all gates of a repository share. */
type Found = Pick<GateDefinition, "id" | "argv" | "judgement" | "runner" | "report"> & {
  readonly parts: readonly string[];
};
type Answer = { readonly gate: Found | null; readonly notes: readonly string[] };

/** The gates of an npm project, in the order they are shown and run. */
const GATES: readonly ((manifest: Manifest, files: RepoFiles) => Promise<Answer>)[] = [doctor, smoke, tests];

/**
 * Gates and dependency preparation of a project with a package.json at its top. Only text is read; what the project's
 * scripts do is found out by running them, in a sandbox, elsewhere.
 */
export async function detectNpm(repo: string, files: RepoFiles, registry: string): Promise<Detected> {
  const text = await files.text("package.json");
  if (text === null)
    return {
      ecosystem: null,
      gates: [],
      prepare: null,
      notes: ["there is no package.json at the top of the repository, and only npm projects are detected; name a gate"],
    };
  const manifest = readManifest(text);
  if (manifest === null)
    return { ecosystem: "npm", gates: [], prepare: null, notes: ["package.json is no valid JSON object; name a gate"] };

  const gates: GateDefinition[] = [];
  const notes: string[] = [];
  for (const look of GATES) {
    const answer = await look(manifest, files);
    notes.push(...answer.notes);
    if (answer.gate === null) continue;
    const { parts, ...gate } = answer.gate;
    gates.push({
      ...gate,
      repo,
      cwd: ".",
      definition: pinned(parts),
      program: null,
      timeoutMs: TIMEOUT_MS,
      source: "detected",
    });
  }
  const prepare = await detectPrepare(repo, manifest, files, registry);
  return { ecosystem: "npm", gates, prepare: prepare.prepare, notes: [...notes, ...prepare.notes] };
}

/** The workspace can be worked on: the tools resolve, and what package.json asks for is installed. */
async function doctor(manifest: Manifest): Promise<Answer> {
  const argv = hasDependencies(manifest) ? ["npm", "ls", "--depth=0", "--omit=optional"] : ["node", "--version"];
  return { gate: { ...byExit("doctor", argv), parts: argv[0] === "npm" ? [".npmrc"] : [] }, notes: [] };
}

/** Scripts that show that the code holds together, best first. */
const SMOKE_SCRIPTS = ["build", "typecheck", "type-check", "check-types", "types", "compile", "tsc"] as const;

async function smoke(manifest: Manifest, files: RepoFiles): Promise<Answer> {
  const script = SMOKE_SCRIPTS.find((name) => manifest.scripts[name] !== undefined);
  if (script !== undefined)
    return {
      gate: { ...byExit("smoke", ["npm", "run", script]), parts: [...scriptParts(script), ".npmrc"] },
      notes: [],
    };
  for (const entry of manifest.entries) {
    const path = insidePath(entry.path);
    if (path === null || !/\.[cm]?js$/.test(path) || (await files.text(path)) === null) continue;
    return {
      gate: { ...byExit("smoke", ["node", "--check", path]), parts: [`package.json#${entry.pointer}`] },
      notes: [],
    };
  }
  return {
    gate: null,
    notes: [
      "package.json has no build or type check script and names no JavaScript file as its entry, so there is no gate smoke",
    ],
  };
}

async function tests(manifest: Manifest, files: RepoFiles): Promise<Answer> {
  const script = manifest.scripts["test"];
  if (script === undefined)
    return { gate: null, notes: ["package.json has no test script, so there is no gate tests"] };
  if (/\bno test specified\b/.test(script))
    return { gate: null, notes: ["the test script of package.json is npm's placeholder, so there is no gate tests"] };

  const recognised = await recogniseRunner(manifest.scripts, files);
  const { runner } = recognised;
  const configuration = runner?.configuration ?? [];
  const scripts =
    recognised.scripts === null ? ["package.json#/scripts"] : ["test", ...recognised.scripts].flatMap(scriptParts);
  const parts = [
    ...scripts,
    ".npmrc",
    ...configuration,
    ...recognised.files,
    ...(await setupFiles([...configuration, ...recognised.files], files)),
  ];
  const gate: Found = {
    id: "tests",
    argv: recognised.argv,
    judgement: "tests",
    runner: runner?.name ?? null,
    report: runner?.report ?? null,
    parts,
  };
  return { gate, notes: recognised.notes };
}

const byExit = (id: string, argv: readonly string[]): Omit<Found, "parts"> => ({
  id,
  argv,
  judgement: "exit",
  runner: null,
  report: null,
});

/** npm runs `preX` before a script and `postX` after it: all three decide what happens, there or not. */
const scriptParts = (name: string): string[] =>
  ["", "pre", "post"].map((when) => `package.json#/scripts/${escaped(when + name)}`);

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** Parts as paths or `path#/pointer`, each once. */
export const pinned = (parts: readonly string[]): PinnedPart[] =>
  [...new Set(parts)].map((part) => {
    const hash = part.indexOf("#/");
    const path = hash === -1 ? part : part.slice(0, hash);
    return { path, pointer: hash === -1 ? null : part.slice(hash + 1), sha256: null };
  });
