import { expect, it } from "vitest";
import { Failure } from "../domain/failure.ts";
import type { Act } from "../domain/step.ts";
import type { Ask, Desk, Effect, Opened, StepRun } from "../ports/broker.ts";
import type { PolicyAnswer, PolicyQuestion } from "../ports/policy.ts";
import { createBroker } from "./broker.ts";
import type { BrokerDependencies } from "./deps.ts";

const RUN: StepRun = {
  step: "1.work.1",
  run: 1,
  signal: new AbortController().signal,
  outputFile: "",
  onStart: () => undefined,
  onWarning: () => undefined,
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A broker over a policy that answers this, with a desk that shows what it is asked to perform. */
function given(
  verdict: PolicyAnswer["verdict"],
  more: Partial<Desk> = {},
  files: Partial<Record<string, string>> = { "a.txt": "a" },
) {
  const seen = {
    questions: [] as PolicyQuestion[],
    opened: [] as Opened[],
    effects: [] as Effect[],
    dropped: 0,
    reads: 0,
  };
  const deps = {
    policy: {
      decide: async (question: PolicyQuestion) => {
        seen.questions.push(question);
        return { verdict, rule: "r", policy: "shipped:r", set: "s", reason: "because" };
      },
    },
    seal: (value: unknown) => ({ text: JSON.stringify(value), sha256: "sealed" }),
    digest: () => "digest",
    blobs: { stage: async (inline: Uint8Array) => ({ ref: { digest: "d", bytes: 1 }, salt: inline, inline }) },
    workspaces: {
      readFile: async (_: unknown, path: string) => {
        seen.reads += 1;
        if (path === "broken") throw new Error("it broke");
        return files[path] === undefined ? null : bytes(files[path]);
      },
    },
    dropRunDirectory: async () => {
      seen.dropped += 1;
    },
  } as unknown as BrokerDependencies;
  const desk = {
    task: "t",
    epoch: 1,
    phase: "implementation",
    runMode: "assisted",
    project: "p",
    spec: {
      scopes: [{ repo: "app", access: "full" }],
      prepare: [{ hosts: ["h:1"] }],
      agent: { kind: "script" },
      limits: { stepMs: 9 },
    },
    repos: { app: { writable: true, toolPath: ["/bin"] } },
    item: null,
    grants: [],
    toolServers: [],
    bases: { app: "base" },
    steps: {
      async perform({ open, effect }: Ask) {
        const opened = await open();
        seen.opened.push(opened);
        if ("refused" in opened || opened.needs !== undefined) return null;
        const done = await effect(RUN);
        seen.effects.push(done);
        return done.result;
      },
    },
    ...more,
  } as unknown as Desk;
  return { seen, deps, desk, working: createBroker(deps).working(desk) };
}
const command = { argv: ["npm", "test"], cwd: ".", network: [], timeoutMs: null } as const;

it("what is allowed is done, with the decision first among its evidence, and cleared up after", async () => {
  const { seen, working } = given("allow");
  expect(await working.read("app", "a.txt")).toBe("a");
  expect(seen.effects[0]?.evidence[0]).toEqual({
    kind: "decision",
    verdict: "allow",
    rule: "r",
    policy: "shipped:r",
    set: "s",
  });
  expect(seen.dropped).toBe(1);
  expect(seen.questions).toEqual([
    {
      principal: { kind: "agent", name: "script" },
      phase: "implementation",
      runMode: "assisted",
      act: { kind: "read", repo: "app", what: "file", target: ["a.txt"] },
      project: "p",
      scope: { repo: "app", access: "full" },
      repoWritable: true,
      packageHosts: ["h:1"],
      item: null,
      grants: [],
      approvedCommands: [],
    },
  ]);
});

it("what is refused is opened as a refusal, and nothing of it is begun", async () => {
  const { seen, working } = given("deny");
  await working.run("app", command);
  expect(seen.opened).toEqual([{ refused: { act: "run npm test in app", rule: "r", reason: "because" } }]);
  expect([seen.effects, seen.dropped]).toEqual([[], 0]);
});

it("what a person is asked names the act whole, what a yes is bound to, and what could be granted", async () => {
  const { seen, working } = given("ask");
  await working.run("app", command);
  const act: Act = { kind: "command", repo: "app", argv: ["npm", "test"], cwd: ".", timeoutMs: 9, network: [] };
  expect(seen.opened).toEqual([
    {
      act,
      blobs: [],
      needs: {
        text: JSON.stringify(act, null, 2),
        binds: { ...act, limits: { stepMs: 9 }, toolPath: ["/bin"] },
        act: "run npm test in app",
        rule: "r",
        reason: "because",
        grant: "npm test *",
      },
    },
  ]);
});

it("of an edit a person is shown the content; of a removed file there is none, and nothing can be granted", async () => {
  const { seen, working } = given("ask");
  await working.write("app", "a.txt", "new", null);
  await working.remove("app", "a.txt");
  const needs = seen.opened.map((one) => ("needs" in one ? one.needs : null));
  expect(needs.map((one) => one?.grant)).toEqual([null, null]);
  expect(needs[0]?.text.endsWith("\n\nnew")).toBe(true);
  expect(needs[1]?.text.endsWith("}")).toBe(true);
});

it("what holds half of a surrogate pair is refused before anything is begun, because no record could hold it", async () => {
  const { seen, deps, desk } = given("allow");
  const seal = (value: unknown) => {
    const text = JSON.stringify(value);
    if (text.includes("\\ud83d")) throw new Error("no canonical form");
    return { text, sha256: "sealed" };
  };
  const working = createBroker({ ...deps, seal }).working(desk);
  await expect(working.search("app", "\ud83d", "")).rejects.toMatchObject({
    code: "input/invalid",
    message: "half of a surrogate pair stands in what is asked for",
  });
  // Anything else that cannot be sealed is ours to mend.
  const broken = {
    ...deps,
    seal: () => {
      throw new Error("it broke");
    },
  };
  await expect(createBroker(broken).working(desk).read("app", "a.txt")).rejects.toThrow("it broke");
  expect(seen.opened).toEqual([]);
});

it("what the workspace refuses is refused before anybody is asked", async () => {
  const refuses = async () => {
    throw new Failure("act/denied", "a.txt is a link");
  };
  const { seen, deps, desk } = given("allow");
  const workspaces = { ...deps.workspaces, readFile: refuses };
  await createBroker({ ...deps, workspaces })
    .working(desk)
    .write("app", "a.txt", "new", null);
  expect(seen.opened).toEqual([
    { refused: { act: "write a.txt in app", rule: "workspace/path", reason: "a.txt is a link" } },
  ]);
  expect(seen.questions).toEqual([]);
});

it("a call of a model belongs to no repo; the bracket is told how it may be repeated", async () => {
  const models = { use: [{ provider: "p", model: "m", parameters: {} }], budget: {} };
  const again: unknown[] = [];
  const { seen, deps, desk } = given("ask", { models });
  const perform = desk.steps.perform;
  const steps = {
    ...desk.steps,
    perform: (ask: Ask) => {
      again.push(ask.again?.(new Failure("model/bad-answer", "broken off")));
      return perform(ask);
    },
  };
  await createBroker(deps)
    .reviewing({ ...desk, steps })
    .model({ messages: [], tools: [], toolChoice: "none", output: null });
  expect(seen.questions[0]).toMatchObject({ scope: undefined, repoWritable: false });
  expect(seen.opened[0]).toMatchObject({ needs: { act: "call m of p", binds: { toolPath: [] }, grant: null } });
  expect(again).toEqual([0]);
});

it("in autonomous mode what nobody agreed on needs a person just the same: it is not done without", async () => {
  const { seen, working } = given("ask", { runMode: "autonomous" });
  await working.run("app", command);
  expect(seen.opened.map((one) => "needs" in one)).toEqual([true]);
});

it("an effect that fails is cleared up after all the same", async () => {
  const { seen, working } = given("allow");
  await expect(working.read("app", "broken")).rejects.toThrow("it broke");
  expect(seen.dropped).toBe(1);
});

it("a step that was decided by an earlier run of this daemon claims no decision of its own", async () => {
  const { seen, working } = given("allow", {
    steps: {
      perform: async ({ effect }: Ask) => {
        const done = await effect(RUN);
        seen.effects.push(done);
        return done.result;
      },
    } as unknown as Desk["steps"],
  });
  await working.read("app", "a.txt");
  expect(seen.effects[0]?.evidence.map(({ kind }) => kind)).toEqual(["file"]);
});

it("a repo that the task does not know is nobody's to write, and what the system does is its own", async () => {
  const { seen, deps, desk, working } = given("deny", {}, {});
  await working.run("other", command);
  expect(seen.questions[0]).toMatchObject({ scope: undefined, repoWritable: false });
  await createBroker(deps).candidate(desk, "app", "message", { name: "a", email: "b" }, []);
  expect(seen.questions[1]?.principal).toEqual({ kind: "worker", name: "agentos" });
  const asking = given("ask", {}, {});
  await asking.working.run("other", command);
  expect(asking.seen.opened[0]).toMatchObject({ needs: { binds: { toolPath: [] } } });
});
