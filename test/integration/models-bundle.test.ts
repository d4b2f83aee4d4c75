import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { bundle } from "../../scripts/bundle.mjs";
import { startModelServer } from "../support/model-for-tests.ts";
import { says } from "../support/scripted-model.ts";

/* What is shipped is a bundle: the SDK's packages, loaded late, must be found from there as well. */

const ROOT = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

const ENDPOINTS = { openai: "/v1", anthropic: "/v1", google: "/v1beta", llamacpp: "" } as const;

test("from a bundle a model is called over each protocol, and nothing of the SDK is loaded before", async () => {
  const directory = await bundle(ROOT, {
    kind: "models-test",
    // With the daemon, whose files it shares, as in what is shipped.
    programs: { daemon: "src/main/daemon.ts", models: "src/adapters/models/models.ts" },
    sources: ["src"],
    compiled: [],
  });
  made.push(directory);
  const entry = join(directory, "models.js");
  // What is loaded with the adapter: the chunks it names at its top.
  const first = [...readFileSync(entry, "utf8").matchAll(/^import [^;]*?from"?\s*"(\.\/[^"]+)";/gm)].map(
    ([, name]) => name ?? "",
  );
  const early = [entry, ...first.map((name) => join(directory, name))]
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  expect(early).not.toContain("createEventSourceResponseHandler");

  const server = await startModelServer({ answer: (request) => says(`heard over ${request.dialect}`) });
  const program = `
    import { models } from ${JSON.stringify(pathToFileURL(entry).href)};
    const told = {};
    for (const [kind, below] of Object.entries(${JSON.stringify(ENDPOINTS)})) {
      const asked = models({ endpoint: async () => ({ kind, baseUrl: ${JSON.stringify(server.url)} + below, key: async () => "k", prices: {} }) });
      const request = { messages: [{ role: "user", text: "hello" }], tools: [], toolChoice: "auto", output: null };
      const options = { signal: new AbortController().signal, onText: () => {} };
      told[kind] = (await asked.call({ provider: "mine", model: "scripted", parameters: {} }, request, options)).text;
    }
    process.stdout.write(JSON.stringify(told));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program]);
  expect(JSON.parse(stdout)).toEqual({
    openai: "heard over responses",
    anthropic: "heard over messages",
    google: "heard over google",
    llamacpp: "heard over chat",
  });
});
