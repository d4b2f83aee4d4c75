import type { Draft, NamedGate, NamedPrepare } from "../domain/draft.ts";
import type { RepoFacts } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import { type GateDefinition, type PinnedPart, type PrepareDefinition, partName } from "../domain/gate.ts";
import { pinned } from "../domain/pin.ts";
import type { RepoFiles } from "../ports/runners.ts";
import type { AppDependencies } from "./deps.ts";

export const GATE_TIMEOUT_MS = 10 * 60_000;

/** What has to be known of a repo to look through it; `id` only for the words of a refusal. */
export type PinnedRepo = Pick<RepoFacts, "id" | "name" | "path" | "toolPath" | "directory">;

export interface Pins {
  readonly commit: string;
  readonly gates: readonly GateDefinition[];
  readonly prepare: readonly PrepareDefinition[];
  readonly ecosystems: readonly string[];
  readonly notes: readonly string[];
}

/**
 * What the repository's present commit offers, completed and replaced by what a person named, with digests and programs: the gates and
 * preparations as a spec freezes them. Without a commit, or with one that cannot be worked on: `repo/unsupported`.
 */
export async function pinRepo(
  deps: AppDependencies,
  repo: PinnedRepo,
  branch: string | null,
  gatesOfIt: readonly NamedGate[],
  draft: Pick<Draft, "prepare">,
  only: boolean,
): Promise<Pins> {
  const state = await deps.workspaces.inspect(repo.path, branch);
  if (state.unsupported.length > 0)
    throw new Failure("repo/unsupported", `${repo.path}: ${state.unsupported.join("; ")}`);
  const isThere = branch === null || state.branch === branch;
  const commit = isThere ? state.head : await deps.workspaces.branchHead(repo.path, branch);
  // One that has no commit at all is not supported, and was refused above.
  if (commit === null)
    throw new Failure("repo/unsupported", `${repo.path} has no branch ${branch}`, {
      next: `Name another: agentos repo set ${repo.id} --branch NAME, or --branch ${repo.name}=NAME for this task.`,
    });
  const files: RepoFiles = {
    text: (path) => deps.workspaces.fileAt(repo.path, commit, path),
    paths: (prefix, most) => deps.workspaces.pathsAt(repo.path, commit, prefix, most),
  };
  const detected = await detectIn(deps, repo, files);
  const named = gatesOfIt.map((gate) => namedGate(gate, repo, usualDefinition(gate, detected.gates)));
  const replaced = new Set(named.map(({ id }) => id));
  const gates: GateDefinition[] = [];
  for (const gate of [...detected.gates.filter(({ id }) => !replaced.has(id)), ...named]) {
    const [program] = gate.argv;
    gates.push({
      ...gate,
      definition: await pinAll(deps, files, gate.definition),
      program:
        program === undefined || program.includes("/") ? null : await deps.programs.resolve(repo.toolPath, program),
    });
  }
  const wanted = draft.prepare.filter((one) => one.repo === repo.name || (one.repo === null && only));
  const chosen =
    wanted.length === 0
      ? detected.prepare
      : wanted.filter(({ argv }) => argv.length > 0).map((one, index) => namedPrepare(one, repo, index));
  const prepare: PrepareDefinition[] = [];
  for (const one of chosen) prepare.push({ ...one, inputs: await pinAll(deps, files, one.inputs) });
  return { commit, gates, prepare, ecosystems: detected.ecosystems, notes: detected.notes };
}

/** Naming one preparation replaces everything detected: who knows better knows all of it. */
const namedPrepare = (one: NamedPrepare, { name, directory }: PinnedRepo, index: number): PrepareDefinition => ({
  repo: name,
  id: index === 0 ? "named" : `named-${index + 1}`,
  argv: one.argv,
  cwd: directory ?? ".",
  inputs: one.inputs.map((path) => ({ path, pointer: null, sha256: null })),
  outputs: one.outputs,
  stores: [],
  hosts: one.hosts,
  environment: {},
  provides: {},
  reproducible: one.inputs.length > 0,
});

/** What there is to run in the part of the repository that is meant, said from the repository's top. */
async function detectIn(
  deps: AppDependencies,
  { name, directory }: PinnedRepo,
  files: RepoFiles,
): ReturnType<AppDependencies["runners"]["detect"]> {
  if (directory === undefined) return deps.runners.detect(name, files);
  const below = (path: string): string => (path === "." || path === "" ? directory : `${directory}/${path}`);
  const found = await deps.runners.detect(name, {
    text: (path) => files.text(below(path)),
    paths: async (prefix = "", most) =>
      (await files.paths(below(prefix), most)).map((path) => path.slice(directory.length + 1)),
  });
  const part = <P extends { readonly path: string }>(one: P): P => ({ ...one, path: below(one.path) });
  return {
    ...found,
    gates: found.gates.map((gate) => ({ ...gate, cwd: below(gate.cwd), definition: gate.definition.map(part) })),
    prepare: found.prepare.map((one) => ({
      ...one,
      cwd: below(one.cwd),
      inputs: one.inputs.map(part),
      outputs: one.outputs.map(below),
    })),
  };
}

/**
 * What decides the meaning of a named gate when the person named nothing: shell scripts it calls, and, where it goes through the
 * package's scripts, what the detected gates are pinned by.
 */
function usualDefinition(gate: NamedGate, detected: readonly GateDefinition[]): readonly PinnedPart[] {
  if (gate.definition.length > 0) return gate.definition.map((path) => ({ path, pointer: null, sha256: null }));
  const words = gate.argv.flatMap((word) => word.split(/[\s;&|()]+/));
  const scripts = words.filter(
    (word) => /^(\.\/)?[\w./-]+\.sh$/.test(word) && !word.includes("..") && !word.startsWith("/"),
  );
  const throughPackage = words.some((word) => /^(npm|npx|yarn|pnpm|bun)$/.test(word));
  const parts = [
    ...scripts.map((word) => ({ path: word.replace(/^\.\//, ""), pointer: null, sha256: null })),
    ...(throughPackage ? detected.flatMap(({ definition }) => definition) : []),
  ];
  return parts.filter((part, index) => parts.findIndex((other) => partName(other) === partName(part)) === index);
}

const namedGate = (
  gate: NamedGate,
  { name, directory }: PinnedRepo,
  definition: readonly PinnedPart[],
): GateDefinition => ({
  id: gate.id,
  repo: name,
  ...(gate.beside !== undefined && gate.beside !== "all" && gate.beside.length > 0 && { beside: gate.beside }),
  argv: gate.argv,
  cwd: directory === undefined ? gate.cwd : gate.cwd === "." ? directory : `${directory}/${gate.cwd}`,
  judgement: gate.judgement,
  runner: null,
  report: gate.report,
  definition,
  program: null,
  timeoutMs: gate.timeoutMs ?? GATE_TIMEOUT_MS,
  environment: {},
  source: "named",
});

async function pinAll(deps: AppDependencies, files: RepoFiles, parts: readonly PinnedPart[]): Promise<PinnedPart[]> {
  const done: PinnedPart[] = [];
  for (const part of parts) done.push(pinned(part, await files.text(part.path), deps.seal, deps.digest));
  return done;
}
