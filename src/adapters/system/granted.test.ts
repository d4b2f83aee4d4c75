import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { grantedThings } from "./granted.ts";

let place: string;
let home: string;
beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), "agentos-granted-")));
  home = join(place, "home");
  mkdirSync(join(home, ".config/tool"), { recursive: true });
  writeFileSync(join(home, ".config/tool/key"), "k3y\n");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const textOf = async (path: string, at: string | null = home): Promise<string | null> => {
  const bytes = await grantedThings({}, at).file(path);
  return bytes === null ? null : Buffer.from(bytes).toString("utf8");
};

test("a variable is that of the environment, and no other", () => {
  const { variable } = grantedThings({ KEY: "k3y", EMPTY: "" }, null);
  expect([variable("KEY"), variable("EMPTY"), variable("OTHER")]).toEqual(["k3y", "", undefined]);
});

test("a file is read below the home, also where the home's own path is a link", async () => {
  symlinkSync(home, join(place, "link"));
  expect([await textOf(".config/tool/key"), await textOf(".config/tool/key", join(place, "link"))]).toEqual([
    "k3y\n",
    "k3y\n",
  ]);
});

test("without a home there is no file", async () => expect(await textOf(".config/tool/key", null)).toBe(null));

test.each<[string, string, (secret: string) => void]>([
  ["is not there", "absent", () => undefined],
  ["is a directory", ".config/tool", () => undefined],
  ["is a link out of the home", "link", (secret) => symlinkSync(secret, join(home, "link"))],
  ["is a link within the home", "link", () => symlinkSync(".config/tool/key", join(home, "link"))],
  [
    "lies behind a link",
    "way/secret",
    (secret) => {
      symlinkSync(join(secret, ".."), join(home, "way"));
    },
  ],
])("what %s is not given", async (_, path, make) => {
  const secret = join(place, "secret");
  writeFileSync(secret, "s3cret");
  make(secret);
  expect(await textOf(path)).toBe(null);
});

test("a file of up to a mebibyte is given, a larger one is not", async () => {
  const file = join(home, "file");
  writeFileSync(file, "");
  truncateSync(file, 1024 ** 2);
  expect(await textOf("file")).toHaveLength(1024 ** 2);
  truncateSync(file, 1024 ** 2 + 1);
  expect(await textOf("file")).toBe(null);
});
