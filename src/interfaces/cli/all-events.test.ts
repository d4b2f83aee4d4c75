import { expect, test } from "vitest";
import { eventGiven } from "../../../test/support/given-views.ts";
import { allEvents } from "./all-events.ts";

test("events are asked for page after page, each after the end of the one before, until there are no more", async () => {
  const asked: (readonly [after: number, limit: number])[] = [];
  const events = await allEvents(async (after, limit) => {
    asked.push([after, limit]);
    return { items: [eventGiven(after + 1)], next: after < 2 ? after + 1 : null };
  });
  expect(asked).toEqual([
    [0, 1_000],
    [1, 1_000],
    [2, 1_000],
  ]);
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});
