import { expect, test } from "vitest";
import { REDACTED, redact } from "./redact.ts";

const KEY = "sk-a+b/c d=é?9";

test("a secret is taken out as it is and URL-encoded, in either case of the escapes", () => {
  const encoded = encodeURIComponent(KEY);
  expect(redact(`key ${KEY}, url ?key=${encoded}`, [KEY])).toBe(`key ${REDACTED}, url ?key=${REDACTED}`);
  expect(redact(new URLSearchParams({ key: KEY }).toString(), [KEY])).toBe(`key=${REDACTED}`);
  expect(redact(`?key=${encoded.replace(/%../g, (percent) => percent.toLowerCase())}`, [KEY])).toBe(`?key=${REDACTED}`);
});

test("a secret is taken out of base64 at each of the three places it can have there", () => {
  for (const before of ["", "u", "us", "usr", "user:"])
    for (const after of ["", ":", "::", ":::"])
      for (const encoding of ["base64", "base64url"] as const) {
        const text = Buffer.from(before + KEY + after).toString(encoding);
        const shown = redact(`Basic ${text}`, [KEY]);
        expect(shown).toContain(REDACTED);
        expect(Buffer.from(shown.replace("Basic ", ""), encoding).toString("utf8")).not.toContain(KEY.slice(2, -2));
      }
});

test("of two secrets the longer is looked for first, and words too short to be secrets stay", () => {
  expect(redact("abcdefghi abcdef a", ["abcdef", "abcdefghi", "a", ""])).toBe(`${REDACTED} ${REDACTED} a`);
  expect(redact("nothing here", [KEY])).toBe("nothing here");
});
