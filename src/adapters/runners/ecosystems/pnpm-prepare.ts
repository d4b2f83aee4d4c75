import type { Place, Prepared } from "./ecosystem.ts";
import { npmHosts, registryVariables } from "./npm-registries.ts";

/** `pnpm install`; its store is thrown away, because a layer must not lead out of itself. */
export async function preparePnpm(
  { files, registries, prepareId }: Place,
  members: readonly string[],
): Promise<Prepared> {
  const lock = await files.text("pnpm-lock.yaml");
  const tarballs = [...(lock ?? "").matchAll(/\btarball: ["']?(https?:\/\/[^\s"',}]+)/g)].map(([, url = ""]) => url);
  return {
    prepare: {
      id: prepareId("pnpm"),
      argv: ["pnpm", "install", ...(lock === null ? ["--no-lockfile"] : ["--frozen-lockfile"])],
      inputs: [
        ...["pnpm-lock.yaml", "package.json", ".npmrc", "pnpm-workspace.yaml", ".pnpmfile.cjs"],
        ...members.map((folder) => `${folder}/package.json`),
      ],
      outputs: ["node_modules", ...members.map((folder) => `${folder}/node_modules`)],
      stores: [],
      hosts: await npmHosts(files, registries.npm, tarballs),
      // pnpm took these names until 10, and `pnpm_config_…` since.
      environment: {
        ...(await registryVariables(files, registries.npm, ["npm_config_registry", "pnpm_config_registry"])),
        npm_config_store_dir: "/tmp/pnpm-store",
        pnpm_config_store_dir: "/tmp/pnpm-store",
      },
      provides: {},
      reproducible: lock !== null,
    },
    notes:
      lock === null ? ["there is no lock file, so installed dependencies can differ from one task to the next"] : [],
  };
}
