import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bubblewrapSandbox } from "../../src/adapters/sandbox/bubblewrap.ts";
import { fileLayers } from "../../src/adapters/system/layers.ts";
import { layerMounts } from "../../src/broker/confine.ts";
import type { BrokerDependencies } from "../../src/broker/deps.ts";
import { isFailure } from "../../src/domain/failure.ts";
import { type Desk, mountOf } from "../../src/ports/broker.ts";
import type { Sandbox } from "../../src/ports/sandbox.ts";
import { gate, plan, put, repository, room, startRig } from "./task-kit.ts";

/* Dependency layers: whole or not there, made once, and never a way to somebody's own directories. */

const KEY = "a".repeat(64);
const never = new AbortController().signal;

/** Whether there is a second file system, from which nothing can be renamed. */
const elsewhere =
  existsSync("/dev/shm") &&
  statSync("/dev/shm").dev !== statSync(tmpdir()).dev &&
  (statSync("/dev/shm").mode & 2) !== 0;

/** A checkout after its preparation. */
function checkout(files: Readonly<Record<string, string>> = { "node_modules/x/index.js": "x\n" }): string {
  const directory = room();
  put(directory, files);
  return directory;
}

async function refusal(what: Promise<unknown>): Promise<string> {
  try {
    await what;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
  throw new Error("it was not refused");
}

test("a link on the way to an output is refused by name, and what it points to stays where it is", async () => {
  const precious = room();
  put(precious, { "a/node_modules/mine/index.js": "mine\n" });
  const directory = checkout({});
  symlinkSync(precious, join(directory, "packages"));
  const layers = fileLayers(room());
  expect(await refusal(layers.adopt(KEY, directory, ["packages/a/node_modules"]))).toBe(
    "act/denied: packages is a symbolic link after preparing, so it is not taken as part of a dependency layer",
  );
  expect(existsSync(join(precious, "a", "node_modules", "mine", "index.js"))).toBe(true);
  expect(await layers.find(KEY)).toBeNull();
});

test("an output that is itself a link, or a file, is refused", async () => {
  const precious = room();
  const layers = fileLayers(room());
  const linked = checkout({});
  symlinkSync(precious, join(linked, "node_modules"));
  expect(await refusal(layers.adopt(KEY, linked, ["node_modules"]))).toContain("node_modules is a symbolic link");
  expect(await refusal(layers.adopt(KEY, checkout({ node_modules: "x" }), ["node_modules"]))).toContain(
    "node_modules is a file",
  );
});

test("an output cannot lead out of the checkout", async () => {
  const layers = fileLayers(room());
  const home = room();
  mkdirSync(join(home, "checkout"));
  put(home, { "mine/file": "mine\n" });
  expect(await refusal(layers.adopt(KEY, join(home, "checkout"), ["../mine"]))).toContain("act/denied");
  expect(existsSync(join(home, "mine", "file"))).toBe(true);
});

test("a cache directory is not made through a link that a package left in its place", async () => {
  const precious = room();
  const directory = checkout();
  symlinkSync(join(precious, "made"), join(directory, "node_modules", ".cache"));
  const layers = fileLayers(room());
  expect(await refusal(layers.adopt(KEY, directory, ["node_modules"]))).toContain(
    "node_modules/.cache is a symbolic link",
  );
  expect(readdirSync(precious)).toEqual([]);
});

test("a layer that is there stays as it is: adopting again gives the first one, discarding leaves it", async () => {
  const home = room();
  const layers = fileLayers(home);
  const first = await layers.adopt(KEY, checkout(), ["node_modules"]);
  const mounted = await layers.path(KEY, "node_modules");
  expect(await layers.adopt(KEY, checkout({ "node_modules/other.js": "other\n" }), ["node_modules"])).toEqual(first);
  await layers.discard(KEY);
  expect(await layers.find(KEY)).toEqual(first);
  expect(readdirSync(mounted ?? "")).toContain("x");
  expect(readdirSync(join(home, "layers"))).toEqual([KEY]);
});

test("many who adopt the same key at once leave one whole layer", async () => {
  const home = room();
  const layers = fileLayers(home);
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      layers.adopt(KEY, checkout({ [`node_modules/${index}.js`]: `${index}\n` }), ["node_modules"]),
    ),
  );
  expect(new Set(all.map(({ listing }) => listing)).size).toBe(1);
  expect(
    readdirSync((await layers.path(KEY, "node_modules")) ?? "").filter((name) => name.endsWith(".js")),
  ).toHaveLength(1);
  expect(readdirSync(join(home, "layers"))).toEqual([KEY]);
});

test("what a dead daemon left half-made is discarded", async () => {
  const home = room();
  put(join(home, "layers"), {
    [`${KEY}.new-dead/outputs/node_modules/half.js`]: "half\n",
    [`${KEY}/outputs/node_modules/half.js`]: "half\n",
    [`${"b".repeat(64)}.new-other/outputs/file`]: "another key's\n",
  });
  await fileLayers(home).discard(KEY);
  expect(readdirSync(join(home, "layers"))).toEqual([`${"b".repeat(64)}.new-other`]);
});

