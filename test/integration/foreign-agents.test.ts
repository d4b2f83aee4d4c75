import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Evidence, OfKind } from "../../src/domain/evidence.ts";
import type { AgentGrants } from "../../src/domain/foreign-agent.ts";
import { testAgent } from "../support/acp-kit.ts";
import { judgeWire, linesOf } from "../support/acp-schema.ts";
import { sampleRepo, waitForStatus, withDaemon } from "../support/daemon.ts";
import { ADA, gate, type Rig, repository, startRig } from "./task-kit.ts";

/*
 * Foreign agents over the protocol, with the small agent of the tests as a real process in the real sandbox. What the transcript says
 * passed on the wire is judged by the JSON schema that ships with the protocol's own SDK.
 */

let rig: Rig;
let command: readonly string[];
let model: Server;
let port: number;
beforeAll(async () => {
  command = await testAgent();
  rig = await startRig({ grantsFrom: { MODEL_KEY: "sk-secret-0123456789abcdef" } });
  model = createServer((_, answer) => answer.end("a model's answer")).listen(0, "127.0.0.1");
  await new Promise((resolve) => model.once("listening", resolve));
  ({ port } = model.address() as AddressInfo);
});
afterAll(() => model.close());

const spec = (intent: string, more: Record<string, unknown> = {}) => ({
  intent,
  agent: { kind: "acp", command },
  gates: [gate("test -e a.txt")],
  ...more,
});

const turnsOf = async (id: string): Promise<readonly OfKind<"turn">[]> =>
  (await rig.events(id)).flatMap(({ event }) =>
    event.type === "STEP_COMPLETED" || event.type === "STEP_FAILED"
      ? event.body.evidence.filter((one: Evidence): one is OfKind<"turn"> => one.kind === "turn")
      : [],
  );

const transcripts = async (id: string): Promise<readonly string[]> =>
  Promise.all((await turnsOf(id)).map(({ transcript }) => rig.text(transcript)));

/** What the agent said, all of it. */
const saidIn = (transcript: string): string =>
  linesOf(transcript)
    .flatMap(({ from, message }) => {
      const { update } = (message.params ?? {}) as { update?: { sessionUpdate?: string; content?: { text?: string } } };
      return from === "agent" && update?.sessionUpdate === "agent_message_chunk" ? [update.content?.text ?? ""] : [];
    })
    .join("");

const said = async (id: string, at = -1): Promise<string> => saidIn((await transcripts(id)).at(at) ?? "");

const workspace = (id: string, repo = "app"): string => {
  const top = join(rig.home, "workspaces", id);
  const epochs = readdirSync(top)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b));
  return join(top, epochs.at(-1) ?? "", repo);
};

const acts = async (id: string) =>
  (await rig.bodies(id, "TURN_ACTED")).map(({ act, decision, rule, cause }) => [
    act.kind === "permission"
      ? `${act.tool}: ${act.title}`
      : act.kind === "command"
        ? `${act.when}: ${act.argv.join(" ")}`
        : `${act.kind} ${act.path}`,
    decision,
    rule,
    cause,
  ]);

const grant = async (
  project: { readonly id: string; readonly settings: object },
  grants: AgentGrants,
): Promise<void> => {
  await rig.system.cases.changeProject(ADA, project.id, { settings: { agentGrants: grants } });
};

const alive = (mark: string): boolean =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(mark);
      } catch {
        return false; // It ended between listing and reading.
      }
    });

