import { expect, test } from "vitest";
import { SQLITE } from "./dialect.ts";
import { waitWhileBusy } from "./wait-while-busy.ts";

const said = (code: string): Error => Object.assign(new Error(code), { code });

/** Throws these, one after the other; then it answers how often it was asked. */
function work(...errors: readonly Error[]): () => Promise<number> {
  let asked = 0;
  return async () => {
    const error = errors[asked];
    asked += 1;
    if (error !== undefined) throw error;
    return asked;
  };
}

test("what found the database busy is tried again", async () =>
  expect(await waitWhileBusy(SQLITE, 10_000, work(said("SQLITE_BUSY"), said("SQLITE_BUSY_SNAPSHOT")))).toBe(3));

test("what found it busy for too long is given up, and says when to come again", async () => {
  const busy = said("SQLITE_LOCKED");
  await expect(waitWhileBusy(SQLITE, 0, work(busy))).rejects.toMatchObject({
    code: "store/busy",
    message: "another process held the database's lock for more than 0 ms",
    facts: { retryAfterSeconds: 5 },
    cause: busy,
  });
});

test("any other trouble is no reason to wait", async () => {
  const full = said("SQLITE_FULL");
  await expect(waitWhileBusy(SQLITE, 10_000, work(full))).rejects.toBe(full);
});
