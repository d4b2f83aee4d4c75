import { join } from "node:path";
import { bundle } from "../../scripts/bundle.mjs";

/** The command of the tests' agent: bundled, so that it needs nothing but Node where it runs. */
export async function testAgent(...flags: readonly string[]): Promise<readonly string[]> {
  const root = join(import.meta.dirname, "..", "..");
  const directory = await bundle(root, {
    kind: "acp-agent",
    programs: { "acp-agent": "test/support/acp-agent.ts" },
    sources: ["test/support/acp-agent.ts"],
    compiled: [],
  });
  return [process.execPath, join(directory, "acp-agent.js"), ...flags];
}