describe("an agent that speaks the protocol", () => {
  test("plans on read-only mounts, works, and is judged like anyone: what it did itself and what it asked for both land", async () => {
    const project = await rig.project(repository());
    const id = await rig.queued(
      project,
      spec(
        "?self a.txt while planning\n?write a.txt while planning\n!read a.txt\n!write b/c.txt by client\n!self d.txt by itself\n!terminal cat a.txt | tr o 0\n!read gone.txt\n!read ../../etc/passwd",
      ),
    );
    await rig.until(id, "awaiting_approval");
    expect(await said(id)).toContain("self could not: EROFS");
    expect(await said(id)).toContain("write refused: write a.txt in app: edit is not possible in the phase planning");
    await rig.approve(id);
    expect((await rig.until(id, "succeeded")).exitReason).toBe("done");

    expect(await acts(id)).toEqual([
      ["edit a.txt", "denied", "phase", "edit is not possible in the phase planning"],
      ["read a.txt", "allowed", "default", null],
      ["edit b/c.txt", "allowed", "declared/path", null],
      ["begins: sh -c cat a.txt | tr o 0", "allowed", "declared/command", null],
      ["ended: sh -c cat a.txt | tr o 0", "allowed", "declared/command", null],
      ["read gone.txt", "allowed", "default", "it is not there"],
    ]);
    const words = await said(id);
    expect(words).toContain('{"output":"0ne\\n","truncated":false,"exitStatus":{"exitCode":0,"signal":null}}');
    expect(words).toContain("is no plain path inside the workspace");
    expect(readFileSync(join(workspace(id), "b/c.txt"), "utf8")).toBe("by client\n");
    expect(readFileSync(join(workspace(id), "d.txt"), "utf8")).toBe("by itself\n");
    expect(readFileSync(join(workspace(id), "a.txt"), "utf8")).toBe("one\n");

    const turns = await turnsOf(id);
    expect(
      turns.map(({ agent, version, stop, endedBy, session, resumed, usage, acts: n }) => [
        agent,
        version,
        stop,
        endedBy,
        session,
        resumed,
        usage.totalTokens,
        n,
      ]),
    ).toEqual([
      ["test-agent", "1.2.3", "end_turn", "closed", "session-1", false, 15, 1],
      ["test-agent", "1.2.3", "end_turn", "closed", "session-1", true, 15, 5],
    ]);
    expect((await rig.task(id)).spent.total).toMatchObject({ tokens: 30, turns: 2 });
    for (const transcript of await transcripts(id)) {
      const { judged, wrong } = judgeWire(transcript);
      expect(wrong).toEqual([]);
      expect(judged).toBeGreaterThan(5);
    }
    expect(rig.warnings).toEqual([]);
  });

  test("whose plan cannot be read is asked again, and after that the task waits", async () => {
    const project = await rig.project(repository());
    const mended = await rig.queued(project, spec("BAD-PLAN"));
    await rig.until(mended, "awaiting_approval");
    expect((await turnsOf(mended)).map(({ resumed }) => resumed)).toEqual([false, true]);
    const never = await rig.queued(project, spec("NEVER-PLAN"));
    expect(await rig.until(never, "blocked")).toMatchObject({
      reason: "agent_failed",
      detail: expect.stringContaining("the agent's plan is not as asked"),
    });
    expect(await turnsOf(never)).toHaveLength(3);
  });

  test("that asks what nobody agreed on ends its turn without a process, and a person's yes lets exactly that be done", async () => {
    const project = await rig.project(repository());
    const id = await rig.approved(project, spec("!fork asking\n!ask execute make world\n!write b.txt after"));
    expect(await rig.until(id, "blocked")).toMatchObject({ reason: "approval_needed" });
    expect(alive("asking")).toBe(false);
    const { asked } = await rig.task(id);
    expect(await rig.text(asked?.matter.text ?? null)).toBe("make world (execute)\n\nmake world");
    await rig.system.cases.answer.settle(ADA, id, { decision: "allowed", text: null, grant: false, expected: null });
    await rig.until(id, "succeeded");
    expect(await acts(id)).toEqual([
      ["execute: make world", "asked", "turn/not-agreed", "nobody agreed on this yet"],
      ["execute: make world", "allowed", "person", null],
      ["edit b.txt", "allowed", "declared/path", null],
    ]);
    expect(readFileSync(join(workspace(id), "asked.txt"), "utf8")).toBe("make world\n");
    expect((await turnsOf(id)).map(({ stop }) => stop)).toEqual(["end_turn", "permission", "end_turn"]);
    for (const transcript of await transcripts(id)) expect(judgeWire(transcript).wrong).toEqual([]);
  });

  test("that is told no does without it", async () => {
    const project = await rig.project(repository());
    const id = await rig.approved(project, spec("!ask execute make world\n!write b.txt after"));
    await rig.until(id, "blocked");
    await rig.system.cases.answer.settle(ADA, id, { decision: "denied", text: "never", grant: false, expected: null });
    await rig.until(id, "succeeded");
    expect(existsSync(join(workspace(id), "asked.txt"))).toBe(false);
    expect(await said(id)).toContain("asked: no");
    expect((await rig.bodies(id, "DENIED")).map(({ rule }) => rule)).toEqual(["person"]);
  });

  test("is refused red lines and what lies outside its scope without anybody being asked, and allowed what was agreed on", async () => {
    const project = await rig.project(repository());
    const intent = "!ask execute git push --force\n!ask execute test -e a.txt\n!ask read a.txt\n!write b.txt no";
    const id = await rig.approved(
      project,
      spec(intent, { scopes: [{ repo: "app", access: "paths", paths: ["a.txt", "asked.txt"] }] }),
    );
    await rig.until(id, "succeeded");
    expect((await acts(id)).map(([what, decision, rule]) => [what, decision, rule])).toEqual([
      ["execute: git push --force", "denied", "red-line/force-push"],
      ["execute: test -e a.txt", "allowed", "turn/gate-command"],
      ["read: a.txt", "allowed", "turn/looks"],
      ["edit b.txt", "denied", "scope/path"],
    ]);
  });

  test("that writes outside its paths by itself is found out: nothing of it becomes a candidate", async () => {
    const project = await rig.project(repository());
    const id = await rig.approved(
      project,
      spec("!self b.txt outside\n!self a.txt inside", {
        scopes: [{ repo: "app", access: "paths", paths: ["a.txt"] }],
        attempts: 1,
      }),
    );
    expect(await rig.until(id, "blocked")).toMatchObject({
      detail: expect.stringContaining("b.txt was changed outside the paths of the spec"),
    });
    const [turn] = (await turnsOf(id)).slice(-1);
    expect(turn).toMatchObject({ acts: 0, stop: "end_turn" });
    expect((await rig.task(id)).candidate?.["app"]?.leftOut).toEqual([
      "b.txt was changed outside the paths of the spec",
    ]);
  });

  test("that was allowed an edit writes that file through its client too, and is asked about any other again", async () => {
    const project = await rig.project(repository());
    const id = await rig.approved(project, spec("!ask edit c.txt\n!put c.txt first\n!put d.txt second"));
    await rig.until(id, "blocked");
    await rig.system.cases.answer.settle(ADA, id, { decision: "allowed", text: null, grant: false, expected: null });
    const waits = await rig.until(id, "blocked");
    expect(waits).toMatchObject({ detail: expect.stringContaining("write d.txt in app (edit)") });
    await rig.system.cases.answer.settle(ADA, id, { decision: "denied", text: "no", grant: false, expected: null });
    await rig.until(id, "succeeded");
    expect((await acts(id)).map(([what, decision, rule]) => [what, decision, rule])).toEqual([
      ["edit: c.txt", "asked", "turn/not-agreed"],
      ["edit: c.txt", "allowed", "person"],
      ["edit c.txt", "allowed", "person"],
      ["edit d.txt", "asked", "plan/path"],
      ["edit: c.txt", "allowed", "person"],
      ["edit c.txt", "allowed", "person"],
      ["edit d.txt", "denied", "plan/path"],
    ]);
    expect(readFileSync(join(workspace(id), "c.txt"), "utf8")).toBe("first\n");
    expect(existsSync(join(workspace(id), "d.txt"))).toBe(false);
  });

  test("that never asks is still held by its mounts, its closed network and its scope", async () => {
    const project = await rig.project(repository());
    const id = await rig.approved(
      project,
      spec(
        `!self /etc/motd no\n!self /home/agent/x yes\n!fetch http://localhost:${port}/\n!variable MODEL_KEY\n!self a.txt two`,
      ),
    );
    await rig.until(id, "succeeded");
    const words = await said(id);
    expect(words).toMatch(/self could not: (EROFS|EACCES|ENOENT)/);
    expect(words).toContain("self wrote /home/agent/x");
    expect(words).toContain("fetch refused");
    expect(words).toContain("variable MODEL_KEY is not there");
  });

  test("reaches the granted host and no other, gets what was granted, and no record holds the secret", async () => {
    const project = await rig.project(repository());
    await grant(project, { hosts: [`localhost:${port}`], variables: ["MODEL_KEY"], files: [] });
    const id = await rig.approved(
      project,
      spec(`!fetch http://localhost:${port}/\n!fetch http://example.org/\n!variable MODEL_KEY\n!self a.txt two`),
    );
    await rig.until(id, "succeeded");
    const words = await said(id);
    expect(words).toContain("a model's answer");
    expect(words).toContain("variable MODEL_KEY is [redacted]");
    expect(words).toContain("fetch refused");
    const [, turn] = await turnsOf(id);
    expect(turn?.redactions).toBeGreaterThan(0);
    const bodies = (await rig.events(id)).map(({ event }) => JSON.stringify(event.body)).join();
    expect(bodies).toContain(`"host":"example.org","kind":"egress","port":80,"verdict":"denied"`);
    for (const text of [bodies, ...(await transcripts(id))]) expect(text).not.toContain("sk-secret");
  });

  test("does not reach AgentOS itself, even where a person granted just that", async () => {
    const daemon = await withDaemon();
    const { port: own } = new URL(daemon.url);
    const { id } = await daemon.api.createProject({ name: "own", repos: [{ path: sampleRepo("plain") }] });
    await daemon.api.changeProject(id, { settings: { agent_grants: { hosts: [`localhost:${own}`] } } });
    const task = await daemon.api.createTask({
      title: "Look around",
      intent: `?fetch http://localhost:${own}/api/health`,
      project: id,
      agent: { kind: "acp", command: [...command] },
    });
    await daemon.api.freezeTask(task.id);
    await daemon.api.readyTask(task.id);
    await waitForStatus(daemon.api, task.id, ["awaiting_approval"]);
    const { items } = await daemon.api.taskEvents(task.id, 0, 100);
    expect(items.flatMap(({ type, body }) => (type === "DENIED" ? [body] : []))).toMatchObject([
      {
        act: `connect to localhost:${own}`,
        rule: "egress",
        reason: `localhost:${own} is AgentOS itself, which nothing inside a sandbox may reach`,
      },
    ]);
    await daemon.stop();
  });

  test("that dies, talks nonsense or has no program fails as what it is", async () => {
    const project = await rig.project(repository());
    const dying = await rig.approved(project, spec("!self half.txt done\n!die", { attempts: 1 }));
    expect(await rig.until(dying, "blocked")).toMatchObject({
      reason: "agent_failed",
      detail: expect.stringContaining("its process ended before its turn did (exit code 3: I die)"),
    });
    expect(
      (await rig.system.cases.look.logs(dying, null, 10_000))
        .filter(({ step }) => step.act.kind === "turn")
        .map(({ step: { status }, ...output }) => ({ status, ...output })),
    ).toEqual([
      {
        status: "completed",
        stdout: expect.stringContaining("Here it is:"),
        stderr: "",
        truncated: false,
      },
      { status: "failed", stdout: "self wrote half.txt\n", stderr: "I die\n", truncated: false },
    ]);
    const odd = await rig.approved(project, spec("!garbage\n!invalid\n!self a.txt two"));
    await rig.until(odd, "succeeded");
    expect((await turnsOf(odd)).at(-1)?.invalidMessages).toBe(3);
    const mute = await rig.queued(project, { ...spec("x"), agent: { kind: "acp", command: ["/bin/echo", "hello"] } });
    expect(await rig.until(mute, "blocked")).toMatchObject({ reason: "agent_failed" });
    const none = await rig.queued(project, { ...spec("x"), agent: { kind: "acp", command: ["no-such-agent"] } });
    expect(await rig.until(none, "blocked")).toMatchObject({
      reason: "agent_missing",
      detail: "the program no-such-agent of the agent custom was not found",
    });
  });

  test("ends with all it forked and started when its task is canceled, and what it left is undone and kept", async () => {
    const project = await rig.project(repository());
    const id = await rig.approved(
      project,
      spec("!fork canceled-fork\n!leave-terminal sleep 1000\n!self half.txt left\n!hang"),
    );
    await rig.happened(id, "TURN_ACTED");
    while (!(alive("canceled-fork") && existsSync(join(workspace(id), "half.txt"))))
      await new Promise((resolve) => setTimeout(resolve, 20));
    await rig.system.cases.answer.cancel(ADA, id, null);
    await rig.until(id, "canceled");
    expect(alive("canceled-fork")).toBe(false);
    expect(existsSync(join(workspace(id), "half.txt"))).toBe(false);
    expect(Object.keys((await rig.happened(id, "STEP_LOST")).rescued)).toEqual(["app"]);
  });

  test("goes on in its session where it can load it, and is told what happened before where it cannot", async () => {
    const project = await rig.project(repository());
    const loads = await rig.approved(project, spec("!ask other a\n!recall\n!self a.txt two"));
    const forgets = await rig.approved(project, {
      ...spec("!ask other a\n!recall\n!self a.txt two"),
      agent: { kind: "acp", command: [...command, "--forgetful"] },
    });
    for (const id of [loads, forgets]) {
      await rig.until(id, "blocked");
      await rig.system.cases.answer.settle(ADA, id, { decision: "allowed", text: null, grant: false, expected: null });
      await rig.until(id, "succeeded");
    }
    expect(await said(loads)).toContain("recalls 3; sees false");
    expect(await said(forgets)).toContain("recalls 3; sees true");
    expect((await turnsOf(forgets)).map(({ resumed }) => resumed)).toEqual([false, false, false]);
  });
});