test("a layer that is looked for is in use from then on, and only one that nobody used for long is removed", async () => {
  const layers = fileLayers(room());
  await layers.adopt(KEY, checkout(), ["node_modules"]);
  const path = await layers.path(KEY, "node_modules");
  const receipt = join(path ?? "", "..", "..", "layer.json");
  const usedAtMs = async () => (await layers.use()).map((one) => one.usedAtMs);
  const [longAgo, hourAgo] = [Date.now() - 7 * 86_400_000, Date.now() - 1_800_000];
  // So soon after its last use it is not written down anew.
  utimesSync(receipt, hourAgo / 1_000, hourAgo / 1_000);
  await layers.find(KEY);
  expect(Math.abs(((await usedAtMs())[0] ?? 0) - hourAgo)).toBeLessThan(10);
  utimesSync(receipt, longAgo / 1_000, longAgo / 1_000);
  await layers.find(KEY);
  expect((await usedAtMs())[0]).toBeGreaterThan(hourAgo);
  expect([await layers.remove(KEY, hourAgo), await layers.find(KEY)]).toEqual([
    false,
    expect.objectContaining({ key: KEY, files: 1, outputs: ["node_modules"] }),
  ]);
  expect([await layers.remove(KEY, Date.now() + 1_000), await layers.find(KEY), await layers.use()]).toEqual([
    true,
    null,
    [],
  ]);
});

test.skipIf(!elsewhere)(
  `a layer is taken from a checkout on another file system too${elsewhere ? "" : ": /dev/shm is none here"}`,
  async () => {
    const place = mkdtempSync("/dev/shm/agentos-layers-");
    try {
      put(place, { "node_modules/x/index.js": "x\n" });
      symlinkSync("x/index.js", join(place, "node_modules", "link"));
      const home = room();
      const [far, near] = [fileLayers(join(home, "far")), fileLayers(join(home, "near"))];
      const beside = checkout();
      symlinkSync("x/index.js", join(beside, "node_modules", "link"));
      const taken = await far.adopt(KEY, place, ["node_modules"]);
      expect(taken).toEqual(await near.adopt(KEY, beside, ["node_modules"]));
      expect(readFileSync(join((await far.path(KEY, "node_modules")) ?? "", "link"), "utf8")).toBe("x\n");
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  },
);

test("a receipt that cannot be read is an error, not a layer that is to be made again", async () => {
  const home = room();
  const layers = fileLayers(home);
  mkdirSync(join(home, "layers", KEY, "layer.json"), { recursive: true });
  await expect(layers.adopt(KEY, checkout(), ["node_modules"])).rejects.toMatchObject({ code: "EISDIR" });
});

test("of two who want the same key one waits; who stops waiting is gone at once, and the next still waits for the one at work", async () => {
  const layers = fileLayers(room());
  const order: string[] = [];
  let finish = (): void => {};
  const first = layers.alone(KEY, never, async () => {
    order.push("first begins");
    await new Promise<void>((resolve) => (finish = resolve));
    order.push("first ends");
  });
  const tired = new AbortController();
  const second = layers.alone(KEY, tired.signal, async () => void order.push("second"));
  const third = layers.alone(KEY, never, async () => void order.push("third"));
  await layers.alone("b".repeat(64), never, async () => void order.push("another key"));
  tired.abort(new Error("tired of it"));
  await expect(second).rejects.toThrow("tired of it");
  finish();
  await Promise.all([first, third]);
  expect(order).toEqual(["first begins", "another key", "first ends", "third"]);
});

test("a layer that a task names and that is gone is an integrity failure, not a run without dependencies", async () => {
  const layers = fileLayers(room());
  const desk = {
    task: "t",
    layers: { app: [mountOf(KEY, { outputs: ["node_modules", "empty"], stores: [], provides: {}, cwd: "." })] },
  } as unknown as Desk;
  const deps = { layers } as unknown as BrokerDependencies;
  expect(await refusal(layerMounts(deps, desk, "app", "."))).toContain("store/corrupt: the dependency layer of app");
  await layers.adopt(KEY, checkout(), ["node_modules", "empty"]);
  const { mounts } = await layerMounts(deps, desk, "app", ".");
  expect(mounts.map(({ inside }) => inside)).toEqual(["/workspace/app/node_modules"]);
  rmSync((await layers.path(KEY, "node_modules")) ?? "", { recursive: true });
  expect(await refusal(layerMounts(deps, desk, "app", "."))).toContain("node_modules in the dependency layer of app");
});

test("two tasks that need the same layer at the same time prepare it once, and both have it", async () => {
  const real = bubblewrapSandbox({ privateDirectories: [], hostEnvironment: process.env });
  const ids: string[] = [];
  let prepared = 0;
  const both = async (): Promise<void> => {
    for (const id of ids)
      while (!(await rig.bodies(id, "STEP_STARTED")).some(({ act }) => act.kind === "prepare"))
        await new Promise((resolve) => setImmediate(resolve));
  };
  const sandbox: Sandbox = {
    ...real,
    async run(command, signal) {
      if (command.argv.join(" ").includes("mkdir node_modules")) {
        prepared += 1;
        await both();
      }
      return real.run(command, signal);
    },
  };
  const rig = await startRig({ sandbox });
  const project = await rig.project(repository({ "a.txt": "one\n", lock: `${Date.now()}\n` }));
  const spec = {
    ...plan("test -f node_modules/there"),
    gates: [gate("test -f node_modules/there")],
    prepare: [
      {
        run: ["sh", "-c", "mkdir node_modules && touch node_modules/there"],
        inputs: ["lock"],
        outputs: ["node_modules"],
      },
    ],
    run_mode: "autonomous",
    expects_change: false,
  };
  ids.push(await rig.frozen(project, spec), await rig.frozen(project, spec));
  for (const id of ids) await rig.system.cases.answer.ready({ kind: "person", name: "ada" }, id);
  await Promise.all(ids.map((id) => rig.until(id, "succeeded", "blocked", "failed")));
  expect(await Promise.all(ids.map(async (id) => (await rig.task(id)).status))).toEqual(["succeeded", "succeeded"]);
  expect(prepared).toBe(1);
  expect(rig.warnings).toEqual([]);
});
