import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { questionGiven } from "../../../test/support/given-desk.ts";
import { itemGiven } from "../../../test/support/given-spec.ts";
import { ACT_EXAMPLES } from "../../../test/support/given-task.ts";
import { isFailure } from "../../domain/failure.ts";
import type { Phase } from "../../domain/phase.ts";
import type { Act } from "../../domain/step.ts";
import type { PolicyAnswer, PolicyLayer, PolicyQuestion } from "../../ports/policy.ts";
import { cedar } from "./cedar.ts";
import { cedarPolicy } from "./cedar-policy.ts";
import { compile } from "./compile.ts";
import { factsOf } from "./facts.ts";

const layer = (text: string, more: Partial<PolicyLayer> = {}): PolicyLayer => ({
  name: "user",
  text,
  granted: false,
  ...more,
});
const policyOf = (...layers: readonly PolicyLayer[]) => cedarPolicy(async () => layers);
const SHIPPED = policyOf();
const NO_TOUCH = policyOf(
  layer('@id("no-touch") forbid (principal, action, resource) when { context.commands.contains("touch") };'),
);

const run = (...argv: readonly string[]): Act => ({
  kind: "command",
  repo: "app",
  argv,
  cwd: ".",
  timeoutMs: 1,
  network: [],
});
const shell = (text: string): Act => run("/bin/sh", "-c", text);
const edit = (path: string): Act => ({
  kind: "edit",
  repo: "app",
  path,
  before: null,
  after: "d",
  content: null,
  executable: null,
});
const item = (paths: readonly string[], commands: readonly string[]) => itemGiven({ paths, commands });

const told = ({ verdict, rule }: PolicyAnswer): readonly string[] => [verdict, rule];
const asked = async (act: Act, more: Partial<PolicyQuestion> = {}, policy = SHIPPED) =>
  told(await policy.decide(questionGiven(act, more)));

