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
import { ADA, gate, type Rig, repository, room, startRig } from "../integration/task-kit.ts";
import { judgeWire } from "../support/acp-schema.ts";
import { approve, until, waitForStatus, withDaemon } from "../support/daemon.ts";
import { startModelServer } from "../support/model-for-tests.ts";
import type { ModelServer, SeenRequest } from "../support/model-server.ts";
import { calls, held, type Scripted, says } from "../support/scripted-model.ts";

/*
 * Real foreign agents over ACP, in the real sandbox, against a model on loopback that says what the test scripts: they plan, their edits
 * land, what they ask is answered by a person, a no stops the act, a cancel leaves no process, and a turn whose daemon was killed is undone
 * and taken again. Nothing of it needs a network. AGENTOS_AGENTS=opencode,codex chooses some of them.
 */

const BIN = join(import.meta.dirname, "node_modules", ".bin");
const planOf = (commands: readonly string[]): string =>
  JSON.stringify({ items: [{ id: "hello", title: "Write hello.txt", paths: ["a.txt"], commands }], notes: [] });
const FOREVER = new Promise(() => undefined);

interface Driven {
  readonly name: string;
  readonly agent: "acp:opencode" | "acp:codex";
  readonly variables: (url: string) => Readonly<Record<string, string>>;
  readonly files: (url: string) => Readonly<Record<string, string>>;
  /** A call of the agent's own tool that writes this file, and one that runs this command. */
  readonly write: (path: string, content: string) => readonly [string, unknown];
  readonly run: (command: string) => readonly [string, unknown];
  /** How it is started when nobody sets it: which variable makes it ask, and a call that it then makes without asking. */
  readonly unset: {
    readonly without: string;
    readonly run: (command: string) => readonly [string, unknown];
  } | null;
}

/** Codex asks for what its model wants to run outside of its own sandbox. */
const asking = (cmd: string) => ({
  cmd,
  sandbox_permissions: "require_escalated",
  justification: "as asked",
});

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
    unset: null,
  },
  {
    name: "codex",
    agent: "acp:codex",
    // Of its modes the one in which it asks before everything that it does; what it asks is then answered by policy and person.
    variables: () => ({ LOCAL_KEY: "none-of-yours", INITIAL_AGENT_MODE: "read-only" }),
    files: (url) => ({
      ".codex/config.toml": [
        'model = "scripted"',
        'model_provider = "local"',
        "[model_providers.local]",
        'name = "local"',
        `base_url = "${url}/v1"`,
        'env_key = "LOCAL_KEY"',
        'wire_api = "responses"',
        "",
      ].join("\n"),
    }),
    write: (path, content) => ["exec_command", asking(`printf '%s' '${content}' > ${path}`)],
    run: (command) => ["exec_command", asking(command)],
    unset: { without: "INITIAL_AGENT_MODE", run: (cmd) => ["exec_command", { cmd }] },
  },
];

const only = process.env["AGENTOS_AGENTS"]?.split(",");
for (const driven of AGENTS.filter(({ name }) => only?.includes(name) ?? true))
  describe(driven.name, () => drive(driven));

