import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";

/** A real llama.cpp behind llama-server's protocol: test/engine/server.ts in a process of its own. */
export interface EngineServer {
  readonly url: string;
  readonly pid: number;
  /** The name its only model has. */
  readonly model: string;
  close(): Promise<void>;
}

const root = join(import.meta.dirname, "../..");
export const TINY_MODEL = join(root, "test/fixtures/models/agentos-tiny-tools.gguf");

/** Why there is no engine here, for the title of what is skipped; null where it is installed. */
export const noEngine: string | null = existsSync(join(root, "test/engine/node_modules/@fugood/node-llama-linux-x64"))
  ? null
  : "no engine: sh scripts/test-engine.sh installs it";

const servers = new Set<EngineServer>();
afterAll(async () => {
  for (const server of servers) await server.close();
});

/** Starts it with the tiny model loaded; it ends with the test file at the latest. */
export async function startEngine(
  wanted: { readonly contextTokens?: number; readonly neverEnds?: boolean } = {},
): Promise<EngineServer> {
  const child = spawn(
    process.execPath,
    [
      join(root, "test/engine/server.ts"),
      ...["--model", TINY_MODEL, "--ctx-size", String(wanted.contextTokens ?? 2048)],
      ...(wanted.neverEnds === true ? ["--ignore-eos"] : []),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const ended = once(child, "exit");
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout });
  const url = await Promise.race([
    new Promise<string>((resolve) => {
      lines.on("line", (line) => {
        const found = /^listening on (http:\S+)$/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    }),
    ended.then(() => {
      throw new Error(`the engine ended before it listened: ${errors}`);
    }),
  ]);
  const made: EngineServer = {
    url,
    pid: child.pid ?? 0,
    model: "agentos-tiny-tools",
    close: async () => {
      servers.delete(made);
      child.kill("SIGTERM");
      await ended;
    },
  };
  servers.add(made);
  while ((await fetch(`${url}/health`)).status === 503);
  return made;
}
