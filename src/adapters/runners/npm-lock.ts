import { z } from "zod";

export interface Lock {
  /** Hosts of the archives it names, `host:port`. */
  readonly hosts: readonly string[];
  /** Folders of workspace packages. */
  readonly workspaces: readonly string[];
  /** `node_modules` directories that npm makes outside the one at the top. */
  readonly nestedModules: readonly string[];
  /** Sentences on dependencies that no package host serves. */
  readonly unreachable: readonly string[];
}

interface Locked {
  readonly resolved?: unknown;
  readonly version?: unknown;
  readonly link?: unknown;
  readonly dependencies?: unknown;
}

const Unknown = z.unknown().optional();
const Entry = z.object({ resolved: Unknown, version: Unknown, link: Unknown, dependencies: Unknown });
const LockFile = z.object({
  lockfileVersion: z.int(),
  packages: z.record(z.string(), Entry).optional(),
  dependencies: z.record(z.string(), z.unknown()).optional(),
});

/** What an npm lock file of any version asks for; null when it is none. */
export function readLock(text: string): Lock | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // The caller says so to the person.
  }
  const parsed = LockFile.safeParse(value);
  if (!parsed.success) return null;
  const { packages = {}, dependencies = {} } = parsed.data;
  const hosts = new Set<string>();
  const unreachable: string[] = [];
  const names = Object.keys(packages);
  const entries: (readonly [string, Locked])[] = names.length > 0 ? Object.entries(packages) : oldEntries(dependencies);
  for (const [name, entry] of entries) {
    if (entry.link === true) continue;
    const source = sourceOf(entry);
    if (source === null) continue;
    if (source.host !== null) hosts.add(source.host);
    else
      unreachable.push(
        `${name.replace(/^.*node_modules\//, "")} comes from ${source.url}, which no package host serves: installing it will fail unless a prepare command is named`,
      );
  }
  return {
    hosts: [...hosts].sort(),
    workspaces: names
      .filter((name) => name !== "" && isInside(name) && !/(?:^|\/)node_modules(?:\/|$)/.test(name))
      .sort(),
    nestedModules: [...new Set(names.flatMap(nestedModules))].sort(),
    unreachable,
  };
}

/** Lock files of version 1 nest, and name what is no registry version in the place of the version. */
function oldEntries(top: Readonly<Record<string, unknown>>): [string, Locked][] {
  const found: [string, Locked][] = [];
  const pending = [top];
  for (let level = pending.pop(); level !== undefined; level = pending.pop())
    for (const [name, value] of Object.entries(level)) {
      const entry = Entry.safeParse(value);
      if (!entry.success) continue;
      found.push([name, entry.data]);
      const below = z.record(z.string(), z.unknown()).safeParse(entry.data.dependencies);
      if (below.success) pending.push(below.data);
    }
  return found;
}

/** Where an entry is fetched from: a web host, something else that is named, or null for nothing (a folder, a bundle). */
function sourceOf(entry: Locked): { readonly url: string; readonly host: string | null } | null {
  const text =
    typeof entry.resolved === "string" ? entry.resolved : typeof entry.version === "string" ? entry.version : "";
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.protocol === "file:" || url.protocol === "npm:") return null;
  if (url.protocol !== "https:" && url.protocol !== "http:") return { url: text, host: null };
  return { url: text, host: `${url.hostname}:${url.port || (url.protocol === "http:" ? "80" : "443")}` };
}

function nestedModules(name: string): string[] {
  const at = name.indexOf("/node_modules/");
  const folder = at === -1 ? "" : name.slice(0, at);
  return folder === "" || folder.startsWith("node_modules") || !isInside(folder) ? [] : [`${folder}/node_modules`];
}

/** A lock file is data of the repository: a name that leads out of it is none of ours. */
const isInside = (path: string): boolean => !path.startsWith("/") && !path.split("/").includes("..");
