import { mkdirSync, readdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { acpProtocol } from "../../src/adapters/acp/acp-client.ts";
import { egressProxy } from "../../src/adapters/egress/proxy.ts";
import { mcpProtocol } from "../../src/adapters/mcp/mcp-protocol.ts";
import { agentPrograms } from "../../src/adapters/sandbox/agent-program.ts";
import { bubblewrapSandbox } from "../../src/adapters/sandbox/bubblewrap.ts";
import { sha256Hex } from "../../src/adapters/store/seal.ts";
import { grantedThings } from "../../src/adapters/system/granted.ts";
import { runFiles } from "../../src/adapters/system/run-files.ts";
import { type AgentGrants, NO_GRANTS } from "../../src/domain/foreign-agent.ts";
import { agentTrials } from "../../src/main/agent-trials.ts";
import { offeredTools } from "../../src/main/offered-tools.ts";
import { testAgent } from "../support/acp-kit.ts";
import { room, TOOL_PATH } from "./task-kit.ts";

/* Agents and servers of tools tried outside of any task: real processes in the real sandbox, with what was granted and nothing else. */

const SERVER = join(import.meta.dirname, "..", "fixtures", "mcp", "server.mjs");

let home: string;
let model: Server;
let host: string;
let trial: (prompt: string, grants?: Partial<AgentGrants>) => ReturnType<ReturnType<typeof agentTrials>["test"]>;
let offered: (argv: readonly string[], grants?: Partial<AgentGrants>) => Promise<readonly string[]>;
beforeAll(async () => {
  home = join(room(), "home");
  mkdirSync(home, { mode: 0o700 });
  const sandbox = bubblewrapSandbox({ privateDirectories: [home], hostEnvironment: process.env });
  const files = runFiles({ home, owner: sandbox.owner(), digest: sha256Hex });
  const granted = grantedThings({ MODEL_URL: "http://model", OTHER_URL: "http://other" }, home);
  const shared = { sandbox, files, egress: egressProxy(), granted, toolPath: TOOL_PATH };
  const trials = agentTrials({ ...shared, protocol: acpProtocol() });
  const [path = "", script = "", ...args] = await testAgent();
  trial = (prompt, grants = {}) =>
    trials.test(
      {
        launcher: null,
        path,
        directories: [dirname(path), dirname(script)],
        args: [script, ...args],
        grants: { ...NO_GRANTS, ...grants },
      },
      prompt,
    );
  const tools = offeredTools({ ...shared, programs: agentPrograms([home]), protocol: mcpProtocol() });
  offered = async (argv, grants = {}) => {
    const server = { name: "notes", argv, grants: { ...NO_GRANTS, ...grants }, tools: [] };
    return (await tools.offered(TOOL_PATH, server)).map(({ name }) => name);
  };
  model = createServer((_, answer) => answer.end("a model's answer")).listen(0, "127.0.0.1");
  await new Promise((resolve) => model.once("listening", resolve));
  host = `localhost:${(model.address() as AddressInfo).port}`;
});
afterAll(() => model.close());

/** What a trial leaves in the data directory. */
const left = (): readonly string[] =>
  readdirSync(home, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));

describe("an agent on trial", () => {
  it("may change its scratch, is told no for everything else it asks for, and leaves nothing behind", async () => {
    const report = await trial(
      [
        "!self hello.txt hello",
        "!ask edit b.txt",
        "!ask execute rm -rf /",
        "!write c.txt through its client",
        "!read hello.txt",
        "!terminal touch d.txt",
      ].join("\n"),
    );
    expect({ ...report, message: null }).toEqual({
      stop: "error",
      message: null,
      changed: ["asked.txt (6 bytes)", "hello.txt (6 bytes)"],
      asked: ["edit: b.txt", "execute: rm -rf /"],
      denied: ["write /workspace/scratch/c.txt", "read /workspace/scratch/hello.txt", "run touch d.txt"],
      trouble: "run touch d.txt: not in a trial",
    });
    expect(report.message.split("\n")).toEqual([
      "self wrote hello.txt",
      "asked: yes",
      "asked: no",
      "write refused: write /workspace/scratch/c.txt: not in a trial",
      "read refused: read /workspace/scratch/hello.txt: not in a trial",
    ]);
    expect(left()).toEqual([]);
  });

  it("gets the variables and reaches the hosts that were granted, and no others; what they hold is in no report", async () => {
    const prompt = ["!variable MODEL_URL", "!variable OTHER_URL", `!fetch http://${host}/`].join("\n");
    const { message } = await trial(prompt, { variables: ["MODEL_URL", "NOT_SET"], hosts: [host] });
    expect(message.split("\n")).toEqual([
      "variable MODEL_URL is [redacted]",
      "variable OTHER_URL is not there",
      `fetch: {"status":200,"text":"a model's answer"}`,
    ]);
    const without = await trial(prompt);
    expect(without.message.split("\n")).toEqual([
      "variable MODEL_URL is not there",
      "variable OTHER_URL is not there",
      "fetch refused: fetch failed",
    ]);
    expect(left()).toEqual([]);
  });
});

describe("a server of tools that is asked what it offers", () => {
  it("answers with what it was granted, and leaves nothing behind", async () => {
    const names = ["read_note", "write_note"];
    expect(await offered(["node", SERVER, "plain"])).toEqual(names);
    expect(await offered(["node", SERVER, "plain"], { variables: ["MODEL_URL", "NOT_SET"], hosts: [host] })).toEqual(
      names,
    );
    expect(left()).toEqual([]);
  });
});
