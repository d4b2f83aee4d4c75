import { describe, expect, it } from "vitest";
import { NO_GRANTS } from "../domain/foreign-agent.ts";
import { LAUNCHERS, launcherNamed } from "../domain/launchers.ts";
import { type AgentCasesDependencies, agentCases, type TriedAgent } from "./agents.ts";

const REPORT = { stop: "end", message: "", changed: [], asked: [], denied: [], trouble: null };

/** A machine on which only these programs are found; a trial only notes what it would start. */
function machine(...installed: readonly string[]) {
  const started: TriedAgent[] = [];
  const looked: unknown[] = [];
  const deps: AgentCasesDependencies = {
    toolPath: ["/opt/bin"],
    programs: {
      find(toolPath, names, words) {
        looked.push([toolPath, names, words]);
        const found = names.find((name) => installed.includes(name));
        return found === undefined ? null : { path: `/opt/bin/${found}`, directories: ["/opt"] };
      },
    },
    trials: {
      probe: async (agent) => {
        started.push(agent);
        throw new Error("nothing is probed here");
      },
      test: async (agent, prompt) => {
        started.push(agent);
        return { ...REPORT, message: prompt };
      },
    },
  };
  return { ...agentCases(deps), started, looked };
}

describe("the agents of a machine", () => {
  it("are all that AgentOS knows how to start, with the place of those that are there", () => {
    const found = machine("opencode")
      .list()
      .filter(({ path }) => path !== null);
    expect(machine("opencode").list().length).toBe(LAUNCHERS.length);
    expect(found).toEqual([{ launcher: launcherNamed("opencode"), path: "/opt/bin/opencode" }]);
  });

  it("are tried with their own words, or with the command a person gave, and get only what was granted", async () => {
    const grants = { hosts: ["api.openai.com:443"], variables: ["KEY"], files: [] };
    const on = machine("opencode", "mine");
    const { message } = await on.test({ agent: "opencode", argv: null, grants });
    await on.test({ agent: "custom", argv: ["mine", "--acp", "/src/agent.js"], grants: null });
    expect(message).toContain("hello.txt");
    expect(on.started).toEqual([
      {
        launcher: launcherNamed("opencode"),
        path: "/opt/bin/opencode",
        directories: ["/opt"],
        args: ["acp"],
        grants,
      },
      {
        launcher: null,
        path: "/opt/bin/mine",
        directories: ["/opt"],
        args: ["--acp", "/src/agent.js"],
        grants: NO_GRANTS,
      },
    ]);
    expect(on.looked.at(-1)).toEqual([["/opt/bin"], ["mine"], ["--acp", "/src/agent.js"]]);
  });

  it("are refused by name where nobody knows them, and by program where it is not there, with how to install it", async () => {
    const on = machine();
    await expect(on.test({ agent: "hal", argv: null, grants: null })).rejects.toMatchObject({
      code: "input/invalid",
      message: "hal is no agent that AgentOS knows how to start",
      next: `It knows ${LAUNCHERS.map(({ name }) => name).join(", ")}; any other by its command.`,
    });
    await expect(on.probe({ agent: "opencode", argv: null, grants: null })).rejects.toMatchObject({
      code: "agent/missing",
      message: "the program opencode of the agent opencode was not found",
      next: "Install it: npm install -g opencode-ai",
    });
    await expect(on.probe({ agent: "custom", argv: ["mine"], grants: null })).rejects.toMatchObject({
      code: "agent/missing",
      message: "the program mine of the agent custom was not found",
      next: null,
    });
    expect(on.started).toEqual([]);
  });
});
