import { describe, expect, it } from "vitest";
import { type Given, givenDesk } from "../../test/support/given-desk.ts";
import { Failure } from "../domain/failure.ts";
import type { WorkItem } from "../domain/plan.ts";
import { workCapabilities } from "./working.ts";

const ITEM = { id: "mend" } as WorkItem;

function works(given: Given = {}) {
  const made = givenDesk({ files: { "a.txt": "one" }, ...given });
  return { ...made, can: workCapabilities(made.deps, made.desk, made.pass) };
}
const command = { argv: ["make"], cwd: ".", network: [], timeoutMs: null } as const;

describe("editing", () => {
  it("writes with what was there before and what is there after, and takes away", async () => {
    const { can, seen, files } = works({ desk: { item: ITEM } });
    await can.write("app", "a.txt", "two", null);
    await can.write("app", "run.sh", "x", true);
    await can.remove("app", "a.txt");
    expect(files).toEqual({ "run.sh": "x" });
    expect(seen.effects.map(({ evidence }) => evidence)).toEqual([
      [{ kind: "file", repo: "app", path: "a.txt", before: "digest of one", after: "digest of two" }],
      [{ kind: "file", repo: "app", path: "run.sh", before: null, after: "digest of x" }],
      [{ kind: "file", repo: "app", path: "a.txt", before: "digest of two", after: null }],
    ]);
    expect(seen.inputs[0]).toEqual({
      edit: { item: "mend", repo: "app", path: "a.txt", after: "digest of two", executable: null },
    });
  });

  it("of a place that is none is refused by the workspace, as the end of the step", async () => {
    const { deps } = works();
    const readFile = async () => {
      throw new Failure("act/denied", "a.txt is a link");
    };
    const { can, seen } = works({ deps: { workspaces: { ...deps.workspaces, readFile } } });
    await can.write("app", "a.txt", "two", null);
    await can.remove("app", "a.txt");
    expect(seen.opened).toEqual(
      ["write", "remove"].map((verb) => ({
        refused: { act: `${verb} a.txt in app`, rule: "workspace/path", reason: "a.txt is a link" },
      })),
    );
  });

  it("that cannot look is no refusal", async () => {
    const { deps } = works();
    const readFile = async () => {
      throw new Error("the disk is gone");
    };
    const { can } = works({ deps: { workspaces: { ...deps.workspaces, readFile } } });
    await expect(can.write("app", "a.txt", "two", null)).rejects.toThrow("the disk is gone");
  });

  it("that is not there afterwards is a bug, not a finished step", async () => {
    const { deps } = works();
    const { can } = works({ deps: { workspaces: { ...deps.workspaces, writeFile: async () => undefined } } });
    await expect(can.remove("app", "a.txt")).rejects.toThrow("a.txt has digest of one after writing nothing");
    await expect(can.write("app", "b.txt", "x", null)).rejects.toThrow(
      "b.txt has no content after writing digest of x",
    );
  });
});

describe("keeping a file", () => {
  it.each([
    ["report.md", "text/markdown"],
    ["data.bin", "application/octet-stream"],
    ["constructor", "application/octet-stream"],
  ])("as an artifact has the kind that its name says: %s", async (name, mediaType) => {
    const { can, seen } = works();
    expect(await can.keep("app", "a.txt", name)).toBe(true);
    expect(seen.effects[0]?.evidence.at(-1)).toMatchObject({ kind: "artifact", name, mediaType });
  });

  it("that is not there keeps none", async () => {
    const { can, seen } = works();
    expect(await can.keep("app", "b.txt", "b.txt")).toBe(false);
    expect(seen.effects[0]?.evidence).toEqual([
      { kind: "file", repo: "app", path: "b.txt", before: null, after: null },
    ]);
  });
});

describe("running a command", () => {
  it.each([
    ["a\0b", "a word of the command holds a NUL character"],
    ["x".repeat(131_072), "a word of the command has 131072 bytes, and a program can be given 131071"],
    ["😀".repeat(32_768), "a word of the command has 131072 bytes, and a program can be given 131071"],
  ])("that no system starts is refused before anything is begun (%#)", async (word, message) => {
    const { can, seen } = works();
    await expect(can.run("app", { ...command, argv: ["sh", "-c", word] })).rejects.toMatchObject({
      code: "input/invalid",
      message,
    });
    await expect(can.search("app", word, "")).rejects.toMatchObject({ code: "input/invalid", message });
    expect(seen.inputs).toEqual([]);
  });

  it("has what failed before and what required tasks left at hand, and no more time than a step", async () => {
    const artifacts = [{ name: "a.md", mediaType: "text/markdown", content: { digest: "d", bytes: 1 } }];
    const { can, seen } = works({
      desk: { lastFailure: "it was red", inputs: [{ task: "before", artifacts }] } as unknown as NonNullable<
        Given["desk"]
      >,
    });
    await can.run("app", { ...command, cwd: "src", timeoutMs: 1e9 });
    expect(seen.acts).toMatchObject([{ kind: "command", cwd: "src", timeoutMs: 600_000 }]);
    expect(seen.commands[0]?.environment).toEqual({
      AGENTOS_FAILURE: "/run/agentos/failure.txt",
      AGENTOS_INPUTS: "/run/agentos/inputs",
    });
    expect(seen.commands[0]?.mounts.map(({ access }) => access)).toEqual(["write", "read", "read", "read"]);
    expect(seen.effects[0]).toMatchObject({ touched: ["app"], failed: null });
  });

  it("in the part of a monorepo that is meant has the variables of that part's dependencies", async () => {
    const layer = { key: "k", cwd: "packages/a", outputs: [], stores: [], provides: { PYTHONPATH: "/deps/a" } };
    const { can, seen } = works({
      desk: { layers: { app: [layer] } } as unknown as NonNullable<Given["desk"]>,
      layers: { k: {} },
      spec: { repos: { app: { role: "primary", branch: null, directory: "packages/a" } } },
    });
    await can.run("app", command);
    expect(seen.commands.map(({ cwd, environment }) => ({ cwd, environment }))).toEqual([
      { cwd: "/workspace/app/packages/a", environment: { PYTHONPATH: "/deps/a" } },
    ]);
  });

  it("that a bound ended has failed; one that ended by itself says so by its exit code", async () => {
    const late = works({ command: () => ({ exitCode: null, endedBy: "time" }) });
    await late.can.run("app", command);
    expect(late.seen.effects[0]?.failed).toBe("ended by the limit on time");
    const red = works({ command: () => ({ exitCode: 1 }) });
    expect(await red.can.run("app", command)).toMatchObject({ exitCode: 1 });
    await expect(red.can.run("app", { ...command, argv: [] })).rejects.toThrow("a command without words");
    await expect(red.can.run("app", { ...command, cwd: "../x" })).rejects.toMatchObject({ code: "act/denied" });
  });
});
