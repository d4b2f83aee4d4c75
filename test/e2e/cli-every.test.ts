import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { COMMANDS } from "../../src/interfaces/cli/commands.ts";
import { testAgent } from "../support/acp-kit.ts";
import { freePort } from "../support/free-port.ts";
import { MEND, person } from "./cli-person.ts";

/** Every command there is, typed by two people in one afternoon. What each does in depth stands in the tests of its part. */

const ada = person();
const ben = person();
afterAll(async () => {
  await ada.leave();
  await ben.leave();
});
const typed = new Set<string>();

/** Types a command, which ends with this code, and returns what it put out. */
const typing =
  (one: ReturnType<typeof person>) =>
  async (name: keyof typeof COMMANDS, code: number, ...words: readonly string[]): Promise<string> => {
    typed.add(name);
    const said = await one.agentos(...name.split(" "), ...words);
    expect({ name, words, code: said.code, stderr: code === 0 ? "" : said.stderr }).toEqual({
      name,
      words,
      code,
      stderr: code === 0 ? "" : said.stderr,
    });
    return said.stdout + said.stderr;
  };

const idIn = (said: string): string => /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(said)?.[0] ?? "";

test.concurrent("what is about tasks and the daemon does what a person types it for", {
  timeout: 300_000,
}, async () => {
  const types = typing(ada);
  expect(await types("version", 0)).toMatch(/^agentos \d/);
  expect(await types("init", 0)).toContain(ada.home);
  expect(await types("completion", 0, "bash")).toContain("_agentos() {");
  await types("daemon start", 0);
  expect(await types("daemon status", 0)).toContain("URL: http://127.0.0.1:");
  expect(await types("doctor", 0)).toContain("sandbox");
  const own = (await testAgent()).join(" ");
  expect(await types("agent list", 0)).toContain("opencode");
  expect(await types("agent probe", 0, "--agent-command", own)).toContain("test-agent");
  expect(await types("agent test", 0, "--agent-command", own)).toContain("Its turn ended: end turn");

  expect(await types("gate detect", 0)).toContain("npm test");
  const project = idIn(await types("project create", 0, "shop", "--repo", ada.repository));
  expect(await types("project list", 0)).toContain("shop");
  expect(await types("project show", 0, "shop")).toContain(ada.repository);
  expect(await types("project set", 0, "shop", "--tasks-max", "2")).toContain("2");
  await types("project pause", 0, "shop");
  await types("project resume", 0, "shop");
  expect(await types("gate list", 0, "shop")).toContain("tests");
  const repo = idIn((await types("repo list", 0, "--project", "shop")).replaceAll(project, ""));
  expect(await types("repo show", 0, repo)).toContain(ada.repository);
  expect(await types("repo scan", 0, repo)).toContain("npm");
  expect(await types("repo probe", 0, repo)).toContain("main");
  await types("repo set", 0, repo, "--role", "docs");

  await types("daemon pause", 0);
  const plan = ada.write("mend.yaml", MEND);
  const first = idIn(
    await types("task create", 0, "Make the shop add", "--plan", plan, "--draft", "--project", "shop"),
  );
  expect(await types("task search", 0, "shop add")).toContain(first);
  await types("task bind", 4, first, "--project", "shop");
  await types("task freeze", 0, first);
  const second = idIn(
    await types("task create", 0, "And then look", "--agent", "gates", "--draft", "--project", "shop"),
  );
  await types("task deps add", 0, second, "--requires", first);
  expect(await types("task deps", 0, second)).toContain(first);
  expect(await types("task deps graph", 0, "--format", "mermaid")).toContain(first);
  await types("task deps remove", 0, second, "--requires", first);
  await types("task prioritize", 0, first, "urgent");
  expect(await types("task list", 0)).toContain("Make the shop add");
  await types("task ready", 0, first);
  await types("daemon resume", 0);
  await ada.agentos("task", "show", first, "--json");

  expect(await types("task attach", 10, first)).toContain("was proposed as");
  const beside = idIn((await types("task fork", 0, first)).replaceAll(first, ""));
  expect(await types("task plan", 0, first)).toContain("Mend the sum");
  await types("task request-changes", 0, first, "Say why");
  await ada.agentos("task", "attach", first);
  const hash = (await ada.agentos("task", "plan", first, "--quiet")).stdout.trim();
  expect(await types("task approve", 0, first, "--plan", hash, "--wait")).toContain("succeeded");
  expect(await types("task show", 0, first)).toContain("Status: succeeded");
  expect(await types("task diff", 0, first)).toContain("+export const sum");
  expect(await types("task logs", 0, first)).toContain("adds");
  expect(await types("task evidence", 0, first)).toContain("tests");
  expect(await types("task trace", 0, first)).toContain("GATE_PASSED");
  await types("task verify", 0, first);
  await types("task artifacts", 0, first);
  expect(await types("task compare", 0, first)).toContain("tests");
  expect(await types("task deliver", 0, first)).toContain("main");
  await types("task supersede-others", 0, first, "--yes");
  expect((await ada.agentos("task", "show", beside)).stdout).toContain("superseded");

  expect(await types("gate run", 0)).toContain("passed");
  await types("task cancel", 0, second);
  const red = ["--gate", "never=false", "--mode", "autonomous", "--agent", "gates", "--wait"];
  const third = idIn(await types("task create", 12, "Never green", ...red));
  await types("task retry", 0, third);
  await ada.agentos("task", "attach", third);
  await types("task accept", 0, third, "--reason", "as it is");
  const fourth = idIn(await types("task create", 10, "Say no", "--plan", plan, "--wait"));
  await types("task revise", 0, fourth, "--title", "Say no at once");
  await types("task freeze", 0, fourth);
  await types("task ready", 0, fourth);
  await ada.agentos("task", "attach", fourth);
  await types("task reject", 0, fourth);
  const lingers = ada.write(
    "lingers.yaml",
    "items:\n  - id: wait\n    title: Wait\n    do:\n      - run: sleep 2\n      - run: touch done\n",
  );
  const fifth = idIn(await types("task create", 0, "Wait a little", "--plan", lingers, "--mode", "autonomous"));
  const follows = ada.begin(["task", "logs", fifth, "--follow"]);
  await types("task pause", 0, fifth);
  await follows.said;
  expect(await types("task mode", 0, fifth, "assisted")).toContain("assisted from the next step on");
  // It may have been paused before it was planned: then the plan would wait for a yes.
  await types("task mode", 0, fifth, "autonomous");
  await types("task resume", 0, fifth, "--wait", "--timeout", "60");

  expect(await types("workspace list", 0)).toContain(first);
  await types("workspace clean", 0, first, "--yes");
  expect(await types("gc", 0, "--dry-run")).toContain("kept");
  expect(await types("audit log", 0)).toContain("DELIVERED");
  expect(await types("audit verify", 0)).toContain("whole");
  await types("daemon stop", 0);
});

