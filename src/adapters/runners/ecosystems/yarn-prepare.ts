import type { Place, Prepared } from "./ecosystem.ts";
import { npmHosts, registryVariables } from "./npm-registries.ts";

const CLASSIC_HOST = "registry.yarnpkg.com:443";

/** Yarn is two programs of one name; the lock file tells which. */
export async function prepareYarn(place: Place, members: readonly string[]): Promise<Prepared> {
  const lock = await place.files.text("yarn.lock");
  const berry = /^__metadata:/m.test(lock ?? "") || (await place.files.text(".yarnrc.yml")) !== null;
  return berry ? modern(place, members) : classic(place, members, lock);
}

async function classic(
  { files, registries, prepareId }: Place,
  members: readonly string[],
  lock: string | null,
): Promise<Prepared> {
  const urls = [...(lock ?? "").matchAll(/^ {2}resolved "(https?:\/\/[^"#]+)/gm)].map(([, url = ""]) => url);
  return {
    prepare: {
      id: prepareId("yarn"),
      argv: ["yarn", "install", "--non-interactive", ...(lock === null ? ["--no-lockfile"] : ["--frozen-lockfile"])],
      inputs: ["yarn.lock", "package.json", ".npmrc", ".yarnrc", ...members.map((folder) => `${folder}/package.json`)],
      outputs: ["node_modules", ...members.map((folder) => `${folder}/node_modules`)],
      stores: [],
      hosts: [
        ...new Set([...(lock === null ? [CLASSIC_HOST] : []), ...(await npmHosts(files, registries.npm, urls))]),
      ].sort(),
      environment: {
        ...(await registryVariables(files, registries.npm, ["npm_config_registry"])),
        YARN_CACHE_FOLDER: "/tmp/yarn-cache",
      },
      provides: {},
      reproducible: lock !== null,
    },
    notes:
      lock === null ? ["there is no lock file, so installed dependencies can differ from one task to the next"] : [],
  };
}

async function modern({ files, registries, prepareId }: Place, members: readonly string[]): Promise<Prepared> {
  if ((await files.text(".pnp.cjs")) !== null && (await files.paths(".yarn/cache/", 1)).length > 0)
    return { prepare: null, notes: ["yarn's cache is part of the repository, so dependencies are not installed"] };
  const id = prepareId("yarn");
  const linker = /^nodeLinker:\s*["']?node-modules/m.test((await files.text(".yarnrc.yml")) ?? "");
  return {
    prepare: {
      id,
      argv: ["yarn", "install", "--immutable"],
      inputs: ["yarn.lock", "package.json", ".yarnrc.yml", ...members.map((folder) => `${folder}/package.json`)],
      outputs: ["node_modules", ...members.map((folder) => `${folder}/node_modules`)],
      stores: [],
      hosts: await npmHosts(files, registries.npm, []),
      environment: await registryVariables(files, registries.npm, ["YARN_NPM_REGISTRY_SERVER"]),
      // A layer is directories: yarn's single file `.pnp.cjs` has no place in one.
      provides: { YARN_NODE_LINKER: "node-modules" },
      reproducible: true,
    },
    notes: linker ? [] : ["dependencies are installed as node_modules, not by yarn's Plug'n'Play"],
  };
}
