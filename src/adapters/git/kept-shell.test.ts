import { expect, it } from "vitest";
import { marked } from "./kept-shell.ts";

const MARK = "0123456789abcdef0123456789abcdef";

it("a mark is told from what comes before it wherever the two are cut", () => {
  const said = Buffer.from(`out\0\n${MARK.slice(0, 20)}more${MARK} 141\n`);
  for (let first = 0; first <= said.length; first += 1)
    for (let second = first; second <= said.length; second += 1) {
      const stream = marked(MARK);
      const pieces = [said.subarray(0, first), said.subarray(first, second), said.subarray(second)];
      const before = Buffer.concat(pieces.map((piece) => Buffer.from(stream.before(piece))));
      expect([before.toString(), stream.said()]).toEqual([`out\0\n${MARK.slice(0, 20)}more`, "141"]);
    }
});

it("a mark that has not come whole says nothing", () => {
  const stream = marked(MARK);
  stream.before(Buffer.from(`${MARK} 1`));
  expect(stream.said()).toBeNull();
  stream.before(Buffer.from("2\n"));
  expect(stream.said()).toBe("12");
});
