import { hostOf, type OfferedPrepare, type Place, type Prepared } from "./ecosystems/ecosystem.ts";
import { type Lock, readLock } from "./npm-lock.ts";

export const DEFAULT_REGISTRY = "https://registry.npmjs.org/";

/** npm's own lock files, the one it prefers first. */
const LOCKS = ["npm-shrinkwrap.json", "package-lock.json"] as const;

/** How dependencies get into a checkout of an npm project. */
export async function prepareNpm({ files, registries, prepareId }: Place): Promise<Prepared> {
  const registry = registries.npm;
  const id = prepareId("npm");
  for (const path of LOCKS) {
    const text = await files.text(path);
    if (text === null) continue;
    const lock = readLock(text);
    if (lock === null)
      return {
        prepare: null,
        notes: [`${path} is no valid lock file, so dependencies are not installed; name a prepare command`],
      };
    return { prepare: fromLock(id, path, lock, registry), notes: lock.unreachable };
  }
  return {
    prepare: {
      id,
      argv: ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"],
      inputs: ["package.json", ".npmrc"],
      outputs: ["node_modules"],
      stores: [],
      hosts: [hostOf(registry)],
      environment: environment(registry),
      provides: {},
      reproducible: false,
    },
    notes: ["there is no lock file, so installed dependencies can differ from one task to the next"],
  };
}

function fromLock(id: string, path: string, lock: Lock, registry: string): OfferedPrepare {
  // npm itself asks the registry it is set to wherever a lock names the default one.
  const replaced = registry === DEFAULT_REGISTRY ? null : hostOf(DEFAULT_REGISTRY);
  const hosts = new Set([hostOf(registry), ...lock.hosts.filter((host) => host !== replaced)]);
  return {
    id,
    // Install scripts stay on: real projects need them, and they run confined.
    argv: ["npm", "ci", "--no-audit", "--no-fund"],
    inputs: [path, "package.json", ".npmrc", ...lock.workspaces.map((folder) => `${folder}/package.json`)],
    outputs: ["node_modules", ...lock.nestedModules],
    stores: [],
    hosts: [...hosts].sort(),
    environment: environment(registry),
    provides: {},
    reproducible: true,
  };
}

/** What keeps npm from writing to a home directory it does not have and from asking for news of itself. */
export const NPM_QUIET = { npm_config_cache: "/tmp/npm-cache", npm_config_update_notifier: "false" } as const;

const environment = (registry: string): Record<string, string> => ({
  ...NPM_QUIET,
  npm_config_loglevel: "error",
  ...(registry === DEFAULT_REGISTRY ? {} : { npm_config_registry: registry }),
});
