import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AgentProgram, AgentPrograms } from "../../ports/foreign.ts";

/**
 * Agents lie anywhere: in the system, in a person's node prefix, in a package folder of their own. What is found is the file behind every
 * link, and beside it what it needs to run: the whole outermost `node_modules` for a package (its other packages lie there), else
 * its directory. What the system shows anyway needs nothing.
 */
export const agentPrograms = (privateDirectories: readonly string[]): AgentPrograms => ({
  find(toolPath, names, words) {
    const named = words.flatMap((word) => seenFor(word, constants.R_OK, privateDirectories)?.directories ?? []);
    for (const name of names) {
      const places = name.startsWith("/") ? [name] : name.includes("/") ? [] : toolPath.map((one) => join(one, name));
      for (const place of places) {
        const found = seenFor(place, constants.X_OK, privateDirectories);
        if (found !== null) return { path: found.path, directories: withoutNested([...found.directories, ...named]) };
      }
    }
    return null;
  },
});

const withoutNested = (directories: readonly string[]): readonly string[] => {
  const all = [...new Set(directories)];
  return all.filter((one) => !all.some((other) => other !== one && one.startsWith(`${other}/`)));
};

const SYSTEM = /^\/(?:usr|bin|sbin|lib|lib64)\//;
/** What would show a person's things, or the system's, with the program. */
const NEVER = /^\/(?:etc|proc|sys|dev|run|boot|root|home|var|tmp|home\/[^/]+)?$/;

function seenFor(place: string, mode: number, privateDirectories: readonly string[]): AgentProgram | null {
  if (!place.startsWith("/")) return null;
  let path: string;
  try {
    path = realpathSync(place);
    accessSync(path, mode);
    if (!statSync(path).isFile()) return null;
  } catch {
    return null; // Most directories of a PATH do not hold it, and most words are no files.
  }
  if (SYSTEM.test(path)) return { path, directories: [] };
  const directory = packagesAround(path) ?? dirname(path);
  const uncovers = privateDirectories.some((home) => home === directory || home.startsWith(`${directory}/`));
  return uncovers || NEVER.test(directory) ? null : { path, directories: [directory] };
}

const packagesAround = (path: string): string | null => {
  const at = path.indexOf("/node_modules/");
  return at < 0 ? null : path.slice(0, at + "/node_modules".length);
};
