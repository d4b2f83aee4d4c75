import type { PrepareDefinition } from "../../domain/gate.ts";
import type { RepoFiles } from "../../ports/runners.ts";
import { type Lock, readLock } from "./npm-lock.ts";
import { hasDependencies, type Manifest } from "./npm-manifest.ts";

export const DEFAULT_REGISTRY = "https://registry.npmjs.org/";

/** npm's own lock files, the one it prefers first. */
const LOCKS = ["npm-shrinkwrap.json", "package-lock.json"] as const;

/** Lock files of package managers whose preparation is not detected. */
const FOREIGN_LOCKS: Readonly<Record<string, string>> = {
  "yarn.lock": "yarn",
  "pnpm-lock.yaml": "pnpm",
  "bun.lock": "bun",
  "bun.lockb": "bun",
};

interface Answer {
  readonly prepare: PrepareDefinition | null;
  readonly notes: readonly string[];
}

/** How dependencies get into a checkout of an npm project. `registry` is the one the machine's own npm is set to. */
export async function detectPrepare(
  repo: string,
  manifest: Manifest,
  files: RepoFiles,
  registry: string,
): Promise<Answer> {
  if (!hasDependencies(manifest)) return { prepare: null, notes: [] };
  if ((await files.paths("node_modules/", 1)).length > 0)
    return { prepare: null, notes: ["node_modules is part of the repository, so dependencies are not installed"] };

  for (const path of LOCKS) {
    const text = await files.text(path);
    if (text === null) continue;
    const lock = readLock(text);
    if (lock === null)
      return {
        prepare: null,
        notes: [`${path} is no valid lock file, so dependencies are not installed; name a prepare command`],
      };
    return { prepare: fromLock(repo, path, lock, registry), notes: lock.unreachable };
  }
  for (const [path, manager] of Object.entries(FOREIGN_LOCKS))
    if ((await files.text(path)) !== null)
      return {
        prepare: null,
        notes: [`${path}: dependencies by ${manager} are not detected yet; name a prepare command`],
      };

  return {
    prepare: {
      repo,
      argv: ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"],
      cwd: ".",
      inputs: wholeFiles(["package.json", ".npmrc"]),
      outputs: ["node_modules"],
      hosts: [hostOf(registry)],
      environment: environment(registry),
      reproducible: false,
    },
    notes: ["there is no lock file, so installed dependencies can differ from one task to the next"],
  };
}

function fromLock(repo: string, path: string, lock: Lock, registry: string): PrepareDefinition {
  // npm itself asks the registry it is set to wherever a lock names the default one.
  const replaced = registry === DEFAULT_REGISTRY ? null : hostOf(DEFAULT_REGISTRY);
  const hosts = new Set([hostOf(registry), ...lock.hosts.filter((host) => host !== replaced)]);
  return {
    repo,
    // Install scripts stay on: real projects need them, and they run confined.
    argv: ["npm", "ci", "--no-audit", "--no-fund"],
    cwd: ".",
    inputs: wholeFiles([path, "package.json", ".npmrc", ...lock.workspaces.map((folder) => `${folder}/package.json`)]),
    outputs: ["node_modules", ...lock.nestedModules],
    hosts: [...hosts].sort(),
    environment: environment(registry),
    reproducible: true,
  };
}

const wholeFiles = (paths: readonly string[]) => paths.map((path) => ({ path, pointer: null, sha256: null }));

/** What keeps npm from writing to a home directory it does not have and from asking for news of itself. */
export const NPM_QUIET = { npm_config_cache: "/tmp/npm-cache", npm_config_update_notifier: "false" } as const;

const environment = (registry: string): Record<string, string> => ({
  ...NPM_QUIET,
  npm_config_loglevel: "error",
  ...(registry === DEFAULT_REGISTRY ? {} : { npm_config_registry: registry }),
});

const hostOf = (url: string): string => {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "http:" ? "80" : "443")}`;
};
