import { describe, expect, it } from "vitest";
import { captured, type Given, givenDesk } from "../../test/support/given-desk.ts";
import { planningCapabilities, readOnlyWitness } from "./planning.ts";

const shows = (line: string): Given => ({ command: () => ({ stdout: captured(line) }) });
const TWO: Given = {
  spec: {
    scopes: [
      { repo: "app", access: "full" },
      { repo: "lib", access: "read_only" },
    ],
  },
};

describe("planning", () => {
  it("looks by commands on read-only mounts without a network", async () => {
    const { deps, desk, pass, seen } = givenDesk(shows("a.txt"));
    const can = planningCapabilities(deps, desk, pass);
    expect(await can.inspect("app", ["ls"])).toEqual({ exitCode: 0, endedBy: "itself", stdout: "a.txt", stderr: "" });
    expect(seen.acts).toEqual([{ kind: "read", repo: "app", what: "command", target: ["ls"] }]);
    expect(seen.commands[0]).toMatchObject({ argv: ["ls"], egressSocket: null });
    expect(seen.commands[0]?.mounts.map(({ access }) => access)).toEqual(["read", "read"]);
    await expect(can.inspect("app", [])).rejects.toThrow("a command without words");
    expect([can.spec, can.bases, can.changeRequest]).toEqual([desk.spec, { app: "base" }, null]);
  });

  it("has the kernel's word for every mount", async () => {
    const { deps, desk, pass, seen } = givenDesk({ ...shows("ro"), ...TWO });
    expect(await readOnlyWitness(deps, desk, pass, "planning")).toEqual({ app: "ro", lib: "ro" });
    expect(seen.effects[0]?.evidence.at(-1)).toEqual({ kind: "mount", repo: "app", line: "ro", readOnly: true });
    expect(seen.commands[0]?.mounts.map(({ access }) => access)).toEqual(["read", "read", "read", "read"]);
  });

  it("at work the kernel is asked for what the task may not change", async () => {
    const { deps, desk, pass, seen } = givenDesk({ ...shows("ro"), ...TWO });
    expect(await readOnlyWitness(deps, desk, pass, "by-scope")).toEqual({ lib: "ro" });
    expect(seen.commands[0]?.mounts.map(({ access }) => access)).toEqual(["write", "read", "read", "read"]);
  });

  it.each([
    ["rw", "the sandbox shows /workspace/app as rw; it has to be read-only there"],
    ["", "the sandbox shows /workspace/app as not mounted; it has to be read-only there"],
  ])("a mount that is not read-only stops the task: %j", async (line, message) => {
    const { deps, desk, pass } = givenDesk(shows(line));
    await expect(readOnlyWitness(deps, desk, pass, "planning")).rejects.toMatchObject({
      code: "sandbox/missing",
      message,
    });
  });
});
