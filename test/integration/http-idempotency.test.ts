import { expect, test } from "vitest";
import { rowsOf, type TestDaemon, withDaemon } from "../support/daemon.ts";

const create = (daemon: TestDaemon, key: string, body: unknown = { title: "Once" }) =>
  daemon.ask("POST", "/api/tasks", { body, headers: { "idempotency-key": key } });
const titles = async (daemon: TestDaemon): Promise<readonly string[]> =>
  (await daemon.api.tasks({ limit: 1_000 })).items.map(({ title }) => title);

test("the same request again gets the same answer and is done once", async () => {
  const daemon = await withDaemon();
  const first = await create(daemon, "k1");
  const again = await create(daemon, "k1");
  expect(first.status).toBe(201);
  expect(again).toMatchObject({ status: 201, text: first.text });
  expect([first, again].map(({ headers }) => headers["idempotency-replayed"])).toEqual([undefined, "true"]);
  expect(await titles(daemon)).toEqual(["Once"]);
});

test("another request under the same key is refused, and does nothing", async () => {
  const daemon = await withDaemon();
  const { json } = await create(daemon, "k2");
  const before = rowsOf(daemon.home);
  for (const other of [
    await create(daemon, "k2", { title: "Twice" }),
    await daemon.ask("POST", `/api/tasks/${json.id}/cancel`, {
      body: { title: "Once" },
      headers: { "idempotency-key": "k2" },
    }),
  ])
    expect({ status: other.status, code: other.json.code }).toEqual({ status: 422, code: "idempotency/mismatch" });
  expect(rowsOf(daemon.home)).toEqual(before);
});

test("of twenty at once under one key exactly one is done, and all are told the same", async () => {
  const daemon = await withDaemon();
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(daemon, `round-${round}`)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers["idempotency-replayed"] === undefined)).toHaveLength(1);
    expect(await titles(daemon)).toHaveLength(round + 1);
  }
});

test("of twenty different ones at once under one key one is done, and the others are refused", async () => {
  const daemon = await withDaemon();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => create(daemon, "one", { title: `Number ${index}` })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 422)]);
  expect(await titles(daemon)).toHaveLength(1);
});

test("what was not done for now, because there were too many, is done when it comes again", async () => {
  const daemon = await withDaemon({ config: { createPerMinute: 3 } });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => create(daemon, `key-${index % 5}`)));
  const done = new Set(answers.filter(({ status }) => status === 201).map(({ json }) => json.id));
  expect(done.size).toBe(3);
  expect(answers.every(({ status }) => status === 201 || status === 429)).toBe(true);
  expect(await titles(daemon)).toHaveLength(3);
});

test("a refusal is remembered as well", async () => {
  const daemon = await withDaemon();
  const [first, again] = [await create(daemon, "k3", { titel: "x" }), await create(daemon, "k3", { titel: "x" })];
  expect(again).toMatchObject({ status: 400, text: first.text });
  expect(again.headers["content-type"]).toBe("application/problem+json");
});

test("a key is still known after a restart, and after kill -9", async () => {
  const first = await withDaemon({ child: true });
  const { home } = first;
  const said = await create(first, "kept");
  await first.kill();
  const second = await withDaemon({ child: true, home });
  expect(await create(second, "kept")).toMatchObject({ status: 201, text: said.text });
  await second.stop();
  const third = await withDaemon({ home });
  expect(await create(third, "kept")).toMatchObject({ status: 201, text: said.text });
  expect((await create(third, "kept", { title: "Twice" })).status).toBe(422);
  expect(await titles(third)).toEqual(["Once"]);
});