function drive({ name, agent, variables, files, write, run, unset }: Driven): void {
  let rig: Rig;
  let model: ModelServer;
  let answer: (request: SeenRequest) => Scripted | Promise<Scripted>;
  let home: string;
  let toolPath: readonly string[];
  let granted: Readonly<Record<string, string>>;
  let grants: { readonly variables: string[]; readonly files: string[]; readonly hosts: string[] };

  beforeAll(async () => {
    model = await startModelServer({ answer: (request) => answer(request) });
    const url = `http://localhost:${model.port}`;
    home = room();
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
    granted = variables(url);
    grants = {
      variables: Object.keys(granted),
      files: Object.keys(files(url)),
      hosts: [`localhost:${model.port}`],
    };
    rig = await startRig({ grantsFrom: granted, grantsHome: home }, { toolPath, waitMs: 240_000 });
  });

  const project = async () => {
    const made = await rig.projectWith({ path: repository(), toolPath });
    await rig.system.cases.changeProject(ADA, made.id, { settings: { agentGrants: grants } });
    return made;
  };
  const spec = (check: string) => ({
    intent: "Write hello.txt.",
    agent,
    gates: [gate(check)],
    limits: { step_ms: 200_000, memory_bytes: 6 * 1024 ** 3, processes: 4_096 },
  });
  const all = ({ messages }: SeenRequest): string => messages.map(({ text }) => text).join("\n");
  const isWork = (request: SeenRequest): boolean => all(request).includes("Do this item of it now");
  const hasAnswered = ({ messages }: SeenRequest): boolean => messages.at(-1)?.role === "tool";
  /** What a scripted model does: a plan when asked for one, else `first`, and after a tool has answered, the end. */
  const plays =
    (first: readonly [string, unknown], commands: readonly string[] = []) =>
    (request: SeenRequest): Scripted => {
      if (request.tools.length === 0) return says("A title");
      if (!isWork(request)) return says(planOf(commands));
      return hasAnswered(request) ? says("Done.") : calls(first);
    };
  const turnsOf = async (id: string): Promise<readonly OfKind<"turn">[]> =>
    (await rig.events(id)).flatMap(({ event }) =>
      event.type === "STEP_COMPLETED" || event.type === "STEP_FAILED"
        ? event.body.evidence.filter((one): one is OfKind<"turn"> => one.kind === "turn")
        : [],
    );
  const asked = async (id: string) =>
    (await rig.bodies(id, "TURN_ACTED")).map(
      ({ act, decision, rule }) => `${act.kind === "permission" ? act.tool : act.kind} ${decision} ${rule}`,
    );
  /** What was seen is put out: the guarantees are written from it. */
  const report = async (what: string, id: string): Promise<void> => {
    const turns = await turnsOf(id);
    for (const { agent: said, version, stop, durationMs, usage, toolCalls, acts, resumed } of turns)
      console.log(
        `${name}: ${what}: ${said} ${version}: ${stop} after ${durationMs} ms, ${toolCalls} tool calls, ${acts} acts, ${usage.totalTokens} tokens${resumed ? ", resumed" : ""}`,
      );
    console.log(`${name}: ${what}: asked ${JSON.stringify(await asked(id))}`);
    for (const { transcript } of turns) {
      const { judged, wrong } = judgeWire(await rig.text(transcript));
      console.log(`${name}: ${what}: ${judged} messages judged by the schema, not allowed by it: ${wrong.length}`);
      expect(wrong).toEqual([]);
    }
  };
  const settle = (id: string, decision: "allowed" | "denied") =>
    rig.system.cases.answer.settle(ADA, id, { decision, text: null, grant: false, expected: null });

  test("completes a task: one yes of a person to what it asks, and its edit lands and passes the gate", async () => {
    answer = plays(write("/workspace/app/hello.txt", "hello"));
    const id = await rig.approved(await project(), spec("grep -q hello hello.txt"));
    expect(await rig.until(id, "blocked")).toMatchObject({ reason: "approval_needed" });
    expect(processesOf(name)).toEqual([]);
    await settle(id, "allowed");
    expect((await rig.until(id, "succeeded")).exitReason).toBe("done");
    await report("completes", id);
    expect(readFileSync(join(newest(rig.home, id), "hello.txt"), "utf8").trim()).toBe("hello");
    expect(await asked(id)).toContainEqual(expect.stringMatching(/allowed person$/));
  });

  test("is told no, and the act does not happen", async () => {
    // It is stubborn, until it is told to go on without.
    answer = (request) =>
      all(request).includes("The rest of your task is still wanted")
        ? says("I did without.")
        : plays(run("touch /workspace/app/forbidden.txt"))(request);
    const id = await rig.approved(await project(), { ...spec("test ! -e forbidden.txt"), expects_change: false });
    await rig.until(id, "blocked");
    await settle(id, "denied");
    await rig.until(id, "succeeded");
    await report("is told no", id);
    expect(existsSync(join(newest(rig.home, id), "forbidden.txt"))).toBe(false);
    expect(await asked(id)).toContainEqual(expect.stringMatching(/denied person$/));
  });

  test("runs what the approved plan names without anybody being asked", async () => {
    answer = plays(run("cp a.txt copy.txt"), ["cp a.txt copy.txt"]);
    const id = await rig.approved(await project(), spec("test -e copy.txt"));
    await rig.until(id, "succeeded");
    await report("runs what was agreed on", id);
    expect(await asked(id)).toEqual(["execute allowed plan/command"]);
  });

  test.runIf(unset !== null)(
    "left as it is started it asks for nothing: it looks around while it plans, changes files, and its sandbox alone holds it",
    async () => {
      const call = unset?.run ?? run;
      const before = model.requests.length;
      answer = (request) => {
        if (request.tools.length === 0) return says("A title");
        if (isWork(request)) return hasAnswered(request) ? says("Done.") : calls(call("cp a.txt free.txt"));
        return hasAnswered(request) ? says(planOf([])) : calls(call("cat a.txt; touch a.txt"));
      };
      const made = await project();
      const named = grants.variables.filter((one) => one !== unset?.without);
      await rig.system.cases.changeProject(ADA, made.id, {
        settings: { agentGrants: { ...grants, variables: named } },
      });
      const id = await rig.approved(made, spec("test -e free.txt"));
      await rig.until(id, "succeeded");
      await report("left as it is", id);
      expect(await asked(id)).toEqual([]);
      const answers = model.requests
        .slice(before)
        .flatMap(({ messages }) => messages.filter(({ role }) => role === "tool"));
      expect(answers[0]?.text).toMatch(/one[\s\S]*Read-only file system/);
    },
  );

  test("is canceled in the middle and leaves no process", async () => {
    const middle = Promise.withResolvers<void>();
    answer = (request) => {
      if (!isWork(request) || request.tools.length === 0) return plays(run("true"))(request);
      middle.resolve();
      return held(FOREVER);
    };
    const id = await rig.approved(await project(), spec("test -e a.txt"));
    await middle.promise;
    expect(processesOf(name)).not.toEqual([]);
    await rig.system.cases.answer.cancel(ADA, id, null);
    await rig.until(id, "canceled");
    expect(processesOf(name)).toEqual([]);
  });

  test("whose daemon is killed in the middle of its turn is gone with it; what it left is undone, and the turn is taken again", async () => {
    const middle = Promise.withResolvers<void>();
    const agreed = ["cp a.txt half.txt", "cp a.txt whole.txt"] as const;
    answer = (request) => {
      const again = all(request).includes("Your last turn was lost");
      if (!isWork(request) || again) return plays(run(agreed[1]), agreed)(request);
      if (request.tools.length > 0 && hasAnswered(request)) {
        middle.resolve();
        return held(FOREVER);
      }
      return plays(run(agreed[0]), agreed)(request);
    };
    const environment = { ...granted, HOME: home };
    const first = await withDaemon({ child: true, environment, config: { toolPath: [...toolPath] } });
    const { id: where } = await first.api.createProject({
      name: "killed",
      repos: [{ path: repository(), tool_path: [...toolPath] }],
    });
    await first.api.changeProject(where, { settings: { agent_grants: grants } });
    const created = await first.api.createTask({
      title: "Killed",
      project: where,
      ...spec("test -e whole.txt"),
    } as never);
    await first.api.freezeTask(created.id);
    await first.api.readyTask(created.id);
    await waitForStatus(first.api, created.id, ["awaiting_approval"], 240_000);
    await approve(first.api, created.id);
    await middle.promise;
    expect(existsSync(join(newest(first.home, created.id), "half.txt"))).toBe(true);
    await first.kill();
    await until("the end of the agent", async () => processesOf(name).length === 0);

    const second = await withDaemon({ home: first.home, child: true, environment });
    await waitForStatus(second.api, created.id, ["succeeded"], 240_000);
    const { items } = await second.api.taskEvents(created.id, 0, 500);
    expect(items.filter(({ type }) => type === "STEP_LOST")).toHaveLength(1);
    const there = ["half.txt", "whole.txt"].map((file) => existsSync(join(newest(second.home, created.id), file)));
    expect(there).toEqual([false, true]);
    console.log(`${name}: killed: ${items.map(({ type }) => type).join(" ")}`);
    await second.stop();
  });
}

/** The workspace of a task's newest epoch: its only repository. */
function newest(home: string, id: string): string {
  const top = join(home, "workspaces", id);
  const epochs = readdirSync(top)
    .filter((one) => /^\d+$/.test(one))
    .map(Number);
  const place = join(top, String(Math.max(...epochs)));
  return join(place, readdirSync(place).find((one) => !one.startsWith(".")) ?? "");
}

/** Processes whose command line names the agent's packages. */
const processesOf = (name: string): readonly string[] =>
  readdirSync("/proc")
    .filter((one) => /^\d+$/.test(one))
    .flatMap((one) => {
      try {
        const line = readFileSync(`/proc/${one}/cmdline`, "utf8").replaceAll("\0", " ");
        return line.includes("test/agents/node_modules") && line.includes(name) && !line.includes("vitest")
          ? [line]
          : [];
      } catch {
        return []; // It ended between listing and reading.
      }
    });
