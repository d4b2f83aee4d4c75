import { describe, expect, it } from "vitest";
import { textOf } from "../../test/support/given-desk.ts";
import { secretsIn, transcriptOf } from "./transcript.ts";

describe("the record of a turn", () => {
  it("holds no secret, nor as JSON escapes it, whole or in a long part", () => {
    const said: string[] = [];
    const secret = 'a"quote and a-token-of-twenty-letters';
    const transcript = transcriptOf(secretsIn(secret), (text) => said.push(text));
    transcript.hear("agent", { text: secret }, null);
    transcript.hear("client", "a-token-of-twenty-letters", "no such method");
    transcript.tell(`it is ${secret}`);
    expect(textOf(transcript.end())).toBe(
      '{"from":"agent","message":{"text":"[redacted]"}}\n{"from":"client","message":"[redacted]","invalid":"no such method"}\n',
    );
    expect([said, transcript.redactions()]).toEqual([["it is [redacted]"], 3]);
  });

  it("takes no word of the language for a secret, and a file of many lines for its long parts alone", () => {
    expect(secretsIn("short")).toEqual([]);
    expect(secretsIn("eight888")).toEqual(["eight888"]);
    expect(secretsIn("one line\nwith-a-token-of-twenty-letters")).toEqual(["with-a-token-of-twenty-letters"]);
    expect(secretsIn("just-one-token-of-many-letters")).toEqual([
      "just-one-token-of-many-letters",
      "just-one-token-of-many-letters",
    ]);
  });

  it("is bounded: what does not fit is counted instead", () => {
    const transcript = transcriptOf([], () => undefined);
    transcript.hear("agent", "x".repeat(33 * 1024 ** 2), null);
    transcript.hear("agent", "short", null);
    transcript.hear("agent", "x".repeat(33 * 1024 ** 2), null);
    expect(textOf(transcript.end())).toBe('{"from":"agent","message":"short"}\n{"left_out":2}\n');
  });
});
