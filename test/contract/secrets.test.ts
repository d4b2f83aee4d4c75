import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type Keychain, osKeychain } from "../../src/adapters/secrets/keychain.ts";
import { secrets } from "../../src/adapters/secrets/secrets.ts";
import { isFailure } from "../../src/domain/failure.ts";

const KEY = "sk-very-secret-1234567890";
const homes: string[] = [];
let home = "";

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "agentos-secrets-"));
  homes.push(home);
});
afterAll(async () => {
  for (const each of homes) await rm(each, { recursive: true });
});

const none = async (): Promise<Keychain | null> => null;
const open = (environment: Readonly<Record<string, string>> = {}, keychain = none) =>
  secrets({ home, environment: (variable) => environment[variable], keychain });
const named = (name: string, variable: string | null = null) => ({ name, variable });

/** A keychain as the contract has it; a real one needs a desktop. */
function memoryKeychain(): Keychain {
  const kept = new Map<string, string>();
  return {
    read: async (name) => kept.get(name) ?? null,
    write: async (name, value) => void kept.set(name, value),
    remove: async (name) => kept.delete(name),
  };
}

async function failureOf(doing: Promise<unknown>) {
  const error = await doing.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!isFailure(error)) return error;
  return { code: error.code, sentence: error.message.replace(home, "HOME") };
}

describe("secrets in the file", () => {
  test("a secret is there after a restart, replaced by a newer one, and gone when removed", async () => {
    expect(await open().read(named("openai"))).toBeNull();
    expect(await open().write("openai", KEY)).toBe("file");
    await open().write("google", "another-key");
    expect(await open().read(named("openai"))).toBe(KEY);
    await open().write("openai", "a-newer-key");
    expect([await open().read(named("openai")), await open().read(named("google"))]).toEqual([
      "a-newer-key",
      "another-key",
    ]);
    expect(await open().place(named("openai"))).toBe("file");
    expect([await open().remove("openai"), await open().remove("openai")]).toEqual([true, false]);
    expect([await open().read(named("openai")), await open().read(named("google"))]).toEqual([null, "another-key"]);
  });

  test("many at once are all there", async () => {
    const store = open();
    await Promise.all(Array.from({ length: 8 }, (_, at) => store.write(`p${at}`, `${KEY}${at}`)));
    for (let at = 0; at < 8; at += 1) expect(await open().read(named(`p${at}`))).toBe(`${KEY}${at}`);
  });

  test("both files are for their owner alone, nothing else is left behind, and no file holds the value", async () => {
    await open().write("openai", KEY);
    expect((await readdir(home)).sort()).toEqual(["secrets.json", "secrets.key"]);
    for (const name of ["secrets.json", "secrets.key"]) {
      expect((await stat(join(home, name))).mode & 0o777).toBe(0o600);
      const bytes = await readFile(join(home, name));
      for (const form of [KEY, Buffer.from(KEY).toString("base64")]) expect(bytes.includes(form)).toBe(false);
    }
  });

  test("a file that others can read is refused, for reading and for writing, with what to do", async () => {
    await open().write("openai", KEY);
    for (const name of ["secrets.json", "secrets.key"]) {
      await chmod(join(home, name), 0o644);
      const expected = { code: "secret/unreadable", sentence: `HOME/${name} can be read by others (mode 644)` };
      expect(await failureOf(open().read(named("openai")))).toEqual(expected);
      expect(await failureOf(open().write("google", KEY))).toEqual(expected);
      await chmod(join(home, name), 0o600);
    }
    expect(await open().read(named("openai"))).toBe(KEY);
  });

  test("a link in its place is not followed", async () => {
    await open().write("openai", KEY);
    await rename(join(home, "secrets.key"), join(home, "elsewhere"));
    await symlink(join(home, "elsewhere"), join(home, "secrets.key"));
    expect(await failureOf(open().read(named("openai")))).toEqual({
      code: "secret/unreadable",
      sentence: "HOME/secrets.key is a link",
    });
  });

  test("a secret that was changed, moved to another name or cut short is refused, and nothing of it is told", async () => {
    await open().write("openai", KEY);
    const path = join(home, "secrets.json");
    const text = await readFile(path, "utf8");
    const sealed = /"sealed": "([^"]+)"/.exec(text)?.[1] ?? "";
    const flipped = Buffer.from(sealed, "base64");
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    for (const [name, changed] of [
      ["openai", text.replace(sealed, flipped.toString("base64"))],
      ["other", text.replace("openai", "other")],
      ["openai", text.replace(sealed, "AAAA")],
      ["openai", text.slice(0, 40)],
      ["openai", text.replace('"v": 1', '"v": 2')],
    ] as const) {
      await writeFile(path, changed);
      const error = await open()
        .read(named(name))
        .catch((reason: unknown) => reason);
      expect(isFailure(error, "secret/unreadable")).toBe(true);
      expect(inspect(error, { depth: 9 })).not.toContain(KEY.slice(3, 12));
    }
  });

  test("without its key nothing can be read, and storing it again starts anew and keeps the old file aside", async () => {
    await open().write("openai", KEY);
    await rm(join(home, "secrets.key"));
    expect(await failureOf(open().read(named("openai")))).toEqual({
      code: "secret/unreadable",
      sentence: "HOME/secrets.key is gone, and without it what is stored cannot be read",
    });
    await open().write("openai", "stored-again");
    expect(await open().read(named("openai"))).toBe("stored-again");
    expect((await readdir(home)).filter((name) => name.startsWith("secrets.json.unreadable-"))).toHaveLength(1);
  });
});

describe("the order of places", () => {
  test("the environment's comes first, then the keychain's, then the file's", async () => {
    await open().write("openai", "from-the-file");
    const keychain = memoryKeychain();
    const both = open({ MY_KEY: "from-the-environment", EMPTY: "" }, async () => keychain);
    const told = async (variable: string | null) => [
      await both.read(named("openai", variable)),
      await both.place(named("openai", variable)),
    ];
    expect(await told("MY_KEY")).toEqual(["from-the-environment", "environment"]);
    expect(await told(null)).toEqual(["from-the-file", "file"]);
    expect(await both.write("openai", "from-the-keychain")).toBe("keychain");
    for (const variable of ["EMPTY", "UNSET", null])
      expect(await told(variable)).toEqual(["from-the-keychain", "keychain"]);
    expect(await both.remove("openai")).toBe(true);
    expect(await told(null)).toEqual([null, null]);
    expect(await open().read(named("openai"))).toBeNull();
  });

  test("the keychain is not looked for while the environment answers", async () => {
    let looked = 0;
    const store = open({ MY_KEY: KEY }, async () => {
      looked += 1;
      return null;
    });
    expect(await store.read(named("openai", "MY_KEY"))).toBe(KEY);
    expect(looked).toBe(0);
    await store.read(named("openai"));
    await store.read(named("openai"));
    expect(looked).toBe(1);
  });

  test("this machine's own keychain keeps a secret or says that there is none", async () => {
    const keychain = await osKeychain();
    if (keychain === null) return;
    const name = `test-${process.pid}`;
    await keychain.write(name, KEY);
    expect([await keychain.read(name), await keychain.remove(name), await keychain.read(name)]).toEqual([
      KEY,
      true,
      null,
    ]);
  });
});
