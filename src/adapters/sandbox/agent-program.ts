import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Unusable } from "../../domain/found-program.ts";
import type { AgentProgram, AgentPrograms } from "../../ports/foreign.ts";

/**
 * Agents lie anywhere: in the system, in a person's node prefix, in a package folder of their own. What is found is the file behind every
 * link, and beside it what it needs to run: the whole outermost `node_modules` for a package (its other packages lie there), else
 * its directory. What the system shows anyway needs nothing.
 */
export const agentPrograms = (privateDirectories: readonly string[]): AgentPrograms => ({
  find(toolPath, names, words) {
    const named = words.flatMap((word) => {
      const found = seenFor(word, constants.R_OK, privateDirectories);
      return found !== null && "path" in found ? found.directories : [];
    });
    let unusable: Unusable | null = null;
    for (const name of names) {
      const places = name.startsWith("/") ? [name] : name.includes("/") ? [] : toolPath.map((one) => join(one, name));
      for (const place of places) {
        const found = seenFor(place, constants.X_OK, privateDirectories);
        if (found === null) continue;
        if ("path" in found) return { path: found.path, directories: withoutNested([...found.directories, ...named]) };
        unusable ??= found;
      }
    }
    return unusable;
  },
});

const withoutNested = (directories: readonly string[]): readonly string[] => {
  const all = [...new Set(directories)];
  return all.filter((one) => !all.some((other) => other !== one && one.startsWith(`${other}/`)));
};

const SYSTEM = /^\/(?:usr|bin|sbin|lib|lib64)\//;
/** What would show a person's things, or the system's, with the program. */
const NEVER = /^\/(?:etc|proc|sys|dev|run|boot|root|home|var|tmp|home\/[^/]+)?$/;

function seenFor(place: string, mode: number, privateDirectories: readonly string[]): AgentProgram | Unusable | null {
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
  const uncovered = privateDirectories.find((home) => home === directory || home.startsWith(`${directory}/`));
  if (uncovered !== undefined) return notShown(directory, `it would show ${uncovered} as well`);
  return NEVER.test(directory)
    ? notShown(directory, "all kinds of things lie there")
    : { path, directories: [directory] };
}

const notShown = (directory: string, why: string): Unusable => ({
  unusable: `is there, but its folder ${directory} may not be shown in the sandbox (${why}); put it into a folder of its own`,
  next: "Put it into a folder of its own, and name that place.",
});

const packagesAround = (path: string): string | null => {
  const at = path.indexOf("/node_modules/");
  return at < 0 ? null : path.slice(0, at + "/node_modules".length);
};
