import { existsSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

/** A program of the product as it is shipped, or of the crash tests. */
export function program(from: "product" | "crashPrograms", name: string): string {
  const directory = inject(from);
  if (directory === undefined)
    throw new Error("nothing was bundled: this suite needs test/support/bundled.ts as its globalSetup");
  const file = join(directory, `${name}.js`);
  if (!existsSync(file))
    throw new Error(`${file} is not there; the tests of programs run what was bundled for this run`);
  return file;
}
