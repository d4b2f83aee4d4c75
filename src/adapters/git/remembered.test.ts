import { expect, test } from "vitest";
import { remembered } from "./remembered.ts";

test("an answer is asked for once, and the ones asked for longest ago give way", async () => {
  const asked: string[] = [];
  const kept = remembered<string>(2);
  const answer = (key: string) =>
    kept(key, async () => {
      asked.push(key);
      return `${key}!`;
    });
  for (const key of ["a", "b", "a", "c", "a", "b"]) expect(await answer(key)).toBe(`${key}!`);
  expect(asked).toEqual(["a", "b", "c", "b"]);
  expect([kept.known("b"), kept.known("c")]).toEqual(["b!", null]);
});

test("what is too large or failed is asked for again", async () => {
  const kept = remembered<string>(2, (_, { length }) => length > 1);
  expect(await kept("a", async () => "long")).toBe("long");
  expect(await kept("a", async () => "s")).toBe("s");
  await expect(kept("b", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await kept("b", async () => "t")).toBe("t");
});
