import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { OfKind } from "../../src/domain/evidence.ts";
import { gate, ADA, repository, room, type Rig, startRig } from "../integration/task-kit.ts";
import { judgeWire } from "../support/acp-schema.ts";
import { startModelServer } from "../support/model-for-tests.ts";
import type { ModelServer, SeenRequest } from "../support/model-server.ts";
import { calls, held, type Scripted, says } from "../support/scripted-model.ts";

/*
 * Real foreign agents over ACP, in the real sandbox, against a model on loopback that says what the test scripts: they plan, their edits
 * land, what they ask is answered by a person, a no stops the act, and a cancel leaves no process. Nothing of it needs a network.
 */

const BIN = join(import.meta.dirname, "node_modules", ".bin");
const PLAN = JSON.stringify({
  items: [{ id: "hello", title: "Write hello.txt", paths: ["a.txt"], commands: [], risk: "low", depends_on: [] }],
  notes: [],
});

interface Driven {
  readonly name: string;
  readonly agent: unknown;
  readonly variables: (url: string) => Readonly<Record<string, string>>;
  readonly files: (url: string) => Readonly<Record<string, string>>;
  /** A call of the agent's own tool that writes this file, and one that runs this command. */
  readonly write: (path: string, content: string) => readonly [string, unknown];
  readonly run: (command: string) => readonly [string, unknown];
}

const AGENTS: readonly Driven[] = [
  {
    name: "opencode",
    agent: "acp:opencode",
    variables: (url) => ({
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        provider: {
          local: {
            npm: "@ai-sdk/openai-compatible",
            name: "Local",
            options: { baseURL: `${url}/v1`, apiKey: "none" },
            models: { scripted: { name: "scripted" } },
          },
        },
        model: "local/scripted",
        small_model: "local/scripted",
        permission: { edit: "ask", bash: "ask" },
        autoupdate: false,
        share: "disabled",
      }),
      OPENCODE_DISABLE_MODELS_FETCH: "1",
    }),
    files: () => ({}),
    write: (path, content) => ["write", { filePath: path, content }],
    run: (command) => ["bash", { command, description: "as asked" }],
  },
  {
    name: "codex",
    agent: "acp:codex",
    variables: () => ({ LOCAL_KEY: "none-of-yours" }),
    files: (url) => ({
      ".codex/config.toml": [
        'model = "scripted"',
        'model_provider = "local"',
        'approval_policy = "untrusted"',
        'sandbox_mode = "danger-full-access"',
        "[model_providers.local]",
        'name = "local"',
        `base_url = "${url}/v1"`,
        'env_key = "LOCAL_KEY"',
        'wire_api = "responses"',
        "",
      ].join("\n"),
    }),
    write: (path, content) => ["shell_command", { command: `printf '%s' '${content}' > ${path}` }],
    run: (command) => ["shell_command", { command }],
  },
];

const only = process.env["AGENTOS_AGENTS"]?.split(",");
for (const driven of AGENTS.filter(({ name }) => only?.includes(name) ?? true))
  describe(driven.name, () => drive(driven));

