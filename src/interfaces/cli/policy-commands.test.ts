import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Around, type } from "../../../test/support/command-line.ts";
import { projectGiven, TASK } from "../../../test/support/given-views.ts";
import { PROBLEMS } from "../../contract/problems.ts";
import type { DecisionView, ModelCheckView, ModelPolicyLayersView, PolicyView } from "../../contract/views.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "agentos-policy-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const POLICY: PolicyView = {
  hash: "h0",
  layers: [
    { name: "shipped", sha256: "h1", problem: null },
    { name: "project", sha256: "h2", problem: "line 1: no policy" },
  ],
  policies: [
    { id: "default", layer: "shipped", effect: "permit", reason: "what is planned", forbids_opaque: false },
    { id: "no-touch", layer: "shipped", effect: "forbid", reason: "nothing is touched", forbids_opaque: true },
  ],
};
const decided = (verdict: DecisionView["verdict"], rule = "shipped/default"): DecisionView => ({
  step: null,
  verdict,
  rule,
  policy: "shipped:default",
  set: "h0",
  reason: "what is planned",
});

test("the policies in force are shown by layer, and one that cannot be read as what it means", async () => {
  const api: Around["api"] = { policy: async () => POLICY };
  expect(await type("policy show --project shop", { api })).toMatchObject({
    asked: [["policy", "shop"]],
    out: [
      "shipped: h1",
      "  permit default: what is planned",
      "  forbid no-touch: nothing is touched (and what cannot be read)",
      "project: NOT IN FORCE, so nothing is allowed: line 1: no policy",
      "all together: h0",
    ],
  });
  expect((await type("policy show --quiet", { api })).out).toEqual(["shipped:default", "shipped:no-touch"]);
});

describe("a decision is explained", () => {
  const api: Around["api"] = { explainPolicy: async () => decided("ask") };
  const cases: readonly (readonly [words: readonly string[], asked: unknown])[] = [
    [["--command", "touch x"], { argv: ["/bin/sh", "-c", "touch x"], planned: true }],
    [["--edit", "a.txt", "--project", "shop", "--outside-plan"], { edit: "a.txt", project: "shop", planned: false }],
    [[TASK, "1.item-work.2"], { task: TASK, step: "1.item-work.2", planned: true }],
  ];
  test.each(cases)("of an act or of a step: %j", async (words, asked) => {
    expect(await type(["policy", "explain", ...words], { api })).toMatchObject({
      out: ["ask by shipped:default: what is planned"],
      asked: [["explainPolicy", asked]],
    });
    expect((await type(["policy", "explain", ...words, "--quiet"], { api })).out).toEqual(["ask"]);
  });

  test("of no task without its step", async () =>
    expect(await type(`policy explain ${TASK}`, { api })).toMatchObject({
      exit: 2,
      asked: [],
      talk: ["agentos: a task was named and no step of it", "next: agentos task evidence ID names its steps."],
    }));
});

