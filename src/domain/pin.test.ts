import { describe, expect, it } from "vitest";
import { seal, sha256Hex } from "../adapters/store/seal.ts";
import { pinned } from "./pin.ts";

const MANIFEST =
  '{ "name": "app", "scripts": { "test": "node --test", "a/b": "x", "m~n": "y" }, "list": ["one", { "two": 2 }], "none": null }';
const pin = (pointer: string | null, content: string | null, path = "package.json") =>
  pinned({ path, pointer, sha256: null }, content, seal, sha256Hex).sha256;

describe("a pinned part", () => {
  it("of a whole file is the digest of its bytes", () => {
    expect(pin(null, MANIFEST)).toBe(sha256Hex(MANIFEST));
    expect(pin(null, `${MANIFEST}\n`)).not.toBe(pin(null, MANIFEST));
    expect(pin(null, "")).toBe(sha256Hex(""));
  });

  it("of an entry is the digest of the entry alone, however the file is written", () => {
    const elsewhere = JSON.stringify({ scripts: { test: "node --test", build: "tsc" }, version: "2.0.0" }, null, 4);
    expect(pin("/scripts/test", MANIFEST)).toBe(pin("/scripts/test", elsewhere));
    expect(pin("/scripts/test", MANIFEST)).not.toBe(pin("/scripts/test", MANIFEST.replace("node --test", "true")));
  });

  it("of an object does not depend on the order of its keys", () =>
    expect(pin("/o", '{"o":{"a":1,"b":2}}')).toBe(pin("/o", '{"o":{"b":2,"a":1}}')));

  it.each([
    ["a key with a slash", "/scripts/a~1b", "x"],
    ["a key with a tilde", "/scripts/m~0n", "y"],
    ["an entry of a list", "/list/0", "one"],
    ["an entry in an entry of a list", "/list/1/two", 2],
    ["null, which is there", "/none", null],
    ["the whole document", "", JSON.parse(MANIFEST)],
  ])("finds %s", (_, pointer, value) => expect(pin(pointer, MANIFEST)).toBe(seal(value).sha256));

  it.each([
    ["a file that is not there", "/scripts/test", null],
    ["an entry that is not there", "/scripts/build", MANIFEST],
    ["an entry below a text", "/name/length", MANIFEST],
    ["something every object has", "/constructor", MANIFEST],
    ["its prototype", "/__proto__", MANIFEST],
    ["past the end of a list", "/list/2", MANIFEST],
    ["the length of a list", "/list/-", MANIFEST],
    ["no JSON", "/scripts/test", "{ not json"],
    ["an empty file", "/scripts/test", ""],
  ])("is null for %s", (_, pointer, content) => expect(pin(pointer, content)).toBeNull());

  it("of a file that is not there is null", () => expect(pin(null, null)).toBeNull());

  it("keeps what it is of", () =>
    expect(pinned({ path: "a", pointer: "/b", sha256: "old" }, null, seal, sha256Hex)).toEqual({
      path: "a",
      pointer: "/b",
      sha256: null,
    }));
});
