import { describe, expect, it } from "vitest";
import { itemGiven, specGiven } from "../../../test/support/given-spec.ts";
import { noHands } from "../../../test/support/scripted-hands.ts";
import { Failure } from "../../domain/failure.ts";
import type { ScriptAct, ScriptItem, ScriptPlan } from "../../domain/script-plan.ts";
import type { Spec } from "../../domain/spec.ts";
import type { CommandResult, PlanningCapabilities, WorkCapabilities } from "../../ports/agent.ts";
import { scriptAgent } from "./script-agent.ts";

const RUN: Extract<ScriptAct, { act: "run" }> = {
  act: "run",
  argv: ["make", "all"],
  cwd: ".",
  network: [],
  timeoutMs: null,
};

const script = (...acts: readonly ScriptAct[]): ScriptItem => ({
  id: "work",
  title: "Do it",
  repo: "app",
  criterion: "c1",
  dependsOn: [],
  acts,
});
const specOf = (plan: ScriptPlan) => specGiven({ agent: { kind: "script", plan } });
const ITEM = itemGiven({ id: "work" });

const NOBODY = noHands("a script asks nobody");

/** Capabilities over files in memory, and what was asked of them. */
function hands(spec: Spec, files: Record<string, string> = {}, result: Partial<CommandResult> = {}) {
  const asked: unknown[][] = [];
  const can: WorkCapabilities = {
    ...NOBODY,
    spec,
    read: async (_, path) => files[path] ?? null,
    list: async () => Object.keys(files),
    search: async () => ({ lines: [], more: false }),
    write: async (...words) => void asked.push(["write", ...words]),
    remove: async (...words) => void asked.push(["remove", ...words]),
    keep: async (...words) => {
      asked.push(["keep", ...words]);
      return Object.hasOwn(files, words[1]);
    },
    run: async (...words) => {
      asked.push(["run", ...words]);
      return { exitCode: 0, endedBy: "itself", stdout: "", stderr: "", ...result };
    },
  };
  return { can, asked };
}

const work = async (
  acts: readonly ScriptAct[],
  files: Record<string, string> = {},
  result: Partial<CommandResult> = {},
) => {
  const { can, asked } = hands(specOf({ explore: [], items: [script(...acts)] }), files, result);
  return { outcome: await scriptAgent.work(ITEM, can), asked };
};

describe("an item of a script", () => {
  it("does its acts in order, in its own repo", async () => {
    const { outcome, asked } = await work(
      [
        { act: "write", path: "a.txt", content: "one\n", executable: true },
        RUN,
        { act: "remove", path: "b.txt" },
        { act: "replace", path: "c.txt", find: "x", with: "$&" },
      ],
      { "c.txt": "1x2" },
    );
    expect(outcome).toEqual({ done: true });
    expect(asked).toEqual([
      ["write", "app", "a.txt", "one\n", true],
      ["run", "app", RUN],
      ["remove", "app", "b.txt"],
      ["write", "app", "c.txt", "1$&2", null],
    ]);
  });

  it("leaves its artifacts once its acts are done, each under its last name; one that is not there fails it", async () => {
    const leaving = async (...artifacts: readonly string[]) => {
      const { can, asked } = hands(specOf({ explore: [], items: [{ ...script(RUN), artifacts }] }), {
        "dist/out.json": "{}",
      });
      return { outcome: await scriptAgent.work(ITEM, can), asked };
    };
    expect(await leaving("dist/out.json")).toEqual({
      outcome: { done: true },
      asked: [
        ["run", "app", RUN],
        ["keep", "app", "dist/out.json", "out.json"],
      ],
    });
    expect((await leaving("dist/none.json")).outcome).toEqual({
      done: false,
      cause: "the artifact dist/none.json is not there",
    });
  });

  it.each<[string, Partial<CommandResult>, string]>([
    ["an exit code", { exitCode: 2 }, "make all exited with 2"],
    ["a signal", { exitCode: null }, "make all exited with a signal"],
    ["the limit on time", { exitCode: null, endedBy: "time" }, "make all was ended by the limit on time"],
    [
      "the limit on memory, whatever its exit code",
      { exitCode: 0, endedBy: "memory" },
      "make all was ended by the limit on memory",
    ],
  ])("stops at %s, saying so, and does not go on", async (_, result, cause) => {
    const { outcome, asked } = await work([RUN, { act: "remove", path: "b.txt" }], {}, result);
    expect(outcome).toEqual({ done: false, cause });
    expect(asked).toHaveLength(1);
  });

  it.each<[string, Record<string, string>, string]>([
    ["a file that is not there", {}, "a.txt is not there"],
    ["a text that is not in it", { "a.txt": "two" }, "a.txt does not contain the text to replace"],
    ["a text that is in it twice", { "a.txt": "one one" }, "a.txt contains the text to replace more than once"],
    ["a text that overlaps itself", { "a.txt": "oneone" }, "a.txt contains the text to replace more than once"],
  ])("does not replace in %s", async (_, files, cause) => {
    const find = files["a.txt"] === "oneone" ? "one" : "one";
    const { outcome, asked } = await work([{ act: "replace", path: "a.txt", find, with: "x" }], files);
    expect([outcome, asked]).toEqual([{ done: false, cause }, []]);
  });

  it("counts overlapping places as more than one", async () => {
    const { outcome } = await work([{ act: "replace", path: "a.txt", find: "aa", with: "b" }], { "a.txt": "aaa" });
    expect(outcome).toEqual({ done: false, cause: "a.txt contains the text to replace more than once" });
  });

  it("that the script does not have is a plan nobody wrote", async () => {
    const { can } = hands(specOf({ explore: [], items: [script(RUN)] }));
    await expect(scriptAgent.work({ ...ITEM, id: "other" }, can)).rejects.toThrow(
      new Failure("plan/invalid", "the plan's work item other is not in the script"),
    );
  });

  it("lets a denial through", async () => {
    const { can } = hands(specOf({ explore: [], items: [script(RUN)] }));
    const denied = new Failure("act/denied", "no");
    await expect(scriptAgent.work(ITEM, { ...can, run: () => Promise.reject(denied) })).rejects.toBe(denied);
  });
});