describe("a table of acts", () => {
  const tested = (text: string, api: Around["api"] = {}, more = "") => {
    writeFileSync(join(directory, "t.yaml"), text);
    return type(`policy test t.yaml${more}`, { api, workingDirectory: directory });
  };
  const TABLE =
    "cases:\n  - { command: make, expect: allow }\n  - { edit: a.txt, planned: false, phase: planning, network: [h], expect: deny }\n  - { command: make, expect: allow, rule: user/make }\n";

  test("is asked act by act; the exit code says whether each was decided as expected", async () => {
    const api: Around["api"] = { explainPolicy: async () => decided("allow") };
    const wrong = await tested(TABLE, api, " --project shop");
    expect(wrong).toMatchObject({
      exit: 7,
      talk: [
        "agentos: 2 of 3 acts are decided otherwise than expected",
        "next: Mend the policies or the table; agentos policy explain says of one act how it is decided.",
      ],
      out: [
        "WRONG  edit a.txt: expected deny, allow by shipped:default: what is planned",
        "WRONG  make: expected allow, allow by shipped:default: what is planned",
        "1 as expected, 2 not",
      ],
      asked: [
        ["explainPolicy", { argv: ["/bin/sh", "-c", "make"], project: "shop", planned: true }],
        ["explainPolicy", { edit: "a.txt", network: ["h"], phase: "planning", project: "shop", planned: false }],
        ["explainPolicy", { argv: ["/bin/sh", "-c", "make"], project: "shop", planned: true }],
      ],
    });
    expect((await tested(TABLE, api, " --quiet")).out).toEqual(["edit a.txt", "make"]);
    const [envelope = "", ...more] = (await tested(TABLE, api, " --json")).out;
    expect([JSON.parse(envelope), more]).toMatchObject([
      { ok: false, problem: { code: "policy/unexpected" }, data: { wrong: 2 } },
      [],
    ]);
    expect(await tested("cases: [{ command: make, expect: allow, rule: shipped/default }]\n", api)).toMatchObject({
      exit: 0,
      out: ["1 as expected, 0 not"],
    });
  });

  test("that is not there is refused by its name", async () =>
    expect(await type("policy test none.yaml", { workingDirectory: directory })).toMatchObject({
      exit: 2,
      asked: [],
      talk: ["agentos: none.yaml cannot be read (ENOENT)", expect.stringMatching(/^next: /)],
    }));

  test.each([
    ["cases: [", /^agentos: t\.yaml is no YAML: /],
    ["cases: []\n", /^agentos: t\.yaml is not valid: cases/],
    ["cases: [{ expect: deny }]\n", /^agentos: t\.yaml is not valid: .*needs one of command and edit/],
    ["cases: [{ command: a, edit: b, expect: deny }]\n", /needs one of command and edit/],
  ])("that is none is refused: %s", async (text, said) => {
    const { exit, asked, talk } = await tested(text);
    expect([exit, asked]).toEqual([2, []]);
    expect(talk[0]).toMatch(said);
  });
});

describe("a policy file", () => {
  const refused = async (name: string) => {
    const { exit, asked, talk } = await type(`policy check ${name}`, { workingDirectory: directory });
    return [exit, asked, talk[0]];
  };

  test("that is not there, or a directory, is refused by its name", async () => {
    expect(await refused("none.cedar")).toEqual([2, [], "agentos: none.cedar cannot be read (ENOENT)"]);
    expect(await refused(".")).toEqual([2, [], "agentos: . cannot be read (EISDIR)"]);
  });

  test("that is no text, or too large, is refused by its name", async () => {
    writeFileSync(join(directory, "bytes.cedar"), new Uint8Array([0xff, 0xfe]));
    expect(await refused("bytes.cedar")).toEqual([2, [], "agentos: bytes.cedar is no UTF-8 text"]);
    writeFileSync(join(directory, "large.cedar"), "");
    truncateSync(join(directory, "large.cedar"), 1024 ** 2 + 1);
    expect(await refused("large.cedar")).toEqual([
      2,
      [],
      "agentos: large.cedar has 1048577 bytes; a policy file may have 1048576",
    ]);
  });
});

const NOBODY: ModelPolicyLayersView = {
  task: null,
  project: null,
  user: {},
  in_force: { intent: null, planning: null, implementation: null, verification: null },
};
const models = (model: string) => ({ use: [{ provider: "ollama", model, parameters: {} }], budget: {} });
const SOMEBODY: ModelPolicyLayersView = {
  task: null,
  project: { any: models("a") },
  user: { planning: models("b") },
  in_force: {
    intent: { ...models("a"), from: "project" },
    planning: { ...models("b"), budget: { turns: 5 }, from: "user" },
    implementation: null,
    verification: null,
  },
};
const NAME_ONE =
  "next: agentos model policy set any PROVIDER/MODEL; agentos provider list shows the providers there are";

