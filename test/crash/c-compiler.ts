import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const COMPILER = ["gcc", "cc", "clang"].find((name) => spawnSync(name, ["--version"]).status === 0) ?? null;

/** Faults below the daemon are put there by a library that is preloaded into it. Without a compiler there are no such cases. */
export const hasCompiler = COMPILER !== null;

/** The library made of a C file beside this one; its path. */
export function compiled(name: string, directory: string): string {
  if (COMPILER === null) throw new Error("there is no C compiler");
  const library = join(directory, `${name}.so`);
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  execFileSync(COMPILER, ["-shared", "-fPIC", "-o", library, source, "-ldl"]);
  return library;
}
