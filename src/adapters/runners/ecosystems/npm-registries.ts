import type { RepoFiles } from "../../../ports/runners.ts";
import { hostOf } from "./ecosystem.ts";

export const NPM_REGISTRY = "https://registry.npmjs.org/";

/**
 * Hosts that clients of the npm registry may ask: the machine's own registry, those that the repository's settings name, and those of archives
 * in the lock file; sorted.
 */
export async function npmHosts(
  files: RepoFiles,
  machine: string,
  archives: readonly string[],
): Promise<readonly string[]> {
  const npmrc = (await files.text(".npmrc")) ?? "";
  const yarnrc = (await files.text(".yarnrc.yml")) ?? "";
  const named = [
    ...npmrc.matchAll(/^\s*(?:@[\w.-]+:)?registry\s*=\s*(\S+)\s*$/gm),
    ...yarnrc.matchAll(/^\s*npmRegistryServer:\s*["']?([^\s"']+)/gm),
  ].map(([, url = ""]) => url);
  const urls = [...(named.length > 0 ? named : [machine]), ...archives];
  return [...new Set(urls.filter((url) => /^https?:/.test(url) && URL.canParse(url)).map(hostOf))].sort();
}

/** Variables by which a client is told of the machine's registry; none where it is the usual one or the repository names its own. */
export const registryVariables = (machine: string, names: readonly string[]): Record<string, string> =>
  machine === NPM_REGISTRY ? {} : Object.fromEntries(names.map((name) => [name, machine]));
