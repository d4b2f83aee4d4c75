import { expect, test } from "vitest";
import { age } from "./age.ts";

test("an age is told in the largest unit that is full", () => {
  const ages = [-5, 9, 10, 59, 60, 3_599, 3_600, 86_399, 86_400, 864_000].map((seconds) => age(0, seconds * 1000));
  expect(ages).toEqual(["now", "now", "10 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d", "10 d"]);
});
