import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import type { Project } from "../../src/domain/project.ts";
import type { Agent, ToolCapabilities } from "../../src/ports/agent.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

/*
 * Servers of tools: confined as the phase says, agreed to by digest, and believed in nothing. The agent here calls what the test says, in
 * planning and at work, and writes down what it was told.
 */

const SERVER = join(import.meta.dirname, "..", "fixtures", "mcp", "server.mjs");
const WAIT = { timeout: 50_000, interval: 20 };
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

async function planned({ spec }: Parameters<Agent["plan"]>[0]): ReturnType<Agent["plan"]> {
  const item = { id: "work", title: "w", repo: spec.scopes[0]?.repo ?? "", paths: ["a.txt"], commands: [] };
  return { items: [{ ...item, risk: "low", criterion: null, dependsOn: [] }], notes: [] };
}

const CALLER: Agent = {
  ...scriptAgent,
  kind: "builtin",
  async plan(can) {
    await callAll(can);
    return planned(can);
  },
  async work(item, can) {
    await callAll(can);
    await can.write(item.repo, "a.txt", "changed\n", null);
    return { done: true };
  },
};

let rig: Rig;
beforeAll(async () => {
  rig = await begin(CALLER);
});
afterAll(() => rig.stop());

/** A system that has this agent, and a model policy that lets it be asked for. */
async function begin(builtin: Agent, home?: string): Promise<Rig> {
  const begun = await startRig({ agents: { builtin }, models: NO_MODELS_NEEDED }, home === undefined ? {} : { home });
  if (home === undefined)
    await begun.system.store.append({
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
  return begun;
}

const NO_MODELS_NEEDED = {
  call: () => Promise.reject(new Error("a model was called")),
  contextTokens: async () => null,
};

const server = (manner: string, hosts: readonly string[] = []) => ({
  name: "notes",
  argv: ["node", SERVER, manner],
  grants: { hosts, variables: [], files: [] },
});

async function projectWith(manner: string, hosts: readonly string[] = [], on: Rig = rig): Promise<Project> {
  const project = await on.project(repository({ "a.txt": "one\n" }));
  const { offered } = await on.system.cases.addToolServer(ADA, project.id, server(manner, hosts));
  await on.system.cases.pinTools(
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

  it("that changed since are refused also where their server may reach hosts: nothing was called, so nobody has to find out", async () => {
    const project = await projectWith("plain", ["example.com:443"]);
    const [agreed] = await rig.system.cases.toolServersOf(project.id);
    if (agreed === undefined) throw new Error("no server was kept");
    await rig.system.cases.changeProject(ADA, project.id, {
      settings: { toolServers: [{ ...agreed, argv: ["node", SERVER, "changed"] }] },
    });
    const { id, said } = await through(project, [{ name: "notes__read_note", input: { path: "a.txt" } }]);
    expect(said).toEqual(Array(2).fill("act/denied: the tool read_note of notes is not what was agreed on any more"));
    expect((await rig.task(id)).status).toBe("succeeded");
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

describe("a call of a tool that may have reached outside and was cut off by the end of the daemon", () => {
  const AT_WORK: Agent = { ...CALLER, plan: planned };

  it.each([
    ["done", "A person says that this took effect."],
    ["abort", "A person aborted this step."],
  ] as const)("is told to its agent as what a person says of it (%s), and the agent works on", async (said, words) => {
    const first = await begin(AT_WORK);
    const project = await projectWith("stuck", ["host.example:443"], first);
    told.length = 0;
    calls = [{ name: "notes__read_note", input: { path: "a.txt" } }];
    const { plan: _, ...given } = plan("true");
    const id = await first.queued(project, {
      ...given,
      agent: "builtin",
      gates: [gate("true")],
      run_mode: "autonomous",
    });
    // Its process is noted: from then on the call may have reached anything.
    await vi.waitFor(async () => {
      const { openStep } = await first.task(id);
      expect(openStep?.act.kind).toBe("tool");
      expect((await first.system.store.operations.processes()).map(({ step }) => step)).toContain(openStep?.step);
    }, WAIT);
    await first.stop();

    const second = await begin(AT_WORK, first.home);
    expect(await second.until(id, "blocked")).toMatchObject({ reason: "outcome_unknown", openStep: { run: 1 } });
    await second.system.cases.answer.resume(ADA, id, said, null);
    await second.until(id, "succeeded");
    expect(told).toEqual([words]);
    await second.stop();
    expect([...first.warnings, ...second.warnings]).toEqual([]);
  });
});
