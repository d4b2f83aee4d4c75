import type { RepoFiles } from "../../../ports/runners.ts";
import { hostOf } from "./ecosystem.ts";

export const NPM_REGISTRY = "https://registry.npmjs.org/";

/**
 * Hosts that clients of the npm registry may ask: the machine's own registry or the one that the repository's settings put in its place, those
 * they name for single scopes, and those of archives in the lock file; sorted.
 */
export async function npmHosts(
  files: RepoFiles,
  machine: string,
  archives: readonly string[],
): Promise<readonly string[]> {
  const npmrc = (await files.text(".npmrc")) ?? "";
  const yarnrc = (await files.text(".yarnrc.yml")) ?? "";
  const scoped = [
    ...npmrc.matchAll(/^[ \t]*@[\w.-]+:registry\s*=\s*(\S+)\s*$/gm),
    // Below `npmScopes:`.
    ...yarnrc.matchAll(/^[ \t]+npmRegistryServer:\s*["']?([^\s"']+)/gm),
  ].map(([, url = ""]) => url);
  const own = await ownRegistries(files);
  const urls = [...(own.length > 0 ? own : [machine]), ...scoped, ...archives];
  return [...new Set(urls.filter((url) => /^https?:/.test(url) && URL.canParse(url)).map(hostOf))].sort();
}

/**
 * Variables by which a client is told of the machine's registry; none where it is the usual one, or where the repository names its own, which
 * they would overrule.
 */
export const registryVariables = async (
  files: RepoFiles,
  machine: string,
  names: readonly string[],
): Promise<Record<string, string>> =>
  machine === NPM_REGISTRY || (await ownRegistries(files)).length > 0
    ? {}
    : Object.fromEntries(names.map((name) => [name, machine]));

/** What the repository's settings say is asked for every package that belongs to no scope with a registry of its own. */
async function ownRegistries(files: RepoFiles): Promise<readonly string[]> {
  const npmrc = (await files.text(".npmrc")) ?? "";
  const yarnrc = (await files.text(".yarnrc.yml")) ?? "";
  return [
    ...npmrc.matchAll(/^[ \t]*registry\s*=\s*(\S+)\s*$/gm),
    ...yarnrc.matchAll(/^npmRegistryServer:\s*["']?([^\s"']+)/gm),
  ].map(([, url = ""]) => url);
}
