import type { Place, Prepared } from "./ecosystem.ts";
import { npmHosts, registryVariables } from "./npm-registries.ts";

/** `bun install`; without its hard links, which cannot leave the cache that is thrown away. */
export async function prepareBun(
  { files, registries, prepareId }: Place,
  members: readonly string[],
): Promise<Prepared> {
  const text = await files.text("bun.lock");
  const locked = text !== null || (await files.text("bun.lockb")) !== null;
  const tarballs = [...(text ?? "").matchAll(/"(https?:\/\/[^"\s]+\.tgz)"/g)].map(([, url = ""]) => url);
  return {
    prepare: {
      id: prepareId("bun"),
      argv: ["bun", "install", ...(locked ? ["--frozen-lockfile"] : ["--no-save"]), "--backend=copyfile"],
      inputs: [
        ...["bun.lock", "bun.lockb", "package.json", "bunfig.toml", ".npmrc"],
        ...members.map((folder) => `${folder}/package.json`),
      ],
      outputs: ["node_modules", ...members.map((folder) => `${folder}/node_modules`)],
      stores: [],
      hosts: await npmHosts(files, registries.npm, tarballs),
      environment: {
        ...(await registryVariables(files, registries.npm, ["BUN_CONFIG_REGISTRY"])),
        BUN_INSTALL_CACHE_DIR: "/tmp/bun-cache",
      },
      provides: {},
      reproducible: locked,
    },
    notes: locked ? [] : ["there is no lock file, so installed dependencies can differ from one task to the next"],
  };
}