test.concurrent("what is about models, providers, tools and rules does what a person types it for", {
  timeout: 300_000,
}, async () => {
  const types = typing(ben);
  await types("project create", 0, "shop", "--repo", ben.repository);
  const plan = ben.write("mend.yaml", MEND);
  expect(await types("model policy set", 0, "planning", "ollama/qwen3", "--budget", "turns=9")).toContain("9 turns");
  expect(await types("model policy show", 0)).toContain("ollama/qwen3");
  expect(await types("model policy check", 69)).toContain("ollama/qwen3");
  const note = idIn(await types("project notes add", 0, "shop", "Sums are sums"));
  await types("project notes approve", 0, "shop", note);
  expect(await types("project notes list", 0, "shop")).toContain("Sums are sums");
  await types("project notes retire", 0, "shop", note);
  expect(await types("chat", 69, "Which tasks wait?", "--json")).toContain("model/none");
  const sixth = idIn(await types("task create", 10, "Ask me", "--plan", plan, "--wait"));
  expect(await types("inbox", 0)).toContain(sixth);
  const seq = /--approve --at (\d+)/.exec(await types("inbox show", 0, sixth))?.[1] ?? "";
  await types("inbox answer", 0, sixth, "--reject", "--at", seq);
  const small = ben.write("small.gguf", "GGUF");
  const program = join(import.meta.dirname, "..", "fixtures", "providers", "llama-server");
  const port = String(await freePort());
  await types("provider add", 0, "box", "--kind", "llamacpp", "--executable", program, "--port", port);
  expect(await types("provider set", 0, "box", "--model-file", small, "--context", "4096")).toContain("4096 tokens");
  expect(await types("provider start", 0, "box")).toContain("box is running");
  expect(await types("provider list", 0)).toContain("running");
  expect(await types("provider detect", 0)).toContain("box");
  expect(await types("provider show", 0, "box")).toContain("Started by AgentOS: yes, pid");
  expect(await types("provider models", 0, "box")).toContain("agentos-tiny");
  expect(await types("provider logs", 0, "box")).toContain("server is listening on");
  await types("provider restart", 0, "box");
  await types("provider pull", 4, "box", "some-model");
  expect(await types("provider probe", 0, "box")).toContain("Tool calls: works");
  await types("provider key", 2, "box");
  expect(await types("provider stop", 0, "box")).toContain("box is stopped");
  await types("provider remove", 0, "box", "--yes");

  await types("project create", 0, "other");
  await types("repo add", 0, "other", ben.repository);
  const rules = ben.write(
    "policy.cedar",
    '@id("no-touch") forbid (principal, action, resource) when { context.commands.contains("touch") };\n',
  );
  const table = ben.write(
    "policy-tests.yaml",
    "cases:\n  - command: touch x\n    expect: deny\n    rule: project/no-touch\n  - command: npm test\n    expect: allow\n",
  );
  expect(await types("policy check", 0, rules)).toContain("forbid no-touch");
  expect(await types("policy set", 0, rules, "--project", "other")).toContain("forbid no-touch");
  expect(await types("policy show", 0, "--project", "other")).toContain("and what cannot be read");
  expect(await types("policy test", 0, table, "--project", "other")).toContain("2 as expected, 0 not");
  expect(await types("policy explain", 0, "--command", "touch x", "--project", "other")).toContain(
    "deny by project:no-touch",
  );
  const tools = `node ${join(import.meta.dirname, "..", "fixtures", "mcp", "server.mjs")}`;
  expect(await types("mcp add", 0, "other", "words", tools, "--yes")).toContain("read_note");
  expect(await types("mcp list", 0, "other")).toContain("words");
  expect(await types("mcp probe", 0, "other", "words")).toContain("read_note");
  await types("mcp pin", 0, "other", "words", "--tool", "read_note", "--yes");
  await types("mcp remove", 0, "other", "words");
  await types("project delete", 0, "other", "--yes");
});

test("every command was typed", () => {
  typed.add("server"); // it stays in the foreground: cli-daemon.test.ts
  expect([...typed].sort()).toEqual(Object.keys(COMMANDS).sort());
});
