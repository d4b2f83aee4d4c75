import { describe, expect, test } from "vitest";
import { secretsIn, transcriptOf } from "./transcript.ts";

const MOST = 1024 ** 2;
const linesOf = (bytes: Uint8Array): unknown[] =>
  new TextDecoder()
    .decode(bytes)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);

describe("what is taken out of records", () => {
  test.each([
    ["a key", "sk-0123456789", ["sk-0123456789"]],
    ["a word of the language", "debug", []],
    ["a key amid a file", "[auth]\ntoken = abcdefghijklmnopqrstuvwxyz\nuser = ada\n", ["abcdefghijklmnopqrstuvwxyz"]],
    ["nothing", " \n", []],
  ])("%s", (_, value, found) => expect(secretsIn(value)).toEqual(found));

  test("a value in every line of the transcript, of what is told and of what is redacted, each counted", () => {
    const told: string[] = [];
    const secret = 'pass"word\\one';
    const transcript = transcriptOf(secretsIn(secret), (text) => told.push(text), MOST);
    transcript.hear("client", { params: { key: secret, list: [secret] } }, null);
    transcript.tell(`it says ${secret}`);
    expect(transcript.redact(`again ${secret}`)).toBe("again [redacted]");
    expect(linesOf(transcript.end())).toEqual([
      { from: "client", message: { params: { key: "[redacted]", list: ["[redacted]"] } } },
    ]);
    expect(told).toEqual(["it says [redacted]"]);
    expect(transcript.redactions()).toBe(4);
  });

  test("the longer of two that begin alike is taken out whole", () => {
    const transcript = transcriptOf(["abcdefgh", "abcdefghijkl"], () => undefined, MOST);
    expect(transcript.redact("x abcdefghijkl y abcdefgh")).toBe("x [redacted] y [redacted]");
  });
});

describe("what is told", () => {
  test("is told up to its bound, and once that there was more", () => {
    const told: string[] = [];
    const transcript = transcriptOf([], (text) => told.push(text), 8);
    expect([transcript.tell("äöü"), transcript.tell("xy"), transcript.tell("z"), transcript.tell("z")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(told).toEqual(["äöü", "xy", "\n[more than 8 bytes of output: no more is kept here]\n"]);
  });
});

describe("a transcript", () => {
  test("holds both sides in order, and what was no message of the protocol with why", () => {
    const transcript = transcriptOf([], () => undefined, MOST);
    transcript.hear("client", { id: 1 }, null);
    transcript.hear("agent", "garbage", "no JSON");
    expect(linesOf(transcript.end())).toEqual([
      { from: "client", message: { id: 1 } },
      { from: "agent", message: "garbage", invalid: "no JSON" },
    ]);
  });

  test("says how many messages it had no room for", () => {
    const transcript = transcriptOf([], () => undefined, MOST);
    const long = "x".repeat(20 * 1024 ** 2);
    transcript.hear("agent", long, null);
    transcript.hear("agent", long, null);
    transcript.hear("agent", "short", null);
    expect(linesOf(transcript.end()).slice(1)).toEqual([{ from: "agent", message: "short" }, { left_out: 1 }]);
  });
});
