import { chmodSync, existsSync, lstatSync, readFileSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agentHomes } from "../../src/adapters/system/agent-homes.ts";
import { put, room } from "./task-kit.ts";

/* Homes of agents: one for each turn, of which nothing is followed. */

const isRoot = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

function given(owner: typeof NOBODY | null = null) {
  const top = room();
  return { homes: agentHomes({ home: top, owner }), at: (name: string) => join(top, "homes", "t", name) };
}

test("a turn begins in a copy of the home of the one before, links as links, which stays what it was", async () => {
  const { homes, at } = given();
  const secret = join(room(), "secret");
  put(join(secret, ".."), { secret: "s3cret" });
  const first = await homes.begin("t", null, "work.1", []);
  expect([first, modeOf(first), await homes.exists("t", "work.1")]).toEqual([at("work.1"), "700", true]);
  put(first, { ".memory/notes": "one" });
  symlinkSync(secret, join(first, "link"));
  chmodSync(first, 0o755);
  const second = await homes.begin("t", "work.1", "work.2", []);
  put(second, { ".memory/notes": "two" });
  expect([
    modeOf(second),
    readlinkSync(join(second, "link")),
    readFileSync(join(first, ".memory/notes"), "utf8"),
  ]).toEqual(["700", secret, "one"]);
});

test("a home that is begun again is fresh, and one that is gone, or is none, is begun empty", async () => {
  const { homes, at } = given();
  put(await homes.begin("t", null, "work.1", []), { left: "by a turn that died" });
  const again = await homes.begin("t", "work.1", "work.1", []);
  expect(existsSync(join(again, "left"))).toBe(false);
  put(again, { left: "x" });
  symlinkSync(at("work.1"), at("way"));
  for (const from of ["gone", "way"]) {
    const begun = await homes.begin("t", from, "work.2", []);
    expect([from, await homes.exists("t", from), existsSync(join(begun, "left"))]).toEqual([from, false, false]);
  }
});

test("directories for granted files are made in it, private all the way, and what was there stays", async () => {
  const { homes } = given();
  const first = await homes.begin("t", null, "work.1", [".config/tool", ".config/other/deep"]);
  put(first, { ".config/tool/mine": "mine" });
  for (const path of [".config", ".config/tool", ".config/other/deep"]) expect(modeOf(join(first, path))).toBe("700");
  const second = await homes.begin("t", "work.1", "work.2", [".config/tool"]);
  expect(readFileSync(join(second, ".config/tool/mine"), "utf8")).toBe("mine");
});

test.each<[string, (path: string, outside: string) => void]>([
  ["a link", (path, outside) => symlinkSync(outside, path)],
  ["a file", (path) => put(join(path, ".."), { [path.split("/").at(-1) ?? ""]: "" })],
])(
  "where an agent left %s in the way of a granted file, the turn is refused and nothing is made behind it",
  async (_, leave) => {
    const { homes } = given();
    const outside = room();
    const first = await homes.begin("t", null, "work.1", [".config"]);
    leave(join(first, ".config/tool"), outside);
    await expect(homes.begin("t", "work.1", "work.2", [".config/tool/keys"])).rejects.toMatchObject({
      code: "act/denied",
      message: "~/.config/tool/keys in the agent's home is no directory, and a granted file belongs there",
    });
    expect(existsSync(join(outside, "keys"))).toBe(false);
  },
);

test("where agents run as another user, the home and what is made in it are theirs", async () => {
  // Only root can give something away; to oneself anybody can.
  const owner = isRoot ? NOBODY : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const { homes } = given(owner);
  const home = await homes.begin("t", null, "work.1", [".config/tool"]);
  for (const path of [home, join(home, ".config"), join(home, ".config/tool")]) {
    const { uid, gid } = lstatSync(path);
    expect({ uid, gid }).toEqual(owner);
  }
});

test("homes are counted by task, kept by name and dropped by task", async () => {
  const { homes } = given();
  expect([await homes.use(), await homes.exists("t", "work.1")]).toEqual([[], false]);
  await homes.keepOnly("t", []);
  for (const name of ["work.1", "work.2", "work.3"]) put(await homes.begin("t", null, name, []), { file: "x" });
  await homes.begin("other", null, "work.1", []);
  await homes.keepOnly("t", ["work.2"]);
  expect(await Promise.all(["work.1", "work.2", "work.3"].map((name) => homes.exists("t", name)))).toEqual([
    false,
    true,
    false,
  ]);
  const used = await homes.use();
  expect(used.map(({ task }) => task).sort()).toEqual(["other", "t"]);
  for (const { bytes } of used) expect(bytes).toBeGreaterThan(0);
  await homes.drop("t");
  expect((await homes.use()).map(({ task }) => task)).toEqual(["other"]);
});
