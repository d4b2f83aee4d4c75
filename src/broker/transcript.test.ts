import { describe, expect, test } from "vitest";
import { redactorOf, secretsIn, transcriptOf } from "./transcript.ts";

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

describe("a secret that is spread over pieces of a text", () => {
  const whole = (secrets: readonly string[], pieces: readonly string[]): readonly string[] => {
    const text = redactorOf(secrets).pieces();
    return [...pieces.map((piece) => text.add(piece)), text.rest()];
  };

  test.each([
    ["over two", ["sk-0123456789"], ["key: sk-01", "23456789!"], ["key: ", "[redacted]!", ""]],
    ["over many", ["sk-0123456789"], [..."<sk-0123456789>"], ["<", ...Array(12).fill(""), "[redacted]", ">", ""]],
    ["and only begins", ["sk-0123456789"], ["so sk-0", "1 is it"], ["so ", "sk-01 is it", ""]],
    ["and is cut off at the end", ["sk-0123456789"], ["so sk-0"], ["so ", "sk-0"]],
    ["and is the longer of two", ["abcdefgh", "abcdefghijkl"], ["abcdefgh", "ijkl."], ["", "[redacted].", ""]],
    ["and is the shorter of two", ["abcdefgh", "abcdefghijkl"], ["abcdefgh", "x."], ["", "[redacted]x.", ""]],
    ["whose end may begin another", ["xxxxxxab", "abcdefgh"], ["1xxxxxxab", "2"], ["1", "[redacted]2", ""]],
    ["as it stands in JSON", ['pass"word'], ['{"a":"pass\\', '"word"}'], ['{"a":"', '[redacted]"}', ""]],
    ["and nothing is secret", [], ["a", "b"], ["a", "b", ""]],
  ])("is found, and nothing else waits: %s", (_, secrets, pieces, told) =>
    expect(whole(secrets, pieces)).toEqual(told),
  );

  test("is found wherever the text is cut", () => {
    const secret = "aabaabaaab";
    const text = `aab${secret}aabaa${secret}b`;
    for (let a = 0; a <= text.length; a += 1)
      for (let b = a; b <= text.length; b += 1)
        expect(whole([secret], [text.slice(0, a), text.slice(a, b), text.slice(b)]).join("")).toBe(
          "aab[redacted]aabaa[redacted]b",
        );
  });

  test("is in nothing that is told of bytes as they come", () => {
    const told: string[] = [];
    const transcript = transcriptOf(["sk-0123456789"], (text) => told.push(text), MOST);
    const stream = transcript.stream();
    for (const byte of new TextEncoder().encode("ä sk-0123456789 sk-0")) stream.take(Uint8Array.of(byte));
    stream.end();
    expect(told.join("")).toBe("ä [redacted] sk-0");
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
