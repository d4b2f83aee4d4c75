import type { GateDefinition, PrepareDefinition } from "../../../domain/gate.ts";
import type { RepoFiles } from "../../../ports/runners.ts";
import type { TestRunner } from "../test-runner.ts";

/** What the machine's own clients are set to: URLs of the registries they ask. */
export interface Registries {
  readonly npm: string;
  readonly go: string;
  readonly python: string;
}

/** A folder with a manifest, seen as if it were the whole repository. */
export interface Place {
  /** In the repository, "." for its top. */
  readonly folder: string;
  /** Paths are relative to the folder. */
  readonly files: RepoFiles;
  /** The repository's files from its top: for settings that a tool also looks for above the folder. */
  readonly top: RepoFiles;
  /** Every file below the folder that is not a dependency's; relative to it. */
  readonly paths: readonly string[];
  readonly registries: Registries;
  /** The id of this place's preparation by a tool, and so the name of its store. */
  readonly prepareId: (tool: string) => string;
}

export interface OfferedGate
  extends Pick<GateDefinition, "id" | "argv" | "judgement" | "runner" | "report" | "environment"> {
  /** Below the place's folder, where it is run. */
  readonly folder: string;
  /** Files that decide what it means, relative to the place, or after a "/" to the repository's top; `path#/pointer` for one entry of a JSON file. */
  readonly parts: readonly string[];
}

export interface OfferedPrepare extends Omit<PrepareDefinition, "repo" | "cwd" | "inputs"> {
  /** Relative to the place, as the outputs are; after a "/" to the repository's top. */
  readonly inputs: readonly string[];
}

export interface Prepared {
  readonly prepare: OfferedPrepare | null;
  readonly notes: readonly string[];
}

/** What a place offers. An id `tests` becomes the gate's whole id at the top, and `tests-<folder>` below it. */
export interface Offer {
  /** The tool, in words of its users: "pnpm", "go". */
  readonly tool: string;
  readonly gates: readonly OfferedGate[];
  readonly prepare: OfferedPrepare | null;
  readonly notes: readonly string[];
  /** Whether a folder below (relative to the place) belongs to this offer already. */
  readonly covers: (folder: string) => boolean;
}

/**
 * One kind of project. Contract: `look` reads nothing but its place and runs nothing. To add one is to write a file and to name it in
 * `ECOSYSTEMS`.
 */
export interface Ecosystem {
  /** Names of files that make a folder a place of this kind. */
  readonly manifest: RegExp;
  /** What people read when nothing is recognised. */
  readonly looksFor: string;
  readonly runners: readonly TestRunner[];
  /** Looked at only when no other kind offers tests. */
  readonly lastResort?: true;
  /** Null: not of this kind after all. */
  look(place: Place): Promise<Offer | null>;
}

export const all = (): boolean => true;
export const none = (): boolean => false;

/** A gate judged by the counts of its runner's report. */
export const testsGate = (
  argv: readonly string[],
  runner: TestRunner,
  more: Partial<Pick<OfferedGate, "folder" | "environment" | "id">> & { readonly parts: readonly string[] },
): OfferedGate => ({
  id: "tests",
  argv,
  judgement: "tests",
  runner: runner.name,
  report: runner.report,
  environment: {},
  folder: ".",
  ...more,
});

/** A file of this name in the folder and in each one above it, nearest first, as parts from the repository's top. */
export function upwards(folder: string, name: string): readonly string[] {
  const parts = folder === "." ? [] : folder.split("/");
  return Array.from(
    { length: parts.length + 1 },
    (_, up) => `/${[...parts.slice(0, parts.length - up), name].join("/")}`,
  );
}

/** A folder as part of an id. */
export function slugOf(folder: string): string {
  const plain = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+|-+$/g, "");
  return plain === "" ? "folder" : plain.slice(0, 40);
}

const LISTED_MOST = 10;

/** The first of them and the number of the others, for a note. */
export const listed = (names: readonly string[]): string =>
  names.slice(0, LISTED_MOST).join(", ") +
  (names.length > LISTED_MOST ? ` and ${names.length - LISTED_MOST} more` : "");

export const hostOf = (url: string): string => {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "http:" ? "80" : "443")}`;
};

/** The first of these files whose text matches, null when none does. */
export async function firstMatching(
  files: RepoFiles,
  paths: readonly string[],
  pattern: RegExp,
  most: number,
): Promise<string | null> {
  for (const path of paths.slice(0, most)) if (pattern.test((await files.text(path)) ?? "")) return path;
  return null;
}
