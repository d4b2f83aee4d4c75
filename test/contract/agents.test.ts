import { describe, expect, it } from "vitest";
import { builtinAgent } from "../../src/agents/builtin/builtin-agent.ts";
import { gatesAgent } from "../../src/agents/gates/gates-agent.ts";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import type { Spec } from "../../src/domain/spec.ts";
import type { Agent, ModelReply } from "../../src/ports/agent.ts";
import type { ModelRequest } from "../../src/ports/model.ts";
import { gateGiven, specGiven } from "../support/given-spec.ts";
import { calling, reply } from "../support/scripted-hands.ts";
import { agentContract, deskFor, type World } from "./agent-contract.ts";

const SPEC = specGiven({
  title: "Two repos",
  intent: "do it",
  criteria: [{ id: "c1", text: "it works", gate: "tests" }],
  scopes: [
    { repo: "app", access: "full" },
    { repo: "docs", access: "read_only" },
  ],
  gates: [gateGiven({ id: "tests", repo: "app" }), gateGiven({ id: "docs-tests", repo: "docs" })],
  pinnedOn: { app: "b1", docs: "b2" },
  agent: { kind: "gates" },
});

const SCRIPT: Spec = {
  ...SPEC,
  agent: {
    kind: "script",
    plan: {
      explore: [
        { repo: "app", argv: ["ls"] },
        { repo: "docs", argv: ["cat", "README.md"] },
      ],
      items: [
        {
          id: "second",
          title: "Second",
          repo: "app",
          criterion: null,
          dependsOn: ["first"],
          acts: [
            { act: "run", argv: ["make"], cwd: "src", network: ["example.org:443"], timeoutMs: 5_000 },
            { act: "remove", path: "old.txt" },
          ],
        },
        {
          id: "first",
          title: "First",
          repo: "app",
          criterion: "c1",
          dependsOn: [],
          acts: [
            { act: "write", path: "new.txt", content: "new\n", executable: true },
            { act: "replace", path: "a.txt", find: "one", with: "two" },
            { act: "run", argv: ["make", "check"], cwd: ".", network: [], timeoutMs: null },
          ],
        },
      ],
    },
  },
};

const WORLD: World = {
  files: { "a.txt": "one\n", "old.txt": "old\n" },
  command: (argv) => ({ stdout: `${argv.join(" ")} said so\n` }),
};

/** A model that is nothing but a function of what it is asked: it plans, and uses every tool there is, some of them wrongly. */
function says(request: ModelRequest): ModelReply {
  if (request.toolChoice === "none") return reply({ text: "notes" });
  // It counts its turns in its own words, of which the newest always stay.
  const before = request.messages.findLast(({ role }) => role === "assistant")?.text ?? "0";
  const turn = Number(before);
  const planning = request.tools.some(({ name }) => name === "submit_plan");
  // So little room that old results are cut and notes are made on the way.
  const small = (one: ModelReply): ModelReply => ({ ...one, contextTokens: 2_400 });
  const counted = (one: ModelReply): ModelReply => ({ ...one, text: String(turn + 1) });
  const item = { title: "Do it", repo: "app", paths: ["src/"], commands: ["make"], risk: "low", criterion: "c1" };
  if (planning) {
    const turns = [
      calling(
        ["list", { repo: "app" }],
        ["search", { repo: "docs", text: "one" }],
        ["read", { repo: "app", path: "a.txt" }],
      ),
      calling(["inspect", { repo: "app", command: "ls" }], ["ask", { question: "Which?", choices: ["a", "b"] }]),
      calling(["submit_plan", { items: [{ ...item, id: "one", repo: "etc" }] }]),
    ];
    const plan = calling(["submit_plan", { items: [{ ...item, id: "one" }] }]);
    return counted(turns[turn] ?? plan);
  }
  const turns = [
    calling(["read", { repo: "app", path: "long.txt" }], ["read", { repo: "app", path: "a.txt" }]),
    reply(),
    calling(["edit", { repo: "app", path: "a.txt", find: "one", replace: "two" }], ["read", '{"path']),
    calling(
      ["write", { repo: "app", path: "src/b.txt", content: "b", executable: true }],
      ["read", { repo: "app", path: "long.txt" }],
    ),
    calling(["run", { repo: "app", command: "make && make check" }], ["remove", { repo: "app", path: "old.txt" }]),
    calling(["list", { repo: "docs" }], ["ask", { question: "Done?" }], ["finish_item", { summary: "done" }]),
  ];
  const done = calling(["finish_item", {}]);
  return small(counted(turns[turn] ?? done));
}

agentContract("builtin", () => ({
  agent: builtinAgent,
  spec: structuredClone({ ...SPEC, agent: { kind: "builtin" } }),
  world: { ...WORLD, files: { ...WORLD.files, "AGENTS.md": "Be kind.", "long.txt": "line\n".repeat(900) }, says },
}));
agentContract("script", () => ({ agent: scriptAgent, spec: structuredClone(SCRIPT), world: WORLD }));
agentContract("gates", () => ({ agent: gatesAgent, spec: structuredClone(SPEC), world: WORLD }));

describe("the contract itself", () => {
  // Each of these breaks one promise; were the suite blind to it, it would prove nothing about honest agents.
  const asksOtherwise = (): Agent => {
    let lives = 0;
    return {
      ...scriptAgent,
      plan: async (can) => {
        lives += 1;
        await can.read("app", `${lives}.txt`);
        return { items: [], notes: [] };
      },
    };
  };
  const reaches: Agent = {
    ...scriptAgent,
    plan: async (can) => ({ items: [], notes: [String((can as unknown as { broker: unknown }).broker)] }),
  };
  const changes: Agent = {
    ...scriptAgent,
    plan: async (can) => {
      (can.spec as { attempts: number }).attempts = 99;
      return { items: [], notes: [] };
    },
  };

  it.each([
    ["reaches for what it was not handed", reaches, "the agent reached for broker"],
    ["changes its own spec", changes, "read only"],
  ])("finds an agent that %s", async (_, agent, said) => {
    await expect(agent.plan(deskFor(WORLD).planning(structuredClone(SPEC)))).rejects.toThrow(said);
  });

  it("finds an agent that asks otherwise the second time", async () => {
    const agent = asksOtherwise();
    const [first, second] = [deskFor(WORLD), deskFor(WORLD)];
    await agent.plan(first.planning(structuredClone(SPEC)));
    await agent.plan(second.planning(structuredClone(SPEC)));
    expect(second.asked).not.toEqual(first.asked);
  });
});