describe("the shipped policy", () => {
  /** No policy is asked about a delivery: a person asks for it. */
  const { deliver: _, deliver_together: __, ...ONE_OF_EACH } = ACT_EXAMPLES;
  const HAS: Readonly<Record<Phase, readonly Act["kind"][]>> = {
    intent: [],
    planning: ["read", "model", "tool", "turn"],
    implementation: ["read", "edit", "command", "prepare", "model", "tool", "turn"],
    verification: ["prepare", "gate", "candidate", "model"],
  };

  it.each(Object.entries(HAS))("in %s allows what the phase has, and nothing else", async (phase, kinds) => {
    const allowed = [];
    for (const [kind, act] of Object.entries(ONE_OF_EACH)) {
      const [verdict, rule] = await asked(act, { phase: phase as Phase });
      if (verdict === "allow") allowed.push(kind);
      else expect([kind, verdict, rule]).toEqual([kind, "deny", "phase"]);
    }
    expect(allowed).toEqual(kinds);
  });

  it("refuses a repo that is not the task's, one that is not writable, and a path outside the spec's scope", async () => {
    expect(await asked(edit("a"), { scope: undefined })).toEqual(["deny", "scope"]);
    expect(await asked(edit("a"), { repoWritable: false })).toEqual(["deny", "scope/repo"]);
    const scope = { repo: "app", access: "paths", paths: ["src/"] } as const;
    expect(await asked(edit("docs/a"), { scope })).toEqual(["deny", "scope/path"]);
    expect(await asked(edit("src/a"), { scope })).toEqual(["allow", "declared/path"]);
    expect((await SHIPPED.decide(questionGiven(edit("docs/a"), { scope }))).reason).toBe(
      "docs/a is outside what the spec lets this task change in app",
    );
  });

  it("asks for what no work item of the plan names, and not for what one does", async () => {
    expect(await asked(edit("a"), { item: item(["b"], []) })).toEqual(["ask", "plan/path"]);
    expect(await asked(edit("b"), { item: item(["b"], []) })).toEqual(["allow", "declared/path"]);
    expect(await asked(run("npm", "test"), { item: item([], []) })).toEqual(["ask", "plan/command"]);
    expect(await asked(run("npm", "test"), { item: item([], ["npm test"]) })).toEqual(["allow", "declared/command"]);
    expect(await asked(shell("npm test"), { item: item([], ["npm test"]) })).toEqual(["allow", "declared/command"]);
  });

  it("does not ask for a command that was granted or approved in advance, whatever stands before it", async () => {
    const of = (act: Act, approvedCommands: readonly string[]) => asked(act, { item: item([], []), approvedCommands });
    expect(await asked(run("npm", "test"), { item: item([], []), grants: ["npm test *"] })).toEqual([
      "allow",
      "approved",
    ]);
    expect(await of(run("npm", "test", "--", "-x"), ["npm test*"])).toEqual(["allow", "approved"]);
    expect(await of(shell("npm test && npm run lint"), ["npm *"])).toEqual(["allow", "approved"]);
    expect(await of(shell("npm test; rm -f a"), ["npm test*"])).toEqual(["ask", "plan/command"]);
    expect(await of(shell("npm test $(rm -f a)"), ["npm test*"])).toEqual(["ask", "plan/command"]);
    expect(await of(shell("npm test > a"), ["npm test*"])).toEqual(["ask", "plan/command"]);
  });

  it("lets preparing reach the package hosts of the spec, and no other", async () => {
    const prepare: Act = {
      kind: "prepare",
      repo: "app",
      on: "base",
      key: "k",
      argv: ["npm", "ci"],
      hosts: ["a.example:443", "b.example:443"],
    };
    expect(await asked(prepare, { packageHosts: ["a.example:443", "b.example:443"] })).toEqual(["allow", "default"]);
    expect(await asked(prepare, { packageHosts: ["a.example:443"] })).toEqual(["deny", "egress"]);
  });

  it("hands a chat nothing", async () =>
    expect(await asked(run("ls"), { principal: { kind: "chat", name: "c" } })).toEqual(["deny", "chat"]));

  it("stands behind the red lines, which no layer, approval or grant can lift", async () => {
    const lax = policyOf(layer("permit (principal, action, resource);", { granted: true }));
    for (const text of ["sudo id", "git push --force", "git commit --no-verify -m x", "rm -rf /"])
      expect((await asked(shell(text), { approvedCommands: ["*"], grants: ["*"] }, lax))[1]).toMatch(/^red-line\//);
  });

  it("puts only questions that fit its schema", () => {
    const schema = readFileSync(join(import.meta.dirname, "agentos.cedarschema"), "utf8");
    const policies = { staticPolicies: "permit (principal, action, resource);" };
    for (const act of Object.values(ONE_OF_EACH))
      for (const { principal, action, resource, context } of factsOf(
        questionGiven({ ...act, network: ["a:1"] } as Act),
      )) {
        const answer = cedar().isAuthorized({
          principal,
          action,
          resource,
          context: { ...context, person: false },
          schema,
          validateRequest: true,
          policies,
          entities: [],
        });
        expect([act.kind, answer.type]).toEqual([act.kind, "success"]);
      }
  });
});

describe("layers", () => {
  const problem = (text: string, more: Partial<PolicyLayer> = {}): string => {
    try {
      compile([layer(text, more)]);
      return "none";
    } catch (error) {
      if (!isFailure(error, "policy/invalid")) throw error;
      return error.message;
    }
  };

  it("say the line of what is wrong", () => {
    expect(problem("// one\nforbid (principal, action, resource) when { context.nothing };")).toMatch(
      /^user policy, line 2: attribute `nothing`/,
    );
    expect(problem("// é\n\nforbid (")).toMatch(/^user policy, line 3: unexpected end of input/);
    expect(problem('forbid (principal, action == Action::"fly", resource);', { name: "project" })).toMatch(
      /^project policy, line 1: unrecognized action/,
    );
    expect(
      problem('@id("a") forbid (principal, action, resource);\n@id("a") forbid (principal is Chat, action, resource);'),
    ).toBe("user policy, line 2: there are two policies with the id a");
    expect(problem('@id("a b") forbid (principal, action, resource);')).toBe(
      'user policy, line 1: "a b" is no id; use letters, digits, - . and /',
    );
    expect(problem("forbid (principal == ?principal, action, resource);")).toMatch(/template/);
  });

  it("may forbid, and permit only what a person granted", async () => {
    const text =
      '@id("ls") permit (principal, action == Action::"command", resource) when { context.commands.contains("ls") };';
    expect(problem(text)).toBe("user policy, line 1: ls permits, and a layer below the shipped one may only forbid");
    const lax = policyOf(layer(text, { granted: true }));
    expect(await asked(run("ls"), { item: item([], []) }, lax)).toEqual(["allow", "user/ls"]);
    expect(await asked(run("cat"), { item: item([], []) }, lax)).toEqual(["ask", "plan/command"]);
    expect(await asked(run("ls"), { phase: "planning" }, lax)).toEqual(["deny", "phase"]);
  });

  it("can ask for a person's word, which a plain forbid does not take", async () => {
    const text =
      '@id("publish") @reason("publishing is looked at") forbid (principal, action, resource) when { context.commands.contains("npm publish") } unless { context.person };';
    const careful = policyOf(layer(text, { name: "project" }));
    expect(await careful.decide(questionGiven(run("npm", "publish")))).toMatchObject({
      verdict: "ask",
      rule: "project/publish",
      policy: "project:publish",
      reason: "publishing is looked at",
    });
    expect(await asked(run("npm", "test"), {}, careful)).toEqual(["allow", "declared/command"]);
  });

  it("give another hash to another set, and the same to the same", () => {
    const one = compile([layer("forbid (principal is Chat, action, resource);")]);
    expect(compile([layer("forbid (principal is Chat, action, resource);")]).hash).toBe(one.hash);
    expect(compile([]).hash).not.toBe(one.hash);
    expect(one.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("that cannot be read refuse everything, and say so", async () => {
    const broken = policyOf(layer("forbid ("));
    expect(await asked(run("ls"), {}, broken)).toEqual(["deny", "policy/broken"]);
    const { layers } = await broken.inForce(null);
    expect(layers.map(({ name, problem: what }) => [name, what === null])).toEqual([
      ["shipped", true],
      ["user", false],
    ]);
  });

  it("an error while a policy is evaluated is a no", async () => {
    const overflow = policyOf(
      layer(
        "forbid (principal, action, resource) when { 9223372036854775807 + (if context.opaque then 0 else 1) == 0 };",
      ),
    );
    expect((await asked(run("ls"), {}, overflow))[0]).toBe("deny");
  });
});

describe("a forbid on a command", () => {
  const list = <T>(name: string): T =>
    JSON.parse(readFileSync(join(import.meta.dirname, "../../../test/fixtures/commands", name), "utf8")) as T;
  const { touch: EVASIONS } = list<{ touch: Readonly<Record<string, readonly string[]>> }>("evasions.json");
  const { commands: ORDINARY } = list<{ commands: readonly string[] }>("ordinary.json");

  it.each(Object.entries(EVASIONS))("%s: none runs, and each would without it", async (_row, texts) => {
    for (const text of texts) {
      expect([text, (await asked(shell(text), {}, NO_TOUCH))[0]]).toEqual([text, "deny"]);
      expect([text, (await asked(shell(text)))[0]]).toEqual([text, "allow"]);
    }
  });

  it("lets ordinary commands through: at most one in a hundred is refused, one of them by a red line", async () => {
    const refusedAnyway: string[] = [];
    const refused: string[] = [];
    for (const text of ORDINARY) {
      if ((await asked(shell(text)))[0] !== "allow") refusedAnyway.push(text);
      if ((await asked(shell(text), {}, NO_TOUCH))[0] !== "allow") refused.push(text);
    }
    expect(refusedAnyway).toEqual(["git reset --hard HEAD"]);
    expect(refused).toEqual(expect.arrayContaining(refusedAnyway));
    expect(refused.length / ORDINARY.length).toBeLessThanOrEqual(0.01);
  });

  const OPAQUE = shell("$x y");
  it.each([
    [
      "in one phase",
      'forbid (principal, action, resource) when { context.phase == "verification" && context.commands.contains("touch") };',
      "allow",
    ],
    [
      "but for one phase",
      'forbid (principal, action, resource) when { context.commands.contains("touch") } unless { context.phase == "implementation" };',
      "allow",
    ],
    [
      "unless asked",
      'forbid (principal, action, resource) when { context.commands.contains("touch") } unless { context.person };',
      "ask",
    ],
    [
      "but for another one",
      'forbid (principal, action == Action::"command", resource) unless { context.commands.contains("npm test") };',
      "deny",
    ],
    [
      "of all but one",
      'forbid (principal, action == Action::"command", resource) when { !context.commands.contains("npm test") };',
      "deny",
    ],
    ["by its words", 'forbid (principal, action, resource) when { context.argv like "*touch*" };', "deny"],
    ["of exactly these words", 'forbid (principal, action, resource == Command::"touch x");', "deny"],
    ["or on a host", 'forbid (principal, action, resource == Host::"a.example:443");', "allow"],
    [
      "of files that are written",
      'forbid (principal, action, resource) when { context.writes.contains("x") };',
      "deny",
    ],
  ])("%s reaches as far as it says where nothing can be read", async (_what, text, verdict) =>
    expect((await asked(OPAQUE, {}, policyOf(layer(text))))[0]).toBe(verdict),
  );

  it("says that it could not be read", async () =>
    expect((await NO_TOUCH.decide(questionGiven(OPAQUE))).reason).toBe(
      "no-touch of the user policy forbids it; what it runs cannot be read (a variable), so that is forbidden too",
    ));
});
