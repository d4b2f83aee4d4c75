import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundle, PRODUCT } from "../../scripts/bundle.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    /** The directory of the product's bundle, made of the sources as they are now. */
    readonly product: string;
    /** The directory with the bundled programs of the crash tests. */
    readonly crashPrograms: string;
  }
}

/** Programs that only tests start, hundreds of times. */
const CRASH_PROGRAMS = {
  kind: "test-bundle",
  programs: {
    "daemon-under-test": "test/crash/daemon-under-test.ts",
    "scanning-worker": "src/adapters/store/scanning-worker.ts",
    "writing-worker": "src/adapters/store/writing-worker.ts",
  },
  sources: ["src", "test/crash"],
  compiled: [],
};

/** Once per run of the tests, before any: what they start as processes is the product as it is shipped. */
export default async function setup({ provide }: TestProject): Promise<void> {
  const root = join(import.meta.dirname, "..", "..");
  provide("product", await bundle(root, PRODUCT));
  provide("crashPrograms", await bundle(root, CRASH_PROGRAMS));
}
