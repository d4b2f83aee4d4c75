import type { Place } from "./ecosystem.ts";
import { folderPattern } from "./folder-pattern.ts";

/** What one `cargo test` at the top of a place reaches of the packages below it, and what becomes of the others. */
export interface CargoPackages {
  readonly workspace: boolean;
  /** Folders of the packages that it tests; "." for the one at the top. */
  readonly members: ReadonlySet<string>;
  /** Folders whose packages cargo refuses to test: below a workspace that neither has nor excludes them. */
  readonly refused: readonly string[];
  /** Folders among the tests of a package: what those build or look at, often broken on purpose. */
  readonly material: readonly string[];
  /** The package that a file belongs to: that of the nearest manifest above it. */
  readonly ownerOf: (path: string) => string;
}

/**
 * A workspace is what its `members` name, and what these depend on by path; what it excludes is in it only where `members` name it without
 * a pattern. A package without `[workspace]` is alone, whatever lies below it.
 */
export async function cargoPackages({ files, paths }: Place): Promise<CargoPackages> {
  const folders = paths.flatMap((path) =>
    path === "Cargo.toml" ? ["."] : (/^(.+)\/Cargo\.toml$/.exec(path)?.[1] ?? []),
  );
  const manifests = new Map<string, Manifest>();
  for (const folder of folders)
    manifests.set(
      folder,
      readManifest((await files.text(folder === "." ? "Cargo.toml" : `${folder}/Cargo.toml`)) ?? ""),
    );
  const top = manifests.get(".") ?? readManifest("");
  const below = folders.filter((folder) => folder !== ".");

  const named = top.members.map(folderPattern);
  const excluded = (folder: string): boolean =>
    top.exclude.some((one) => isWithin(folder, one)) && !top.members.some((one) => isWithin(folder, normal(one)));
  const first = [
    ...(top.package ? ["."] : []),
    ...below.filter((folder) => named.some((one) => one.test(folder)) && !excluded(folder)),
  ];
  const reached = closure(first, manifests, top, top.workspace ? excluded : () => false);
  const members = top.workspace ? reached : new Set(top.package ? ["."] : []);

  const rest = below.filter((folder) => !members.has(folder));
  const material = rest.filter(
    (folder) =>
      !reached.has(folder) && folders.some((other) => manifests.get(other)?.package && isAmongTests(folder, other)),
  );
  const roots = below.filter((folder) => manifests.get(folder)?.workspace);
  const refused = !top.workspace
    ? []
    : rest.filter(
        (folder) => !material.includes(folder) && !excluded(folder) && !roots.some((root) => isWithin(folder, root)),
      );
  const known = new Set(folders);
  return { workspace: top.workspace, members, refused, material, ownerOf: (path) => ownerOf(path, known) };
}

/** The packages, and what they depend on by path as far as it lies below the top. */
function closure(
  first: readonly string[],
  manifests: ReadonlyMap<string, Manifest>,
  top: Manifest,
  leftOut: (folder: string) => boolean,
): ReadonlySet<string> {
  const reached = new Set(first);
  // What is added while this runs is visited too.
  for (const folder of reached) {
    const manifest = manifests.get(folder);
    const inherited = (manifest?.inherits ?? []).flatMap((name) => top.shared.get(name) ?? []);
    const paths = [...(manifest?.paths ?? []).map((path) => `${folder}/${path}`), ...inherited];
    for (const path of paths.map(normal)) if (manifests.has(path) && !leftOut(path)) reached.add(path);
  }
  return reached;
}

const isWithin = (folder: string, other: string): boolean => folder === other || folder.startsWith(`${other}/`);

const isAmongTests = (folder: string, owner: string): boolean =>
  ["tests", "benches"].some((name) => folder.startsWith(owner === "." ? `${name}/` : `${owner}/${name}/`));

function ownerOf(path: string, folders: ReadonlySet<string>): string {
  const parts = path.split("/");
  while (parts.pop() !== undefined) if (folders.has(parts.join("/"))) return parts.join("/");
  return ".";
}

/** "." for the top, "" for what lies above it. */
function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return "";
  }
  return parts.length === 0 ? "." : parts.join("/");
}

interface Manifest {
  readonly package: boolean;
  readonly workspace: boolean;
  /** Patterns of folders. */
  readonly members: readonly string[];
  readonly exclude: readonly string[];
  /** Folders of what it depends on, from its own. */
  readonly paths: readonly string[];
  /** Names that it takes from the workspace's dependencies. */
  readonly inherits: readonly string[];
  /** The folders that the workspace's dependencies have, by name, from the workspace's. */
  readonly shared: ReadonlyMap<string, string>;
}

const COMMENT = /^((?:[^"'#\n]|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')*)#.*$/gm;
const HEADER = /^[ \t]*\[\[?([^[\]]+)\]\]?[ \t]*$/m;
const STRING = /"([^"]*)"|'([^']*)'/g;
const DEPENDENCIES = /^(?:workspace\.|target\..+\.)?(?:dev[-_]|build[-_])?dependencies(?:\.(.+))?$/;
const PATH = /\bpath\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const INHERITED = /^[ \t]*["']?([\w-]+)["']?\s*(?:\.\s*workspace\s*=\s*true|=\s*\{[^}]*\bworkspace\s*=\s*true)/gm;
const SHARED = /^[ \t]*["']?([\w-]+)["']?\s*(?:\.\s*path\s*=\s*|=\s*\{[^}]*\bpath\s*=\s*)["']([^"']*)/gm;

/** The few entries of a Cargo.toml that decide where its packages lie. */
function readManifest(text: string): Manifest {
  const [before = "", ...rest] = text.replace(/\r\n/g, "\n").replace(COMMENT, "$1").split(HEADER);
  const found = { package: false, workspace: false, members: [] as string[], exclude: [] as string[] };
  const paths: string[] = [];
  const inherits: string[] = [];
  const shared = new Map<string, string>();
  const sections: (readonly [name: string, body: string])[] = [["", before]];
  for (let at = 0; at < rest.length; at += 2)
    sections.push([(rest[at] ?? "").replace(/[\s"]/g, ""), rest[at + 1] ?? ""]);
  for (const [name, body] of sections) {
    if (name === "package" || name === "project") found.package = true;
    if (name === "workspace" || name.startsWith("workspace.")) found.workspace = true;
    if (name === "workspace") {
      found.members.push(...listOf(body, "members"));
      found.exclude.push(...listOf(body, "exclude").map(normal));
    }
    const [, only] = DEPENDENCIES.exec(name) ?? [];
    if (name === "workspace.dependencies")
      for (const [, dependency = "", path = ""] of body.matchAll(SHARED)) shared.set(dependency, path);
    else if (name.startsWith("workspace.dependencies.")) shared.set(only ?? "", strings(body, PATH)[0] ?? "");
    else if (DEPENDENCIES.test(name)) {
      paths.push(...strings(body, PATH));
      if (only === undefined) inherits.push(...[...body.matchAll(INHERITED)].map(([, dependency = ""]) => dependency));
      else if (/^[ \t]*workspace\s*=\s*true/m.test(body)) inherits.push(only);
    }
  }
  // Only a workspace can do without a package.
  return { ...found, package: found.package || !found.workspace, paths, inherits, shared };
}

const listOf = (body: string, key: string): string[] =>
  strings(new RegExp(`^\\s*${key}\\s*=\\s*\\[((?:[^"'\\]]|"[^"]*"|'[^']*')*)\\]`, "m").exec(body)?.[1] ?? "", STRING);

const strings = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, double, single]) => double ?? single ?? "");
