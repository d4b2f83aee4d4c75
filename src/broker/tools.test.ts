import { describe, expect, it } from "vitest";
import { captured, type Given, givenDesk, untilEnded } from "../../test/support/given-desk.ts";
import { NO_GRANTS } from "../domain/foreign-agent.ts";
import { type OfferedTool, type ToolServer, toolDigest } from "../domain/tool-server.ts";
import type { SandboxSession } from "../ports/sandbox.ts";
import type { ToolAsked } from "../ports/tool-protocol.ts";
import type { BrokerDependencies } from "./deps.ts";
import { toolCapabilities } from "./tools.ts";

const FIND: OfferedTool = { name: "find", description: "finds", schema: {} };
const seal = givenDesk().deps.seal;
const SERVER: ToolServer = {
  name: "docs",
  argv: ["docs-server", "--stdio"],
  grants: NO_GRANTS,
  tools: [
    { ...FIND, digest: toolDigest(seal, FIND) },
    { ...FIND, name: "no__name", digest: "d" },
  ],
};

/** A server that offers this now and answers so. */
function calls(given: Given = {}, server: Partial<ToolServer> = {}, offered: OfferedTool | null = FIND) {
  const toolProtocol = {
    call: async (_: SandboxSession, { agreed, redact }: ToolAsked) => {
      agreed(offered);
      return { text: redact("found it with value-of-KEY"), isError: false };
    },
  };
  const { deps, desk, pass, seen } = givenDesk({
    ...given,
    desk: { toolServers: [{ ...SERVER, ...server }], ...given.desk },
    deps: { toolProtocol, ...given.deps } as unknown as BrokerDependencies,
  });
  return { seen, can: toolCapabilities(deps, desk, pass) };
}

describe("a tool of a server", () => {
  it("is offered by server and name; one that no model could be told apart by is not", () => {
    expect(calls().can.tools).toEqual([
      { name: "docs__find", server: "docs", tool: "find", description: "finds", schema: {} },
    ]);
  });

  it("is called in a server that was started for it, in the sandbox, and is ended then; it is evidence", async () => {
    const { can, seen } = calls({
      session: (_, signal) => ({ outcome: untilEnded(signal, { stderr: captured("noise") }) }),
    });
    expect(await can.callTool("docs__find", { q: 1 })).toEqual({ text: "found it with value-of-KEY", isError: false });
    expect(seen.acts).toMatchObject([{ kind: "tool", repo: "app", server: "docs", tool: "find", network: [] }]);
    expect(seen.commands[0]).toMatchObject({
      argv: ["/opt/docs-server", "--stdio"],
      cwd: "/workspace/app",
      egressSocket: null,
    });
    expect(seen.commands[0]?.mounts.at(-1)).toEqual({ host: "/opt", inside: "/opt", access: "read" });
    expect(seen.effects[0]).toMatchObject({
      touched: ["app"],
      evidence: [{ kind: "tool", server: "docs", tool: "find", stderr: { digest: "blob of noise" } }],
    });
  });

  it("in planning looks and touches nothing, works in the part that is meant, and its secrets are not told", async () => {
    const given: Given = {
      desk: { phase: "planning", item: { id: "mend" } } as unknown as NonNullable<Given["desk"]>,
      spec: { repos: { app: { role: "primary", branch: null, directory: "web" } } },
      connections: [{ host: "h", port: 1, verdict: "denied", bytesUp: 0, bytesDown: 0, reason: null }],
    };
    const { can, seen } = calls(given, { grants: { hosts: ["h:1"], variables: ["KEY"], files: [] } });
    expect((await can.callTool("docs__find", {})).text).toBe("found it with [redacted]");
    expect(seen.inputs).toMatchObject([{ tool: { item: "mend" } }]);
    expect(seen.commands[0]).toMatchObject({ cwd: "/workspace/app/web", environment: { KEY: "value-of-KEY" } });
    expect(seen.doors[0]?.allowPrivate.at(-1)).toEqual({ host: "h", port: 1 });
    expect(seen.effects[0]?.touched).toEqual([]);
    expect(seen.effects[0]?.evidence.at(-1)).toMatchObject({ kind: "egress", verdict: "denied" });
    expect(seen.denied).toHaveLength(1);
  });

  it("that says a secret on its stderr, in two pieces or where that is cut, leaves it in no record", async () => {
    const noise = `value-of-KEY${"x".repeat(32 * 1024 - 4)}`;
    const { can, seen } = calls(
      {
        session: ({ onStderr }) => {
          for (const piece of ["it is value-", "of-KEY, va"]) onStderr(new TextEncoder().encode(piece));
          return { outcome: Promise.resolve({ stderr: captured(noise) }) };
        },
      },
      { grants: { ...NO_GRANTS, variables: ["KEY"] } },
    );
    await can.callTool("docs__find", {});
    expect(seen.said.join("")).toBe("it is [redacted], va");
    expect(seen.effects[0]?.evidence[0]).toMatchObject({
      stderr: { digest: `blob of ted]${"x".repeat(32 * 1024 - 4)}` },
    });
  });

  it.each([
    [null, "the tool find of docs is gone"],
    [{ ...FIND, description: "finds, and sends" }, "the tool find of docs is not what was agreed on any more"],
  ])("that is not what was agreed on is not called: %j", async (offered, message) => {
    const { can, seen } = calls({}, { grants: { ...NO_GRANTS, hosts: ["h:1"] } }, offered);
    await expect(can.callTool("docs__find", {})).rejects.toMatchObject({ code: "act/denied", message });
    expect(seen.closed).toBe(1);
  });

  it("that there is none of, or whose program is missing, is said", async () => {
    for (const name of ["other", "docs__no__name"])
      await expect(calls().can.callTool(name, {})).rejects.toThrow(`there is no tool ${name}`);
    const { can } = calls({ deps: { agentPrograms: { find: () => null } } });
    await expect(can.callTool("docs__find", {})).rejects.toMatchObject({
      code: "agent/missing",
      message: "the program docs-server of the tool server docs was not found",
    });
  });

  it("fails as its sandbox fails", async () => {
    const outcome = () => Promise.reject(new Error("no sandbox"));
    const { can } = calls({ session: () => ({ outcome: outcome() }) });
    await expect(can.callTool("docs__find", {})).rejects.toThrow("no sandbox");
  });
});
