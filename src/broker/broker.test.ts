import { describe, expect, it } from "vitest";
import type { Act } from "../domain/step.ts";
import type { Desk } from "../ports/broker.ts";
import { describeAct } from "./broker.ts";
import { confine, insideOf, tail, targetOf } from "./confine.ts";
import type { BrokerDependencies } from "./deps.ts";

/** One act of each kind; a new kind without one does not compile. */
const ACTS: { readonly [K in Act["kind"]]: readonly [Extract<Act, { readonly kind: K }>, string] } = {
  read: [{ kind: "read", repo: "app", what: "command", target: ["ls", "-l"] }, "read command ls -l in app"],
  edit: [
    { kind: "edit", repo: "app", path: "a.txt", before: null, after: "d", content: null, executable: false },
    "write a.txt in app",
  ],
  command: [
    { kind: "command", repo: "app", argv: ["make", "all"], cwd: ".", timeoutMs: 1, network: [] },
    "run make all in app",
  ],
  prepare: [
    { kind: "prepare", repo: "app", on: "base", key: "k", argv: ["npm", "ci"], hosts: [] },
    "prepare app by npm ci",
  ],
  gate: [
    { kind: "gate", gate: "tests", repo: "app", on: "base", commit: "c1", tree: "t1", argv: [] },
    "gate tests on c1",
  ],
  candidate: [{ kind: "candidate", repo: "app", base: "b1" }, "make the candidate of app"],
  deliver: [
    { kind: "deliver", repo: "app", way: "merge", branch: "main", from: null, to: "c1", tree: "t1" },
    "deliver c1 to main of app",
  ],
  deliver_together: [
    {
      kind: "deliver_together",
      moves: [
        { repo: "app", way: "merge", branch: "main", from: "b1", to: "c1", tree: "t1" },
        { repo: "lib", way: "merge", branch: "main", from: "b2", to: "c2", tree: "t2" },
      ],
    },
    "deliver c1 to main of app, c2 to main of lib",
  ],
  tool: [
    {
      kind: "tool",
      repo: "app",
      server: "docs",
      tool: "find",
      digest: "d1",
      argv: ["docs"],
      input: { digest: "d", bytes: 1 },
      network: [],
      timeoutMs: 1,
    },
    "use find of docs",
  ],
  model: [{ kind: "model", provider: "p", model: "m", request: { digest: "d", bytes: 1 } }, "call m of p"],
  turn: [{ kind: "turn", agent: "a", prompt: { digest: "d", bytes: 1 } }, "a turn of a"],
};

describe("the broker's words and bounds", () => {
  it.each(Object.values(ACTS))("%#: an act is one line for the audit", (act, line) =>
    expect(describeAct(act)).toBe(line),
  );

  it("a removed file is not a written one", () =>
    expect(describeAct({ ...ACTS.edit[0], after: null })).toBe("remove a.txt in app"));

  it("a target is a host and a port, the host in lower case", () =>
    expect(targetOf("Registry.Example.ORG:443")).toEqual({ host: "registry.example.org", port: 443 }));

  it.each([
    "example.org",
    "example.org:",
    ":443",
    "https://example.org:443",
    "a b:1",
    "example.org:123456",
    "[::1]:80",
  ])("%j is no target", (text) => expect(() => targetOf(text)).toThrow(`${text} is not host:port`));

  it("a workspace is seen at the same place everywhere", () => expect(insideOf("app")).toBe("/workspace/app"));

  it("an agent is told the end of a long output", () => {
    const told = tail(new TextEncoder().encode(`${"x".repeat(100_000)}the end`));
    expect([told.length, told.endsWith("the end"), tail(new Uint8Array())]).toEqual([32 * 1024, true, ""]);
  });
});

describe("a command that fails", () => {
  const nothing = { bytes: new Uint8Array(), sha256: "" };
  const confined = (exitCode: number, noRoom: boolean) =>
    confine(
      {
        runDirectory: async () => "/run",
        sandbox: {
          run: async () => ({
            exitCode,
            signal: null,
            endedBy: "itself",
            stdout: nothing,
            stderr: nothing,
            durationMs: 1,
            environmentDigest: "",
          }),
        },
        blobs: { stage: async () => ({ ref: { digest: "d", bytes: 0 }, salt: new Uint8Array(), inline: null }) },
        noRoom: async () => noRoom,
      } as unknown as BrokerDependencies,
      { task: "t", repos: {}, spec: { limits: {} } } as unknown as Desk,
      {
        step: "1",
        run: 1,
        signal: new AbortController().signal,
        outputFile: "",
        onStart: () => undefined,
        onWarning: () => undefined,
      },
      {
        repo: "app",
        argv: ["make"],
        cwd: ".",
        mounts: [],
        scratches: [],
        environment: {},
        network: [],
        timeoutMs: 1,
      },
    );

  it("while the disk is full says nothing about the work: it is run again when there is room", async () => {
    await expect(confined(1, true)).rejects.toMatchObject({
      code: "store/full",
      message: "make ended with 1 while there was no space left on the disk of the data directory",
    });
  });

  it("with room, or that succeeds without, is what it is", async () => {
    expect((await confined(1, false)).told.exitCode).toBe(1);
    expect((await confined(0, true)).told.exitCode).toBe(0);
  });
});
