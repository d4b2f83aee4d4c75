import { describe, expect, it } from "vitest";
import { matchesCommand } from "./command-pattern.ts";
import { reduceCommand } from "./shell.ts";

const approved = (pattern: string, text: string): boolean =>
  matchesCommand([pattern], reduceCommand(["/bin/sh", "-c", text]));

describe("a pattern of approved commands", () => {
  it.each(["true", "true a 'b c'", "true; true b", "bash -c 'true a'", "true \\\n  a", "true &>/dev/null", "true # a"])(
    "true* approves %j",
    (text) => expect(approved("true*", text)).toBe(true),
  );

  it.each([
    "true # a \\\ntouch X",
    "true a\\\\\ntouch X",
    "true; for a do touch X; done",
    "true &>/dev/null touch X",
    "true; trap -- 'touch X' EXIT",
    "true; bash ./x.sh -c",
    "true; bash x.sh -c 'true'",
    "true > X",
    "true $(touch X)",
  ])("true* does not approve %j", (text) => expect(approved("true*", text)).toBe(false));
});
