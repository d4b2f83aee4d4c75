import { existsSync, readFileSync } from "node:fs";

/** The whole lines of a file of JSON lines; a last one that was cut off by a death is none. */
export function linesOf<T>(file: string): readonly T[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
