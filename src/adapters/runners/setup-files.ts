import type { RepoFiles } from "../../ports/runners.ts";
import { insidePath } from "./script-runner.ts";

/** Keys of runner configurations whose value names files that run before the tests. */
const SETUP =
  /["']?\b(?:setupFiles|setupFilesAfterEnv|globalSetup|globalTeardown|require)["']?\s*:\s*(\[[^\]]{0,2000}\]|"[^"\n]{1,300}"|'[^'\n]{1,300}')/g;
const LITERAL = /"([^"\n]{1,300})"|'([^'\n]{1,300})'/g;

/**
 * Setup files that configurations name literally, where the repository has them. What a configuration computes is not
 * followed: it is pinned itself, and what it reaches stands in the candidate's changes for everybody to see.
 */
export async function setupFiles(configurations: readonly string[], files: RepoFiles): Promise<string[]> {
  const found: string[] = [];
  for (const configuration of new Set(configurations)) {
    const text = await files.text(configuration.split("#/")[0] ?? configuration);
    if (text === null) continue;
    const base = configuration.includes("#/") ? "" : configuration.split("/").slice(0, -1).join("/");
    for (const [, value = ""] of text.matchAll(SETUP))
      for (const [, double, single] of value.matchAll(LITERAL)) {
        const literal = (double ?? single ?? "").replace(/^<rootDir>\//, "./");
        const path = literal.startsWith("./") ? insidePath(base === "" ? literal : `${base}/${literal}`) : null;
        if (path !== null && (await files.text(path)) !== null) found.push(path);
      }
  }
  return found;
}