function drive({ name, agent, variables, files, write, run }: Driven): void {
  let rig: Rig;
  let model: ModelServer;
  let answer: (request: SeenRequest) => Scripted | Promise<Scripted>;
  let toolPath: readonly string[];
  const grants = { variables: [] as string[], files: [] as string[], hosts: [] as string[] };

  beforeAll(async () => {
    model = await startModelServer({ answer: (request) => answer(request) });
    const url = `http://localhost:${model.port}`;
    const home = room();
    for (const [path, content] of Object.entries(files(url))) {
      mkdirSync(join(home, path, ".."), { recursive: true });
      writeFileSync(join(home, path), content);
    }
    // A Node of today as a person would have it: the system's may be older than these agents want.
    const node = join(room(), "node-v24", "bin");
    mkdirSync(node, { recursive: true });
    try {
      linkSync(realpathSync(process.execPath), join(node, "node"));
    } catch {
      copyFileSync(realpathSync(process.execPath), join(node, "node"));
    }
    toolPath = [BIN, node, "/usr/local/bin", "/usr/bin", "/bin"];
    const granted = variables(url);
    grants.variables.push(...Object.keys(granted));
    grants.files.push(...Object.keys(files(url)));
    grants.hosts.push(`localhost:${model.port}`);
    rig = await startRig({ grantsFrom: granted, grantsHome: home }, { toolPath, waitMs: 240_000 });
  });

  const project = async () => {
    const made = await rig.projectWith({ path: repository(), toolPath });
    await rig.system.cases.changeProject(ADA, made.id, { settings: { agentGrants: grants } });
    return made;
  };
  const spec = (more: Record<string, unknown> = {}) => ({
    intent: "Write hello.txt.",
    agent,
    gates: [gate("test -e a.txt")],
    limits: { step_ms: 200_000, memory_bytes: 6 * 1024 ** 3, processes: 4_096 },
    ...more,
  });
  /** What a scripted model does: a plan when asked for one, else `first`, and after a tool has answered, the end. */
  const plays =
    (...first: readonly (readonly [string, unknown])[]) =>
    (request: SeenRequest): Scripted => {
      const all = request.messages.map(({ text }) => text).join("\n");
      if (request.tools.length === 0) return says("A title");
      if (all.includes("Make a plan for this") && !all.includes("Do this item of it now")) return says(PLAN);
      const last = request.messages.at(-1);
      return last?.role === "tool" ? says("Done.") : calls(...first);
    };
  const turnsOf = async (id: string): Promise<readonly OfKind<"turn">[]> =>
    (await rig.events(id)).flatMap(({ event }) =>
      event.type === "STEP_COMPLETED" || event.type === "STEP_FAILED"
        ? event.body.evidence.filter((one): one is OfKind<"turn"> => one.kind === "turn")
        : [],
    );
  const workspace = (id: string): string => {
    const top = join(rig.home, "workspaces", id);
    const epochs = readdirSync(top)
      .filter((one) => /^\d+$/.test(one))
      .map(Number);
    return join(top, String(Math.max(...epochs)), "app");
  };
  const asked = async (id: string) =>
    (await rig.bodies(id, "TURN_ACTED")).map(
      ({ act, decision, rule }) => `${act.kind === "permission" ? act.tool : act.kind} ${decision} ${rule}`,
    );
  const report = async (id: string): Promise<void> => {
    const turns = await turnsOf(id);
    for (const { agent: said, version, stop, durationMs, usage, toolCalls, acts, resumed } of turns)
      console.log(name, JSON.stringify({ agent: said, version, stop, durationMs, usage, toolCalls, acts, resumed }));
    for (const { transcript } of turns) {
      const { judged, wrong } = judgeWire(await rig.text(transcript));
      console.log(
        name,
        `${judged} messages judged by the schema, ${wrong.length} not allowed by it`,
        wrong.slice(0, 5),
      );
    }
  };

  test("completes a task: what it asks a person is allowed, and its edit lands", async () => {
    answer = plays(write("/workspace/app/hello.txt", "hello"));
    const id = await rig.queued(await project(), spec());
    await rig.until(id, "awaiting_approval");
    await report(id);
    await rig.approve(id);
    for (;;) {
      const now = await rig.until(id, "blocked", "succeeded");
      if (now.status === "succeeded") break;
      expect(now.reason).toBe("approval_needed");
      await rig.system.cases.answer.settle(ADA, id, { decision: "allowed", text: null, grant: false, expected: null });
    }
    console.log(name, await asked(id));
    await report(id);
    expect(readFileSync(join(workspace(id), "hello.txt"), "utf8").trim()).toBe("hello");
    expect(await asked(id)).toContainEqual(expect.stringMatching(/allowed person$/));
  });

  test("is told no, and the act does not happen", async () => {
    answer = plays(run("touch /workspace/app/forbidden.txt"));
    const id = await rig.approved(await project(), spec());
    await rig.until(id, "blocked");
    await rig.system.cases.answer.settle(ADA, id, { decision: "denied", text: "no", grant: false, expected: null });
    await rig.until(id, "succeeded", "blocked");
    console.log(name, await asked(id));
    expect(existsSync(join(workspace(id), "forbidden.txt"))).toBe(false);
    expect(await asked(id)).toContainEqual(expect.stringMatching(/denied person$/));
  });

  test("is canceled in the middle and leaves no process", async () => {
    let hanging: () => void = () => {};
    const reached = new Promise<void>((resolve) => {
      hanging = resolve;
    });
    answer = (request) => {
      const all = request.messages.map(({ text }) => text).join("\n");
      if (!all.includes("Do this item of it now") || request.tools.length === 0) return plays()(request);
      hanging();
      return held(new Promise(() => undefined));
    };
    const id = await rig.approved(await project(), spec());
    await reached;
    await rig.system.cases.answer.cancel(ADA, id, null);
    await rig.until(id, "canceled");
    expect(processesOf(name)).toEqual([]);
  });
}

/** Processes whose command line names the agent's packages. */
const processesOf = (name: string): readonly string[] =>
  readdirSync("/proc")
    .filter((one) => /^\d+$/.test(one))
    .flatMap((one) => {
      try {
        const line = readFileSync(`/proc/${one}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes(`test/agents/node_modules`) && line.includes(name) && !line.includes("vitest")
          ? [line]
          : [];
      } catch {
        return []; // It ended between listing and reading.
      }
    });
