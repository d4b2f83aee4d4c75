import { expect, test } from "vitest";
import { rowsOf, withDaemon } from "../support/daemon.ts";

const LIMITS = { createPerMinute: 10, createPerHour: 100 } as const;

test("the eleventh task in a minute is refused, says when to come again, and is not stored", async () => {
  const daemon = await withDaemon({ config: LIMITS });
  for (let made = 0; made < 10; made += 1)
    expect((await daemon.ask("POST", "/api/tasks", { body: { title: `Number ${made}` } })).status).toBe(201);
  const before = rowsOf(daemon.home);
  const answer = await daemon.ask("POST", "/api/tasks", { body: { title: "One too many" } });
  expect({ status: answer.status, code: answer.json.code, type: answer.headers["content-type"] }).toEqual({
    status: 429,
    code: "rate/limited",
    type: "application/problem+json",
  });
  const seconds = Number(answer.headers["retry-after"]);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(answer.json.facts).toEqual({ retryAfterSeconds: seconds });
  expect(rowsOf(daemon.home)).toEqual(before);
  expect((await daemon.ask("GET", "/api/tasks")).status).toBe(200);
});

test("of fifty at once ten are made", async () => {
  const daemon = await withDaemon({ config: LIMITS });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => daemon.ask("POST", "/api/tasks", { body: { title: `Number ${index}` } })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([
    ...Array.from({ length: 10 }, () => 201),
    ...Array.from({ length: 40 }, () => 429),
  ]);
  expect(
    answers.filter(({ status }) => status === 429).every(({ headers }) => Number(headers["retry-after"]) >= 1),
  ).toBe(true);
  expect((await daemon.api.tasks()).items).toHaveLength(10);
});

test("the hour has a limit of its own, and says an hour", async () => {
  const daemon = await withDaemon({ config: { createPerMinute: 1_000, createPerHour: 100 } });
  const answers = await Promise.all(
    Array.from({ length: 101 }, (_, index) => daemon.ask("POST", "/api/tasks", { body: { title: `Number ${index}` } })),
  );
  const refused = answers.filter(({ status }) => status !== 201);
  expect(refused.map(({ status }) => status)).toEqual([429]);
  expect(Number(refused[0]?.headers["retry-after"])).toBeGreaterThan(3_000);
});

test("what was used is still used after kill -9", async () => {
  const first = await withDaemon({ child: true, config: { createPerMinute: 2 } });
  const { home } = first;
  for (let made = 0; made < 2; made += 1) await first.api.createTask({ title: "x" });
  await first.kill();
  const second = await withDaemon({ home, config: { createPerMinute: 2 } });
  expect((await second.ask("POST", "/api/tasks", { body: { title: "x" } })).status).toBe(429);
});
