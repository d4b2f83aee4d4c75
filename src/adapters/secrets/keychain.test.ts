import { inspect } from "node:util";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { isFailure } from "../../domain/failure.ts";
import { osKeychain } from "./keychain.ts";

/** What the operating system keeps, by service and name; a real one needs a desktop and a person who unlocks it. */
const system = vi.hoisted(() => ({ kept: new Map<string, string>(), locked: false, opened: new Set<string>() }));

vi.mock("@napi-rs/keyring", () => ({
  AsyncEntry: class {
    readonly #place: string;
    constructor(service: string, name: string, options: unknown) {
      this.#place = `${service}/${name}`;
      system.opened.add(JSON.stringify(options));
    }
    async getPassword(signal: AbortSignal) {
      this.#refuse(signal, "");
      return system.kept.get(this.#place) ?? null;
    }
    async setPassword(value: string, signal: AbortSignal) {
      this.#refuse(signal, value);
      system.kept.set(this.#place, value);
    }
    async deleteCredential(signal: AbortSignal) {
      this.#refuse(signal, "");
      return system.kept.delete(this.#place);
    }
    #refuse(signal: AbortSignal, value: string) {
      signal.throwIfAborted();
      if (system.locked) throw new Error(`the collection is locked, and ${value} was not stored`);
    }
  },
}));

beforeEach(() => {
  system.kept.clear();
  system.locked = false;
});

const there = async () => {
  const keychain = await osKeychain();
  if (keychain === null) throw new Error("there is no keychain");
  return keychain;
};

describe("the keychain of this machine", () => {
  test("keeps a secret under AgentOS's name, replaces it, and gives it up", async () => {
    const keychain = await there();
    expect(await keychain.read("openai")).toBeNull();
    await keychain.write("openai", "first");
    await keychain.write("openai", "second");
    await keychain.write("google", "another");
    expect(await keychain.read("openai")).toBe("second");
    expect([...system.kept]).toEqual([
      ["agentos/openai", "second"],
      ["agentos/google", "another"],
    ]);
    expect([await keychain.remove("openai"), await keychain.remove("openai")]).toEqual([true, false]);
    expect([await keychain.read("openai"), await keychain.read("google")]).toEqual([null, "another"]);
  });

  test("is never the kernel's keyring of Linux, which forgets at the next boot", async () => {
    await (await there()).write("openai", "kept");
    expect([...system.opened]).toEqual(['{"linux":{"store":"secret-service"}}']);
  });

  test("is none where it does not answer when it is looked for", async () => {
    system.locked = true;
    expect(await osKeychain()).toBeNull();
  });

  test("that is locked later says what to do, and nothing of what was to be stored", async () => {
    const keychain = await there();
    system.locked = true;
    for (const doing of [
      () => keychain.read("openai"),
      () => keychain.write("openai", "sk-very-secret"),
      () => keychain.remove("openai"),
    ]) {
      const error = await doing().catch((reason: unknown) => reason);
      if (!isFailure(error, "secret/unreadable")) throw error;
      expect([error.message, error.next]).toEqual([
        "the keychain of this machine does not answer",
        "Unlock it and try again.",
      ]);
      expect(inspect(error, { depth: 9 })).not.toContain("sk-very");
    }
    system.locked = false;
    await keychain.write("openai", "kept");
    expect(await keychain.read("openai")).toBe("kept");
  });
});
