import type { GateDefinition, PinnedPart, PrepareDefinition } from "../../domain/gate.ts";
import type { Detected, RepoFiles } from "../../ports/runners.ts";
import { ECOSYSTEMS } from "./ecosystems/all.ts";
import { below } from "./ecosystems/below.ts";
import { type Ecosystem, type Offer, type OfferedGate, type Registries, slugOf } from "./ecosystems/ecosystem.ts";
import { depthOf, isLookedAt } from "./ecosystems/looked-at.ts";

const TIMEOUT_MS = 600_000;
const PATHS_MAX = 50_000;
const DEPENDENCIES = /(?:^|\/)(?:node_modules|vendor|\.venv|venv|\.git)\//;

/** Gates and preparations of every kind of project in the repository. Only text is read. */
export async function detect(repo: string, files: RepoFiles, registries: Registries): Promise<Detected> {
  const paths = (await files.paths("", PATHS_MAX)).filter((path) => !DEPENDENCIES.test(path));
  const found: Found = { tools: new Set(), gates: [], prepare: [], notes: [], ids: new Set() };
  const ecosystems: readonly Ecosystem[] = Object.values(ECOSYSTEMS);
  for (const ecosystem of ecosystems) {
    if (ecosystem.lastResort === true && found.gates.some((gate) => gate.judgement === "tests")) continue;
    const covers: ((folder: string) => boolean)[] = [];
    for (const folder of foldersOf(ecosystem, paths)) {
      if (covers.some((covered) => covered(folder))) continue;
      const inside =
        folder === "."
          ? paths
          : paths.flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : []));
      const offer = await ecosystem.look({
        folder,
        files: below(files, folder),
        top: files,
        paths: inside,
        registries,
        prepareId: (tool) => (folder === "." ? tool : `${tool}-${slugOf(folder)}`),
      });
      if (offer === null) continue;
      covers.push(
        (other) =>
          (folder === "." || other.startsWith(`${folder}/`)) &&
          offer.covers(folder === "." ? other : other.slice(folder.length + 1)),
      );
      take(found, repo, folder, offer);
    }
  }
  if (found.tools.size === 0)
    found.notes.push(
      `no kind of project is recognised (${ecosystems.map(({ looksFor }) => looksFor).join(", ")}); name a gate`,
    );
  const { tools, gates, prepare, notes } = found;
  return { ecosystems: [...tools], gates, prepare, notes };
}

interface Found {
  readonly tools: Set<string>;
  readonly gates: GateDefinition[];
  readonly prepare: PrepareDefinition[];
  readonly notes: string[];
  readonly ids: Set<string>;
}

function foldersOf(ecosystem: Ecosystem, paths: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/");
    const name = parts.pop() ?? "";
    const folder = parts.join("/");
    if (!ecosystem.manifest.test(name) || !isLookedAt(folder)) continue;
    folders.add(folder === "" ? "." : folder);
  }
  return [...folders].sort((a, b) => depthOf(a) - depthOf(b) || (a < b ? -1 : 1));
}

function take(found: Found, repo: string, folder: string, offer: Offer): void {
  // A folder below that offers no tests is somebody's tool or demo: nothing is installed for it.
  if (folder !== "." && offer.gates.length === 0) return;
  const where = (path: string): string => {
    if (path.startsWith("/")) return path.slice(1);
    return folder === "." ? path : path === "." ? folder : `${folder}/${path}`;
  };
  found.tools.add(offer.tool);
  for (const gate of offer.gates)
    found.gates.push({
      id: freeId(found.ids, gate, folder, offer.tool),
      repo,
      argv: gate.argv,
      cwd: where(gate.folder),
      judgement: gate.judgement,
      runner: gate.runner,
      report: gate.report,
      definition: pinnedParts(gate.parts.map(where)),
      program: null,
      timeoutMs: TIMEOUT_MS,
      environment: gate.environment,
      source: "detected",
    });
  if (offer.prepare !== null) {
    const { inputs, outputs, ...rest } = offer.prepare;
    found.prepare.push({
      ...rest,
      repo,
      cwd: folder,
      inputs: [...new Set(inputs.map(where))].map((path) => ({ path, pointer: null, sha256: null })),
      outputs: outputs.map(where),
    });
  }
  found.notes.push(...offer.notes.map((note) => (folder === "." ? note : `${folder}: ${note}`)));
}

/** At the top a gate's own id; below it the folder's name behind it, the tool's where that is taken. */
function freeId(taken: Set<string>, { id }: OfferedGate, folder: string, tool: string): string {
  const stem = folder === "." ? id : `${id}-${slugOf(folder)}`;
  const free = [stem, `${stem}-${tool}`, ...Array.from({ length: 100 }, (_, at) => `${stem}-${tool}-${at + 2}`)].find(
    (one) => !taken.has(one),
  );
  if (free === undefined) throw new Error(`no id is free for the gate ${id} of ${folder}`);
  taken.add(free);
  return free;
}

/** Parts as paths or `path#/pointer`, each once. */
function pinnedParts(parts: readonly string[]): PinnedPart[] {
  return [...new Set(parts)].map((part) => {
    const hash = part.indexOf("#/");
    const path = hash === -1 ? part : part.slice(0, hash);
    return { path, pointer: hash === -1 ? null : part.slice(hash + 1), sha256: null };
  });
}
