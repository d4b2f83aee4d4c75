import { describe, expect, it, vi } from "vitest";
import { type Given, givenDesk } from "../../test/support/given-desk.ts";
import { Failure } from "../domain/failure.ts";
import type { LayerMount } from "../ports/broker.ts";
import { allLayers, confine, firstRepo, isWritable, layerMounts, workspaceMounts } from "./confine.ts";
import { grantedThings } from "./granted-things.ts";
import { inputMounts } from "./inputs.ts";

const COMMAND = {
  repo: "app",
  argv: ["make"],
  cwd: ".",
  mounts: [],
  scratches: [],
  environment: {},
  network: [],
  timeoutMs: 1_000,
};
const connection = { host: "h", port: 1, bytesUp: 1, bytesDown: 2, reason: null };

describe("a confined command", () => {
  it("reaches the hosts it may by a door of its own; each try is evidence, and a refused one a refusal", async () => {
    const { deps, desk, run, seen } = givenDesk({
      connections: [
        { ...connection, verdict: "allowed" },
        { ...connection, verdict: "denied" },
        { ...connection, verdict: "denied", reason: "its address is private" },
      ],
    });
    const ran = await confine(deps, desk, run, { ...COMMAND, cwd: "src", network: ["H:1"] });
    expect(seen.doors).toEqual([
      {
        socket: "/run/dir/egress.sock",
        targets: [{ host: "h", port: 1 }],
        allowPrivate: [{ host: "registry.lan", port: 443 }],
      },
    ]);
    expect(seen.commands[0]).toMatchObject({ cwd: "/workspace/app/src", egressSocket: "/run/dir/egress.sock" });
    expect(ran.evidence.map(({ kind }) => kind)).toEqual(["command", "egress", "egress", "egress"]);
    expect(seen.denied).toEqual([
      "connect to h:1 (egress): the host is not open for this step",
      "connect to h:1 (egress): its address is private",
    ]);
  });

  it("that cannot be run leaves no door open and no clock running", async () => {
    const command = () => Promise.reject(new Failure("sandbox/missing", "no bubblewrap"));
    const { deps, desk, run, seen } = givenDesk({ command });
    vi.useFakeTimers();
    try {
      await expect(confine(deps, desk, run, { ...COMMAND, network: ["h:1"] })).rejects.toThrow("no bubblewrap");
      expect([seen.closed, vi.getTimerCount()]).toEqual([1, 0]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is warned of when most of its time is gone, and when it stalls", async () => {
    vi.useFakeTimers();
    try {
      const { deps, desk, run, seen } = givenDesk({
        command: ({ stall }) => {
          vi.advanceTimersByTime(800);
          stall?.onStall(5);
          return {};
        },
      });
      await confine(deps, desk, run, COMMAND);
      expect(seen.warnings).toEqual([
        { about: "time", ms: 800, limitMs: 1_000 },
        { about: "stall", ms: 5, limitMs: 300_000 },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("that a signal ended while the disk is full is told by the signal", async () => {
    const { deps, desk, run } = givenDesk({
      command: () => ({ exitCode: null, signal: "SIGBUS" }),
      deps: { noRoom: async () => true },
    });
    await expect(confine(deps, desk, run, COMMAND)).rejects.toThrow("make ended with SIGBUS while there was no space");
  });
});

describe("a command that fails", () => {
  const confined = (exitCode: number, noRoom: boolean) => {
    const { deps, desk, run } = givenDesk({ command: () => ({ exitCode }), deps: { noRoom: async () => noRoom } });
    return confine(deps, desk, run, COMMAND);
  };

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

describe("what a task may change", () => {
  it("is what both its spec and its project let it", () => {
    const { desk } = givenDesk({
      desk: { repos: { app: { writable: true, toolPath: [] }, lib: { writable: false, toolPath: [] } } },
      spec: { scopes: ["app", "lib", "gone"].map((repo) => ({ repo, access: "full" })) },
    });
    expect(["app", "lib", "gone", "other"].map((repo) => isWritable(desk, repo))).toEqual([true, false, false, false]);
  });

  it("is mounted for writing at work, and not to look", () => {
    const { deps, desk } = givenDesk();
    const access = (how: "read" | "by-scope") => workspaceMounts(deps, desk, how).map((one) => one.access);
    expect([access("read"), access("by-scope")]).toEqual([
      ["read", "read"],
      ["write", "read"],
    ]);
  });

  it("without a repo has no place to work", () => {
    expect([firstRepo(givenDesk().desk), firstRepo(givenDesk({ spec: { scopes: [] } }).desk)]).toEqual(["app", ""]);
  });
});

describe("dependency layers", () => {
  const layer = (more: Partial<LayerMount> = {}): LayerMount => ({
    key: "k",
    outputs: ["deps", "unmade"],
    stores: ["pip", "gone"],
    provides: { WHERE: "top" },
    cwd: ".",
    ...more,
  });
  const given = (layers: readonly LayerMount[]): Given => ({
    desk: { layers: { app: layers } },
    layers: { k: { outputs: ["deps", ".agentos-store/pip"] } },
  });

  it("are read-only, with room for caches, as far as they were made", async () => {
    const { deps, desk } = givenDesk(given([layer()]));
    const { mounts, scratches } = await layerMounts(deps, desk, "app", ".");
    expect(mounts).toEqual([
      { host: "/layers/k/deps", inside: "/workspace/app/deps", access: "read" },
      { host: "/layers/k/.agentos-store/pip", inside: "/run/agentos/dependencies/pip", access: "read" },
    ]);
    expect(scratches.map(({ inside }) => inside)).toEqual(
      [".cache", ".vite", ".vite-temp"].map((name) => `/workspace/app/deps/${name}`),
    );
  });

  it("say where they are to commands in their folder and below; the nearest word counts", async () => {
    const near = layer({ cwd: "web", provides: { WHERE: "web" } });
    const { deps, desk } = givenDesk(given([near, layer()]));
    const where = async (cwd: string) => (await layerMounts(deps, desk, "app", cwd)).environment["WHERE"];
    expect([await where("."), await where("web"), await where("web/a"), await where("webs")]).toEqual([
      "top",
      "web",
      "web",
      "top",
    ]);
    expect((await allLayers(deps, desk, "other", ".")).environment).toEqual({});
  });

  it("that are gone are said to be gone, with how to have them again", async () => {
    const whole = givenDesk({ ...given([layer()]), layers: {} });
    await expect(layerMounts(whole.deps, whole.desk, "app", ".")).rejects.toMatchObject({
      code: "store/corrupt",
      message: "the dependency layer of app (k) is gone from the data directory",
      next: "agentos task resume t prepares it again.",
    });
    const part = givenDesk(given([layer()]));
    const layers = { ...part.deps.layers, path: async () => null };
    await expect(layerMounts({ ...part.deps, layers }, part.desk, "app", ".")).rejects.toThrow(
      "deps in the dependency layer of app (k) is gone",
    );
  });

  it("of a repo that is called like what every object has are none", async () => {
    const { deps, desk } = givenDesk();
    expect((await layerMounts(deps, desk, "constructor", ".")).mounts).toEqual([]);
  });
});

describe("what is shown of other tasks", () => {
  const left = (name: string): Given["desk"] =>
    ({
      inputs: [{ task: "before", artifacts: [{ name, mediaType: "text/plain", content: { digest: "d", bytes: 4 } }] }],
    }) as unknown as NonNullable<Given["desk"]>;

  it("lies read-only beside a list of it", async () => {
    const { deps, desk, run, seen } = givenDesk({ desk: left("a.txt") ?? {} });
    expect(await inputMounts(deps, desk, run)).toEqual({
      mounts: [{ host: "/in", inside: "/run/agentos/inputs", access: "read" }],
      environment: { AGENTOS_INPUTS: "/run/agentos/inputs" },
    });
    expect(seen.written["/in/before/a.txt"]).toBe("left");
    expect(JSON.parse(seen.written["/in/inputs.json"] ?? "")).toEqual({
      inputs: [
        { task: "before", name: "a.txt", media_type: "text/plain", bytes: 4, digest: "d", path: "before/a.txt" },
      ],
    });
  });

  it.each(["a/b", "..", ""])("under a name that is none is corrupt: %j", async (name) => {
    const { deps, desk, run } = givenDesk({ desk: left(name) ?? {} });
    await expect(inputMounts(deps, desk, run)).rejects.toMatchObject({
      code: "store/corrupt",
      message: `task before left an artifact called ${JSON.stringify(name)}, which is no file name`,
    });
  });

  it("and was erased meanwhile is said to be", async () => {
    const { deps, desk, run } = givenDesk({ desk: left("a.txt") ?? {} });
    const erased = { ...deps, blobs: { ...deps.blobs, get: async () => null } };
    await expect(inputMounts(erased, desk, run)).rejects.toThrow(
      "the artifact a.txt of task before, which this task was shown, was erased",
    );
  });
});

describe("what a person granted", () => {
  it("is handed over by value and by copy, and is a secret from then on", async () => {
    const { deps, desk, run, seen } = givenDesk();
    const granted = await grantedThings(deps, desk, run, { hosts: [], variables: ["KEY"], files: [".config/key"] });
    expect(granted).toEqual({
      environment: { KEY: "value-of-KEY" },
      mounts: [{ host: "/run/dir/grant-0", inside: "/home/agent/.config/key", access: "read" }],
      secrets: ["value-of-KEY", "content of .config/key"],
    });
    expect(seen.written).toEqual({ "/run/dir/grant-0": "content of .config/key" });
  });

  it.each([
    [{ variables: ["NONE"], files: [] }, "the variable NONE was granted to the agent and is not there"],
    [{ variables: [], files: ["none"] }, "the file ~/none was granted to the agent and is not there"],
  ])("and is not there stops it: %j", async (grants, message) => {
    const { deps, desk, run } = givenDesk();
    await expect(grantedThings(deps, desk, run, { hosts: [], ...grants })).rejects.toMatchObject({
      code: "agent/failed",
      message,
    });
  });
});