describe("which models are asked", () => {
  test("is shown by phase, with the layer that says so", async () =>
    expect(
      await type(`model policy show --task ${TASK} --project shop`, { api: { modelPolicy: async () => SOMEBODY } }),
    ).toMatchObject({
      asked: [["modelPolicy", { task: TASK, project: "shop" }]],
      out: [
        "PHASE           MODEL     SAID BY      BUDGET",
        "intent          ollama/a  the project",
        "planning        ollama/b  you          5 turns",
        "implementation  none",
        "verification    none",
      ],
      talk: [],
    }));

  test("is nobody at first, and said how to change that", async () =>
    expect((await type("model policy show", { api: { modelPolicy: async () => NOBODY } })).talk).toEqual([NAME_ONE]));

  test("is set for one phase, and the others stay", async () => {
    const api: Around["api"] = {
      modelPolicy: async () => SOMEBODY,
      setModelPolicy: async () => SOMEBODY,
      changeProject: async () => projectGiven(),
    };
    const set = async (words: string) => (await type(`model policy set ${words}`, { api })).asked[1];
    const use = [{ provider: "openai", model: "gpt/5", parameters: {} }];
    expect(await set("any openai/gpt/5")).toEqual(["setModelPolicy", { planning: models("b"), any: { use } }]);
    expect(await set("planning --clear")).toEqual(["setModelPolicy", {}]);
    expect(await set("planning --clear --project shop")).toEqual([
      "changeProject",
      "shop",
      { settings: { models: { any: models("a") } } },
    ]);
    const parameters = { temperature: 0.5, top_p: 1, seed: 7, output_tokens_max: 100, context_tokens: 4096 };
    expect(
      await set(
        "planning ollama/a openai/gpt/5 --temperature 0.5 --top-p 1 --seed 7 --output-tokens 100 --context-tokens 4096 --budget usd=1.5,turns=3",
      ),
    ).toEqual([
      "setModelPolicy",
      {
        planning: {
          use: [
            { provider: "ollama", model: "a", parameters },
            { provider: "openai", model: "gpt/5", parameters },
          ],
          budget: { usd: 1.5, turns: 3 },
        },
      },
    ]);
    expect(await type("model policy set any ollama/a", { api })).toMatchObject({
      exit: 0,
      talk: ["whether they can be asked: agentos model policy check"],
    });
    expect((await type("model policy set any --clear", { api })).talk).toEqual([]);
  });

  test.each([
    ["any", "agentos: nobody was named for any"],
    ["any ollama/a --clear", "agentos: models were named, and that there are to be none"],
  ])("is not guessed: %s", async (words, said) =>
    expect(await type(`model policy set ${words}`)).toMatchObject({
      exit: 2,
      asked: [],
      talk: [said, "next: Name PROVIDER/MODEL; or nobody, with --clear."],
    }),
  );

  test.each(["--temperature 11", "--temperature warm", "--top-p 1.5", "--seed 1.5"])(
    "takes no amount that is none: %s",
    async (words) => {
      await expect(type(`model policy set any ollama/a ${words}`)).rejects.toThrow(/must be a (whole )?number/);
    },
  );
});

describe("whether the models can be asked", () => {
  const checked = (more: Partial<ModelCheckView>): Around => ({
    api: { checkModels: async () => ({ items: [], unnamed: [], ...more }) },
  });
  const item = { provider: "ollama", model: "a", named_by: ["user any"], says: "it answers", next: null };

  test("is told of each, and the exit code is that of having none where one cannot", async () => {
    const good = { ...item, ok: true };
    const unsure = { ...item, model: "b", ok: null, says: "nobody says", next: "Try it." };
    expect(
      await type(`model policy check --task ${TASK} --project shop`, checked({ items: [good, unsure] })),
    ).toMatchObject({
      exit: 0,
      asked: [["checkModels", { task: TASK, project: "shop" }]],
      out: ["✓ ollama/a (user any): it answers", "? ollama/b (user any): nobody says", "  next: Try it."],
      talk: [],
    });
    const bad = { ...item, ok: false, says: "it is not there" };
    expect(await type("model policy check", checked({ items: [good, bad], unnamed: ["planning"] }))).toMatchObject({
      exit: 69,
      out: [
        "✓ ollama/a (user any): it answers",
        "✗ ollama/a (user any): it is not there",
        "no model is named for planning",
      ],
      talk: ["agentos: ollama/a cannot be asked", "next: agentos provider list shows which providers answer."],
    });
    const [envelope = ""] = (await type("model policy check --json", checked({ items: [good, bad] }))).out;
    expect(JSON.parse(envelope)).toMatchObject({
      ok: false,
      problem: { code: "model/unavailable" },
      data: { items: [good, bad] },
    });
  });

  test("is no, where there are none", async () =>
    expect(await type("model policy check", checked({}))).toMatchObject({
      exit: 69,
      out: [],
      talk: ["agentos: no model is named", `next: ${PROBLEMS["model/none"].next}`],
    }));
});