describe("a plain command as an agent", () => {
  test("gets the task by stdin and as a word, and what it does is judged", async () => {
    const project = await rig.project(repository());
    const script = 'cat >got.txt; printf "%s" "$1" >word.txt; echo done with it';
    const id = await rig.queued(project, {
      intent: "Say hello",
      agent: { kind: "command", command: ["/bin/sh", "-c", script, "agent", "{prompt}"] },
      gates: [gate("grep -q hello got.txt")],
    });
    await rig.until(id, "awaiting_approval");
    await rig.approve(id);
    await rig.until(id, "succeeded");
    expect(readFileSync(join(workspace(id), "got.txt"), "utf8")).toBe(
      "# A task\n\nSay hello\n\n- The gate check passes: /bin/sh -c grep -q hello got.txt\n",
    );
    expect(await turnsOf(id)).toMatchObject([{ agent: "/bin/sh", stop: "end_turn", exitCode: 0, endedBy: "itself" }]);
  });

  test("that prints without end is ended by the limit on output, and neither stream leaves a secret in the live log", async () => {
    const project = await rig.project(repository());
    await grant(project, { hosts: [], variables: ["MODEL_KEY"], files: [] });
    const halves = (stream: string): string =>
      `printf "%s" "\${MODEL_KEY%abcdef}" ${stream}; sleep 0.1; printf "abcdef\\n" ${stream}`;
    const id = await rig.queued(project, {
      intent: "Say hello",
      agent: { kind: "command", command: ["/bin/sh", "-c", `${halves("")}; ${halves(">&2")}; exec yes`] },
      gates: [gate("true")],
      limits: { output_bytes: 65_536 },
      attempts: 1,
    });
    await rig.until(id, "awaiting_approval");
    await rig.approve(id);
    await rig.until(id, "blocked", "failed");
    expect(await turnsOf(id)).toMatchObject([{ stop: "output", endedBy: "output" }]);
    const logs = join(rig.home, "output", id);
    const log = readdirSync(logs)
      .map((name) => readFileSync(join(logs, name), "utf8"))
      .join("");
    expect(log.match(/\[redacted\]|\[more than.*\]|sk-secret/g)).toEqual([
      "[redacted]",
      "[redacted]",
      "[more than 65536 bytes of output: no more is kept here]",
    ]);
    // Its planning looked at its mounts, which is in there too.
    expect(log.length).toBeLessThan(65_536 + 1_000);
  });
});
