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

test("more attempts at once than may ever be made are refused as such, with the setting, and not for a while", async () => {
  const daemon = await withDaemon({ config: LIMITS });
  const { id } = await daemon.api.createTask({ title: "x" });
  const asked = async (times: number) => {
    const { status, headers, json } = await daemon.ask("POST", `/api/tasks/${id}/fork`, { body: { times } });
    return { status, code: json.code, detail: json.detail, next: json.next, again: headers["retry-after"] };
  };
  expect(await asked(11)).toEqual({
    status: 413,
    code: "input/too-large",
    detail: "11 tasks at once are more than the 10 that may be created in a minute",
    next: "Ask for fewer, or raise create_per_minute (AGENTOS_CREATE_PER_MINUTE) and start the daemon again.",
    again: undefined,
  });
  expect(await asked(10)).toMatchObject({
    status: 429,
    code: "rate/limited",
    detail: expect.stringMatching(/^at most 10 tasks a minute and 100 an hour may be created; try again in \d+ s$/),
    next: "Try again then, or raise create_per_minute or create_per_hour (docs/settings.md) and start the daemon again.",
  });
  const hourly = await withDaemon({ config: { createPerMinute: 1_000, createPerHour: 5 } });
  expect((await hourly.ask("POST", `/api/tasks/${id}/fork`, { body: { times: 6 } })).json).toMatchObject({
    detail: "6 tasks at once are more than the 5 that may be created in an hour",
    next: "Ask for fewer, or raise create_per_hour (AGENTOS_CREATE_PER_HOUR) and start the daemon again.",
  });
});
