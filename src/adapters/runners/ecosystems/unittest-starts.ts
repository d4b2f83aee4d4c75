import type { Place } from "./ecosystem.ts";
import { depthOf, isLookedAt, isPassedOver } from "./looked-at.ts";

/** One run of `unittest discover`: from a folder, for one of the two ways in which test files are named. */
export interface Start {
  readonly folder: string;
  readonly suffix: boolean;
  readonly files: readonly string[];
}

export interface Starts {
  readonly starts: readonly Start[];
  /** Files named as tests that no start reaches. */
  readonly leftOut: readonly string[];
  /** Folders of projects below whose tests are theirs to run. */
  readonly theirs: ReadonlySet<string>;
}

/** What makes a folder a project, and not only a place with settings of some tool. */
const PROJECTS = [
  [/^(.+)\/setup\.py$/, null],
  [/^(.+)\/pyproject\.toml$/, /^[ \t]*\[(?:project|build-system|tool\.poetry)\]/m],
  [/^(.+)\/setup\.cfg$/, /^[ \t]*\[metadata\]/m],
] as const;
const IMPORTABLE = /(?:^|\/)[a-z_]\w*\.py$/i;
const PREFIX = /(?:^|\/)test[^/]*$/;
/** A method that is a test, in a file that speaks of unittest or of a class with tests: anything else may only be named so. */
const DECLARES = [
  /^[ \t]+(?:async[ \t]+)?def test|\brunTest\b|^def load_tests\b/m,
  /\bunittest\b|^class [^(\n]+\([^)]*(?:Test|Case)/m,
];
const READ_MOST = 400;

/**
 * Discovery looks into a folder below its start only where that is a package, and for one pattern of names. So each file is reached from the
 * nearest folder upwards that is no package, and files named `*_test.py` by a run of their own.
 */
export async function unittestStarts(place: Place, tests: readonly string[]): Promise<Starts> {
  const packages = new Set(place.paths.flatMap((path) => /^(.+)\/__init__\.py$/.exec(path)?.[1] ?? []));
  const projects = await projectsBelow(place);
  const holds = holdingAll(tests, packages);
  const found = new Map<string, { folder: string; suffix: boolean; files: string[] }>();
  const leftOut: string[] = [];
  const theirs = new Set<string>();
  for (const path of tests) {
    const folder = startOf(path, packages);
    const owner = projects.find((project) => isWithin(folder, project));
    if (
      owner !== undefined &&
      folder !== holds &&
      isLookedAt(place.folder === "." ? owner : `${place.folder}/${owner}`)
    ) {
      theirs.add(owner);
      continue;
    }
    if (!IMPORTABLE.test(path)) {
      leftOut.push(path);
      continue;
    }
    const suffix = !PREFIX.test(path);
    const start = found.get(`${suffix} ${folder}`) ?? { folder, suffix, files: [] };
    found.set(`${suffix} ${folder}`, start);
    start.files.push(path);
  }
  const all = [...found.values()].sort((a, b) => order(a) - order(b) || (a.folder < b.folder ? -1 : 1));
  if (all.length < 2) return { starts: all, leftOut, theirs };
  const starts: Start[] = [];
  const others: Start[] = [];
  let read = 0;
  for (const start of all) {
    const looks = !isPassedOver(start.folder) && (read > READ_MOST || (await declares(place, start.files)));
    read += start.files.length;
    (looks ? starts : others).push(start);
  }
  // Where no test is seen at all, the first one is asked: it will say that it found none.
  if (starts.length === 0) starts.push(...others.splice(0, 1));
  return { starts, leftOut: [...leftOut, ...others.flatMap(({ files }) => files)], theirs };
}

async function projectsBelow({ files, paths }: Place): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths)
    for (const [name, says] of PROJECTS) {
      const folder = name.exec(path)?.[1];
      if (folder !== undefined && (says === null || says.test((await files.text(path)) ?? ""))) found.push(folder);
    }
  return found;
}

/** The folder that all tests are in, where it is no package: they may import from the top, so they are run from there. */
function holdingAll(tests: readonly string[], packages: ReadonlySet<string>): string {
  const folders = [...new Set(tests.map((path) => /^([^/]+)\//.exec(path)?.[1] ?? "."))];
  const [only = "."] = folders;
  return folders.length > 1 || packages.has(only) ? "." : only;
}

const order = ({ folder, suffix }: Start): number => (suffix ? 1000 : 0) + depthOf(folder);

const isWithin = (folder: string, other: string): boolean => folder === other || folder.startsWith(`${other}/`);

function startOf(path: string, packages: ReadonlySet<string>): string {
  const parts = path.split("/").slice(0, -1);
  while (packages.has(parts.join("/"))) parts.pop();
  return parts.length === 0 ? "." : parts.join("/");
}

async function declares({ files }: Place, paths: readonly string[]): Promise<boolean> {
  for (const path of paths.slice(0, READ_MOST)) {
    const text = (await files.text(path)) ?? "";
    if (DECLARES.every((pattern) => pattern.test(text))) return true;
  }
  return false;
}
