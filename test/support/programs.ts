import { existsSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { isCounting } from "./coverage.ts";

/** A program of the product as it is shipped, or of the crash tests. */
export function program(from: "product" | "crashPrograms", name: string): string {
  // What ran is counted by its place in the sources, so then the sources themselves run.
  if (from === "product" && isCounting()) return join(import.meta.dirname, "..", "..", "src", "main", `${name}.ts`);
  const directory = inject(from);
  if (directory === undefined)
    throw new Error("nothing was bundled: this suite needs test/support/bundled.ts as its globalSetup");
  const file = join(directory, `${name}.js`);
  if (!existsSync(file))
    throw new Error(`${file} is not there; the tests of programs run what was bundled for this run`);
  return file;
}
