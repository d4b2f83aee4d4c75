import { describe, expect, it } from "vitest";
import { captured, type Given, givenDesk } from "../../test/support/given-desk.ts";
import { readCapabilities } from "./reading.ts";

function reads(given: Given = {}) {
  const made = givenDesk({ files: { "a.txt": "one" }, ...given });
  return { ...made, can: readCapabilities(made.deps, made.desk, made.pass) };
}

describe("reading", () => {
  it("tells the text of a file with its digest, and that there is none", async () => {
    const { can, seen } = reads();
    expect([await can.read("app", "a.txt"), await can.read("app", "b.txt")]).toEqual(["one", null]);
    expect(seen.effects.flatMap(({ evidence }) => evidence)).toEqual([
      { kind: "file", repo: "app", path: "a.txt", before: "digest of one", after: "digest of one" },
      { kind: "file", repo: "app", path: "b.txt", before: null, after: null },
    ]);
  });

  it("tells no bytes that are no text", async () => {
    const { deps } = reads();
    const workspaces = { ...deps.workspaces, readFile: async () => new Uint8Array([0xff, 0xfe]) };
    const { can } = reads({ deps: { workspaces } });
    await expect(can.read("app", "a.bin")).rejects.toMatchObject({
      code: "agent/failed",
      message: "a.bin is no UTF-8 text",
      next: "Change it by a command instead.",
    });
  });

  it("lists below a place, or all", async () => {
    const { can, seen } = reads();
    expect([await can.list("app", ""), await can.list("app", "src")]).toEqual([["a.txt"], ["a.txt"]]);
    expect(seen.inputs).toEqual([{ list: { repo: "app", prefix: "" } }, { list: { repo: "app", prefix: "src" } }]);
  });

  it("searches in the sandbox for words, never for a pattern or a program, and says when there is more", async () => {
    const lines = Array.from({ length: 101 }, (_, at) => `a.txt:${at}:x`);
    const { can, seen } = reads({ command: () => ({ stdout: captured(`${lines.join("\n")}\n`) }) });
    expect(await can.search("app", "$(x)", "src")).toEqual({ lines: lines.slice(0, 100), more: true });
    await can.search("app", "x", "");
    expect(seen.commands.map(({ argv }) => argv.slice(3))).toEqual([
      ["search", "$(x)", "src"],
      ["search", "x", "."],
    ]);
    expect(seen.commands[0]?.mounts.map(({ access }) => access)).toEqual(["read", "read"]);
  });

  it("of a place outside, or of nothing, is not begun", async () => {
    const { can, seen } = reads();
    for (const odd of [
      can.read("app", "../x"),
      can.list("app", "/etc"),
      can.search("app", "x", "a/../.."),
      can.search("app", "", ""),
    ])
      await expect(odd).rejects.toMatchObject({ name: "Failure" });
    expect(seen.inputs).toEqual([]);
  });
});
