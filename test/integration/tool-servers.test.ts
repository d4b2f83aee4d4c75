import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import type { Project } from "../../src/domain/project.ts";
import type { Agent, ToolCapabilities } from "../../src/ports/agent.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

/*
 * Servers of tools: confined as the phase says, agreed to by digest, and believed in nothing. The agent here calls what the test says, in
 * planning and at work, and writes down what it was told.
 */

const SERVER = join(import.meta.dirname, "..", "fixtures", "mcp", "server.mjs");
const told: string[] = [];
let calls: readonly { readonly name: string; readonly input: Readonly<Record<string, unknown>> }[] = [];

const callAll = async (can: ToolCapabilities): Promise<void> => {
  for (const { name, input } of calls)
    try {
      told.push((await can.callTool(name, input)).text);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      told.push(`${String(error.code)}: ${error.message}`);
    }
};

const CALLER: Agent = {
  ...scriptAgent,
  kind: "builtin",
  async plan(can) {
    await callAll(can);
    const [scope] = can.spec.scopes;
    const item = { id: "work", title: "w", repo: scope?.repo ?? "", paths: ["a.txt"], commands: [] };
    return { items: [{ ...item, risk: "low", criterion: null, dependsOn: [] }], notes: [] };
  },
  async work(item, can) {
    await callAll(can);
    await can.write(item.repo, "a.txt", "changed\n", null);
    return { done: true };
  },
};

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ agents: { builtin: CALLER }, models: NO_MODELS_NEEDED });
  await rig.system.store.append({
    stream: "policy/models",
    expected: 0,
    events: [
      {
        actor: ADA,
        atMs: 1,
        event: {
          type: "MODEL_POLICY_SET",
          body: { policy: { any: { use: [{ provider: "p", model: "m", parameters: {} }], budget: {} } } },
        },
      },
    ],
    blobs: [],
    lease: null,
  });
});
afterAll(() => rig.stop());

const NO_MODELS_NEEDED = {
  call: () => Promise.reject(new Error("a model was called")),
  contextTokens: async () => null,
};

const server = (manner: string) => ({
  name: "notes",
  argv: ["node", SERVER, manner],
  grants: { hosts: [], variables: [], files: [] },
});

async function projectWith(manner: string): Promise<Project> {
  const project = await rig.project(repository({ "a.txt": "one\n" }));
  const { offered } = await rig.system.cases.addToolServer(ADA, project.id, server(manner));
  await rig.system.cases.pinTools(
    ADA,
    project.id,
    "notes",
    offered.flatMap(({ digest, callable }) => (callable === null ? [] : [digest])),
  );
  return project;
}

async function through(
  project: Project,
  wanted: typeof calls,
): Promise<{ readonly id: string; readonly said: string[] }> {
  told.length = 0;
  calls = wanted;
  const { plan: _, ...given } = plan("true");
  const id = await rig.approved(project, { ...given, agent: "builtin", gates: [gate("true")] });
  await rig.until(id, "succeeded", "failed", "blocked");
  return { id, said: [...told] };
}

describe("tools of a configured server", () => {
  it("read the workspace, and write it only where the phase lets anyone: planning mounts refuse what a hint denies", async () => {
    const project = await projectWith("plain");
    const { id, said } = await through(project, [
      { name: "notes__read_note", input: { path: "a.txt" } },
      { name: "notes__write_note", input: {} },
    ]);
    expect(said).toEqual(["one\n", "refused: EROFS", "one\n", "written"]);
    const acts = (await rig.bodies(id, "STEP_STARTED")).flatMap(({ act }) => (act.kind === "tool" ? [act.tool] : []));
    expect(acts).toEqual(["read_note", "write_note", "read_note", "write_note"]);
  });

  it("are nobody's before a person has agreed to them", async () => {
    const project = await rig.project(repository());
    await rig.system.cases.addToolServer(ADA, project.id, server("plain"));
    const { said } = await through(project, [{ name: "notes__read_note", input: { path: "a.txt" } }]);
    expect(said[0]).toBe("input/invalid: there is no tool notes__read_note");
  });

  it("that changed since are refused, and the change is named", async () => {
    const project = await projectWith("plain");
    const [agreed] = project.settings.toolServers ?? (await rig.system.cases.toolServersOf(project.id));
    if (agreed === undefined) throw new Error("no server was kept");
    await rig.system.cases.changeProject(ADA, project.id, {
      settings: { toolServers: [{ ...agreed, argv: ["node", SERVER, "changed"] }] },
    });
    const { said } = await through(project, [{ name: "notes__read_note", input: { path: "a.txt" } }]);
    expect(said[0]).toBe("act/denied: the tool read_note of notes is not what was agreed on any more");
    expect((await rig.system.cases.probeToolServer(project.id, "notes")).changes).toEqual([
      "read_note is not what was agreed on",
    ]);
  });

  it("with a name that only looks like another cannot be agreed to", async () => {
    const project = await rig.project(repository());
    const { offered } = await rig.system.cases.addToolServer(ADA, project.id, server("homoglyph"));
    const odd = offered.find(({ callable }) => callable === null);
    await expect(rig.system.cases.pinTools(ADA, project.id, "notes", [odd?.digest ?? ""])).rejects.toThrow(
      "has a name that no model could call",
    );
  });

  it("that say too much are cut, and a server that wants a model of its client gets none", async () => {
    const huge = await through(await projectWith("huge"), [{ name: "notes__read_note", input: { path: "a.txt" } }]);
    expect(huge.said[0]?.slice(-40)).toMatch(/\[cut: \d+ characters more\]$/);
    const sampling = await through(await projectWith("sampling"), [{ name: "notes__read_note", input: {} }]);
    expect(sampling.said[0]).toBe("refused -32601");
  });

  it("of a server that never stops talking fail as what they are, and the project gets no server", async () => {
    const project = await rig.project(repository());
    await expect(rig.system.cases.addToolServer(ADA, project.id, server("endless"))).rejects.toMatchObject({
      code: "agent/failed",
    });
    expect(await rig.system.cases.toolServersOf(project.id)).toEqual([]);
  });

  it("are agreed to only as they are offered now, of a server that the project has once", async () => {
    const { id, name } = await rig.project(repository());
    const { offered } = await rig.system.cases.addToolServer(ADA, id, server("plain"));
    const digest = "0".repeat(64);
    await expect(rig.system.cases.addToolServer(ADA, id, server("plain"))).rejects.toMatchObject({
      code: "project/refused",
      message: `the project ${name} has a tool server notes already`,
      next: `agentos mcp remove ${name} notes`,
    });
    await expect(rig.system.cases.pinTools(ADA, id, "notes", [offered[0]?.digest ?? "", digest])).rejects.toMatchObject(
      {
        code: "project/refused",
        message: `the server notes offers no tool with the digest ${digest} now`,
        next: `agentos mcp probe ${name} notes shows what it offers.`,
      },
    );
    expect((await rig.system.cases.toolServersOf(id)).map(({ name: one, tools }) => [one, tools])).toEqual([
      ["notes", []],
    ]);
  });
});