describe("the plan of a script", () => {
  const planned = (plan: ScriptPlan, result: Partial<CommandResult> = {}, changeRequest: string | null = null) => {
    const asked: unknown[] = [];
    const can: PlanningCapabilities = {
      ...NOBODY,
      spec: specOf(plan),
      changeRequest,
      read: async () => null,
      list: async () => [],
      search: async () => ({ lines: [], more: false }),
      inspect: async (repo, argv) => {
        asked.push([repo, argv]);
        return { exitCode: 0, endedBy: "itself", stdout: "", stderr: "", ...result };
      },
    };
    return scriptAgent.plan(can).then((made) => ({ ...made, asked }));
  };

  it("says what each item will touch and run, each path once, and calls what may reach outside elevated", async () => {
    const { items } = await planned({
      explore: [],
      items: [
        script(
          { act: "write", path: "a.txt", content: "", executable: false },
          { act: "replace", path: "a.txt", find: "x", with: "y" },
          { act: "remove", path: "b.txt" },
          RUN,
        ),
        { ...script({ ...RUN, network: ["example.org:443"] }), id: "out", dependsOn: ["work"], criterion: null },
      ],
    });
    expect(items).toEqual([
      {
        id: "work",
        title: "Do it",
        repo: "app",
        paths: ["a.txt", "b.txt"],
        commands: ["make all"],
        risk: "low",
        criterion: "c1",
        dependsOn: [],
      },
      {
        id: "out",
        title: "Do it",
        repo: "app",
        paths: [],
        commands: ["make all"],
        risk: "elevated",
        criterion: null,
        dependsOn: ["work"],
      },
    ]);
  });

  it("notes what exploring said, first line only, at most 200 characters of it", async () => {
    const explore = [{ repo: "app", argv: ["ls"] }];
    expect((await planned({ explore, items: [] }, { stdout: "\n a.txt\nb.txt\n" })).notes).toEqual([
      "app: ls exited with 0: a.txt",
    ]);
    expect((await planned({ explore, items: [] }, { exitCode: 1, stderr: "no such\n" })).notes).toEqual([
      "app: ls exited with 1: no such",
    ]);
    expect((await planned({ explore, items: [] }, { exitCode: null })).notes).toEqual([
      "app: ls exited with a signal: ",
    ]);
    expect((await planned({ explore, items: [] }, { stdout: "x".repeat(500) })).notes[0]?.length).toBe(
      "app: ls exited with 0: ".length + 200,
    );
  });

  it("answers a request for changes by saying that a script does what its file says", async () => {
    const { notes } = await planned({ explore: [], items: [script(RUN)] }, {}, "do it otherwise\nplease");
    expect(notes).toEqual([
      "Changes were asked for: do it otherwise. A script does what its file says; revise the file to change it.",
    ]);
  });
});

it("a spec for another agent is a bug", async () => {
  const spec: Spec = { ...specOf({ explore: [], items: [] }), agent: { kind: "gates" } };
  await expect(scriptAgent.work(ITEM, hands(spec).can)).rejects.toThrow("the script agent was given a spec for gates");
});
