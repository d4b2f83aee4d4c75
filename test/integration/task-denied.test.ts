import { beforeAll, describe, expect, it } from "vitest";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import type { Agent } from "../../src/ports/agent.ts";
import { ADA, gate, plan, type Rig, repository, startRig } from "./task-kit.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

const GREEN = gate("true");

/** Plans as if it changed nothing, and then does what the file says: only the broker stands in its way. */
const SLY: Agent = {
  ...scriptAgent,
  plan: async (can) => ({
    items: (await scriptAgent.plan(can)).items.map((item) => ({
      ...item,
      paths: item.paths.filter((path) => path.startsWith("src/")),
    })),
    notes: [],
  }),
};

const commandLogs = async (id: string) =>
  (await rig.system.cases.look.logs(id, null, 10_000)).filter(({ step }) => step.act.kind === "command");

describe("what a task may not do", () => {
  it("a repo that is read-only for the task cannot be written by a command: the kernel says so", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan('echo two > a.txt; echo "exit $?"; touch new; ls'),
      scopes: [{ repo: "app", access: "read_only" }],
      gates: [GREEN],
      expects_change: false,
    });
    await rig.until(id, "succeeded", "blocked");
    const [logs] = await commandLogs(id);
    expect(logs?.stderr).toMatch(/Read-only file system/);
    expect(logs?.stdout).not.toContain("new");
    const { look } = rig.system.cases;
    expect((await look.logs(id, "1.item-work.1", 10_000)).map(({ step }) => step.step)).toEqual(["1.item-work.1"]);
    await expect(look.logs(id, "1.item-work.9", 10_000)).rejects.toMatchObject({
      message: `task ${id} has no step 1.item-work.9`,
      facts: { steps: expect.arrayContaining(["1.item-work.1"]) },
    });
  });

  it("an agent that plans no change and then edits a read-only repo is DENIED, and no step was begun for it", async () => {
    const sly = await startRig({ agents: { script: SLY } });
    const id = await sly.approved(await sly.project(repository()), {
      ...plan({ write: "a.txt", content: "x\n" }),
      scopes: [{ repo: "app", access: "read_only" }],
      gates: [GREEN],
    });
    const stopped = await sly.until(id, "blocked");
    expect(stopped.reason).toBe("approval_needed");
    expect(await sly.bodies(id, "DENIED")).toEqual([
      {
        act: "write a.txt in app",
        rule: "scope/path",
        reason: "a.txt is outside what the spec lets this task change in app",
        item: "work",
        step: "1.item-work.2",
        input: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    // Only the kernel's word was taken that the repo is mounted read-only.
    expect(
      (await sly.bodies(id, "STEP_STARTED")).flatMap(({ item, act }) => (item === null ? [] : [act.kind])),
    ).toEqual(["read"]);
  });

  it("a repo that its project marks as not writable cannot be edited, whatever the spec says", async () => {
    const path = repository();
    const project = await rig.system.cases.createProject(ADA, {
      name: "looked-at",
      settings: { agent: null, runMode: null, packageHosts: [], tasksMax: null },
      repos: [{ path, name: null, role: "docs", writable: false, pathFilters: [], toolPath: null }],
    });
    const id = await rig.approved(project, {
      ...plan({ run: "touch new || echo refused by the kernel" }, { write: "a.txt", content: "x\n" }),
      scopes: [{ repo: "app", access: "full" }],
      gates: [GREEN],
    });
    const stopped = await rig.until(id, "blocked");
    expect(stopped.reason).toBe("approval_needed");
    expect((await rig.bodies(id, "DENIED")).map(({ rule }) => rule)).toEqual(["scope/repo"]);
    expect((await commandLogs(id)).map(({ stdout }) => stdout)).toEqual(["refused by the kernel\n"]);
  });

  it("a plan that edits a read-only repo is refused as a plan", async () => {
    const project = await rig.project(repository());
    const id = await rig.queued(project, {
      ...plan("true"),
      scopes: [{ repo: "app", access: "read_only" }],
      gates: [GREEN],
      expects_change: false,
    });
    await rig.until(id, "awaiting_approval");
    // The plan check names edits of a read-only repo before anything runs.
    await rig.system.cases.reviseTask(ADA, id, {
      plan: {
        explore: [],
        items: [
          {
            id: "work",
            title: "w",
            repo: "",
            criterion: null,
            dependsOn: [],
            acts: [{ act: "write", path: "a.txt", content: "x", executable: false }],
          },
        ],
      },
    });
    await rig.system.cases.freezeTask(ADA, id);
    await rig.system.cases.answer.ready(ADA, id);
    const stopped = await rig.until(id, "blocked");
    expect([stopped.reason, stopped.phase]).toEqual(["agent_failed", "planning"]);
    expect(stopped.detail).toContain("read-only for this task");
  });

  it("a plan that edits outside the spec's paths is refused as a plan", async () => {
    const id = await rig.queued(await rig.project(repository({ "src/a.txt": "one\n", "b.txt": "b\n" })), {
      ...plan({ write: "b.txt", content: "no\n" }),
      scopes: [{ repo: "app", access: "paths", paths: ["src/"] }],
      gates: [GREEN],
    });
    const stopped = await rig.until(id, "blocked");
    expect([stopped.reason, stopped.phase]).toEqual(["agent_failed", "planning"]);
    expect(stopped.detail).toContain("b.txt");
  });

  it("an edit outside the spec's paths that the plan did not tell of is DENIED, with rule and reason, and the task waits", async () => {
    const sly = await startRig({ agents: { script: SLY } });
    const id = await sly.approved(await sly.project(repository({ "src/a.txt": "one\n", "b.txt": "b\n" })), {
      ...plan({ write: "src/a.txt", content: "two\n" }, { write: "b.txt", content: "no\n" }),
      scopes: [{ repo: "app", access: "paths", paths: ["src/"] }],
      gates: [GREEN],
    });
    const stopped = await sly.until(id, "blocked");
    expect(stopped.reason).toBe("approval_needed");
    expect(await sly.bodies(id, "DENIED")).toEqual([
      {
        act: "write b.txt in app",
        rule: "scope/path",
        reason: "b.txt is outside what the spec lets this task change in app",
        item: "work",
        step: "1.item-work.2",
        input: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    const edits = (await sly.bodies(id, "STEP_STARTED")).flatMap(({ act }) => (act.kind === "edit" ? [act.path] : []));
    expect(edits).toEqual(["src/a.txt"]);
  });

  it("a command that changes something outside the spec's paths does not get to a pass", async () => {
    const id = await rig.approved(await rig.project(repository({ "src/a.txt": "one\n", "b.txt": "b\n" })), {
      ...plan("echo two > src/a.txt; echo no > b.txt"),
      scopes: [{ repo: "app", access: "paths", paths: ["src/"] }],
      gates: [GREEN],
      attempts: 1,
    });
    const stopped = await rig.until(id, "blocked");
    expect(stopped.reason).toBe("gates_exhausted");
    expect(stopped.detail).toContain("app: b.txt was changed outside the paths of the spec");
    expect(stopped.verdicts).toEqual({});
  });

  it("a change inside the spec's paths passes", async () => {
    const id = await rig.approved(await rig.project(repository({ "src/a.txt": "one\n", "b.txt": "b\n" })), {
      ...plan("echo two > src/a.txt", { replace: "src/a.txt", find: "two", with: "three" }),
      scopes: [{ repo: "app", access: "paths", paths: ["src/"] }],
      gates: [gate("grep -qx three src/a.txt")],
    });
    expect((await rig.until(id, "succeeded", "blocked")).status).toBe("succeeded");
  });

  for (const [command, rule] of [
    ["git push --force origin main", "red-line/force-push"],
    ["sudo id", "red-line/privilege-escalation"],
    ["git commit --no-verify -m x", "red-line/no-verify"],
    ["rm -rf .git", "red-line/history-destruction"],
    ["git reset --hard", "red-line/history-destruction"],
    ["rm -rf /", "red-line/outside-removal"],
  ] as const)
    it(`"${command}" crosses a red line: denied before any step, with event and reason, and the task waits by name`, async () => {
      const id = await rig.approved(await rig.project(repository()), { ...plan(command), gates: [GREEN], attempts: 1 });
      const stopped = await rig.until(id, "blocked");
      expect(stopped.reason).toBe("approval_needed");
      const [denied] = await rig.bodies(id, "DENIED");
      expect(denied).toMatchObject({ rule, item: "work", act: `run /bin/sh -c ${command} in app` });
      expect(denied?.reason).toContain("can not be allowed by anyone");
      expect(stopped.denials).toBe(1);
      expect((await rig.bodies(id, "STEP_STARTED")).filter(({ act }) => act.kind === "command")).toEqual([]);
    });

  it("autonomous mode crosses no red line either", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      ...plan("sudo id"),
      gates: [GREEN],
      run_mode: "autonomous",
    });
    expect((await rig.until(id, "blocked", "failed")).status).toBe("blocked");
    expect(await rig.bodies(id, "DENIED")).toHaveLength(1);
  });

  it("an edit inside .git is denied", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan({ write: ".git/config", content: "[core]\n" }),
      gates: [GREEN],
    });
    await rig.until(id, "blocked");
    expect((await rig.bodies(id, "DENIED")).map(({ rule }) => rule)).toEqual(["red-line/git-directory"]);
  });

  it("a command without opened hosts reaches none; the task's own loopback is empty", async () => {
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("cat /proc/net/dev > net.txt; ls /sys/class/net > nets.txt 2>&1; echo done > a.txt"),
      gates: [gate("test $(grep -c : net.txt) -le 1")],
    });
    expect((await rig.until(id, "succeeded", "blocked")).status).toBe("succeeded");
  });

  it("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
});
