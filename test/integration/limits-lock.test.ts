import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import {
  type Answer,
  rowsOf,
  sampleRepo,
  type TestDaemon,
  until,
  waitForStatus,
  withDaemon,
} from "../support/daemon.ts";
import { type StoreChild, storeChild } from "./store-process.ts";

/*
 * Another program takes the database's write lock and keeps it. Fifty clients write all the same: they wait without holding up
 * anyone else, and whoever has to be sent away is told when to come again, and left nothing behind.
 *
 * The bound is 30 s in the product. Here it is that for the lock of 5 s, and shortened for the lock that outlasts it; both at full
 * size, 60 s, run with `npm run test:lock:full`.
 */

const FULL = process.env["AGENTOS_TEST_LOCK_FULL"] === "1";
const CLIENTS = 50;
const ANSWERS_WITHIN_MS = 2_000;

const holders: StoreChild[] = [];
afterEach(async () => {
  for (const holder of holders.splice(0)) await holder.kill();
});

async function locked({ home }: TestDaemon): Promise<StoreChild> {
  const holder = storeChild("hold", home);
  holders.push(holder);
  expect(await holder.said()).toBe("held");
  return holder;
}

const write = (daemon: TestDaemon, index: number, body: Readonly<Record<string, unknown>> = {}): Promise<Answer> =>
  daemon.ask("POST", "/api/tasks", {
    body: { title: `Client ${index}`, ...body },
    headers: { "idempotency-key": `client-${index}` },
  });

/** Reads again and again while `work` goes on; the longest any read took. */
async function readingMeanwhile(daemon: TestDaemon, work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let reads = 0;
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  while (!over || reads === 0)
    for (const path of ["/api/health", "/api/tasks?text=client", "/api/events?limit=10", "/"]) {
      const begun = performance.now();
      expect((await daemon.ask("GET", path)).status, path).toBe(200);
      longest = Math.max(longest, performance.now() - begun);
      reads += 1;
    }
  await ended;
  return longest;
}

const titles = async ({ api }: TestDaemon): Promise<readonly string[]> =>
  (await api.tasks({ limit: 1_000 })).items.map(({ title }) => title).sort();
const allTitles = Array.from({ length: CLIENTS }, (_, index) => `Client ${index}`).sort();
const neverSaid = (daemon: TestDaemon, answers: readonly Answer[]): void =>
  expect([...answers.map(({ text }) => text), ...daemon.log()].join("\n")).not.toMatch(
    /database is locked|SQLITE_BUSY/,
  );

function sentAway(answer: Answer): void {
  expect({ status: answer.status, code: answer.json?.code, type: answer.headers["content-type"] }).toEqual({
    status: 503,
    code: "store/busy",
    type: "application/problem+json",
  });
  expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  expect(answer.json.next).toMatch(/\S/);
}

test("held for five seconds: all fifty succeed after it, and reading goes on meanwhile", async () => {
  const daemon = await withDaemon({ child: true });
  const holder = await locked(daemon);
  const begun = performance.now();
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => write(daemon, index)));
  const released = (async () => {
    await delay(5_000); // what is tested is a lock of this length
    expect(await titles(daemon)).toEqual([]);
    await holder.letGo();
  })();
  const longest = await readingMeanwhile(daemon, clients);
  await released;
  const answers = await clients;
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: CLIENTS }, () => 201));
  expect(performance.now() - begun).toBeGreaterThanOrEqual(5_000);
  expect(longest).toBeLessThan(ANSWERS_WITHIN_MS);
  expect(await titles(daemon)).toEqual(allTitles);
  neverSaid(daemon, answers);
});

async function outlasted(
  daemon: TestDaemon,
  longEnough: (clients: Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const before = rowsOf(daemon.home);
  const holder = await locked(daemon);
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => write(daemon, index)));
  const longest = await readingMeanwhile(daemon, longEnough(clients));
  const answers = await clients;
  for (const answer of answers) sentAway(answer);
  expect(longest).toBeLessThan(ANSWERS_WITHIN_MS);
  neverSaid(daemon, answers);
  await holder.letGo();
  expect(rowsOf(daemon.home)).toEqual(before);
  const again = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => write(daemon, index)));
  expect(again.map(({ status }) => status)).toEqual(Array.from({ length: CLIENTS }, () => 201));
  expect(await titles(daemon)).toEqual(allTitles);
}

test("held past the bound: all fifty are told when to come again, nothing is there of them, and then they succeed", async () =>
  outlasted(await withDaemon({ adapters: { busyMs: 700 } }), (clients) => clients));

// Only on demand (npm run test:lock:full): the last figures are kept in docs/guarantees/.
const onDemand = FULL ? test : () => undefined;
onDemand(
  "held for sixty seconds, at full size (only with npm run test:lock:full: it takes a minute)",
  async () => outlasted(await withDaemon({ child: true }), async (clients) => Promise.all([clients, delay(60_000)])),
  180_000,
);

describe("the lock comes between two parts of one request:", () => {
  /** A daemon whose next append of a task takes the lock right after it was durable. */
  async function lockedAfterCreation(): Promise<{
    readonly daemon: TestDaemon;
    readonly arm: () => void;
    readonly holder: () => StoreChild | undefined;
  }> {
    let armed = false;
    let holder: StoreChild | undefined;
    let daemon: TestDaemon | undefined;
    const adapter = (store: Store): Store => ({
      ...store,
      append: async (append) => {
        const done = await store.append(append);
        if (armed && daemon !== undefined && append.stream.startsWith("task/")) {
          armed = false;
          holder = await locked(daemon);
        }
        return done;
      },
    });
    daemon = await withDaemon({ adapters: { store: adapter, busyMs: 300 } });
    return {
      daemon,
      arm: () => {
        armed = true;
      },
      holder: () => holder,
    };
  }

  test("a task that is created in a project is there with its project, or not at all", async () => {
    const { daemon, arm, holder } = await lockedAfterCreation();
    const { project } = await daemon.api.projectOfPath({ path: sampleRepo("plain") });
    arm();
    const answer = await daemon.ask("POST", "/api/tasks", { body: { title: "Bound", project: project.id } });
    await holder()?.letGo();
    expect(answer.status).toBe(201);
    expect((await daemon.api.tasks()).items.map((task) => [task.title, task.project?.id])).toEqual([
      ["Bound", project.id],
    ]);
  });

  test("a task that was created under a key is created once, however long its answer waits to be remembered", async () => {
    const { daemon, arm, holder } = await lockedAfterCreation();
    arm();
    const asked = write(daemon, 1);
    const again = until("the lock is there", async () => holder()).then(() => write(daemon, 1));
    await until("the lock is there", async () => holder());
    await delay(1_000); // more than three times as long as a write waits here
    await holder()?.letGo();
    const [first, second] = await Promise.all([asked, again]);
    expect([first.status, second.status, second.text]).toEqual([201, 201, first.text]);
    expect(await titles(daemon)).toEqual(["Client 1"]);
  });

  test("a project without a repository takes no task, and leaves none", async () => {
    const daemon = await withDaemon();
    await daemon.api.createProject({ name: "empty" });
    const answer = await daemon.ask("POST", "/api/tasks", { body: { title: "Nowhere", project: "empty" } });
    expect({ status: answer.status, code: answer.json.code }).toEqual({ status: 409, code: "project/refused" });
    expect(await titles(daemon)).toEqual([]);
  });
});

test("a task that runs while the lock is held past the bound is not lost to it: it goes on and succeeds", async () => {
  const daemon = await withDaemon({ adapters: { busyMs: 400 } });
  const { api } = daemon;
  const { project } = await api.projectOfPath({ path: sampleRepo("green") });
  const step = (id: string) => ({ id, title: id, do: [{ run: ["sh", "-c", `echo ${id} >> NOTES; sleep 1`] }] });
  const { id } = await api.createTask({
    title: "Works",
    project: project.id,
    run_mode: "autonomous",
    plan: { items: [step("one"), step("two")] },
  });
  await api.freezeTask(id);
  await api.readyTask(id);
  await until("its command runs", async () => (await api.task(id)).open_step?.doing.includes("NOTES"));
  const holder = await locked(daemon);
  sentAway(await write(daemon, 0));
  sentAway(await write(daemon, 1));
  sentAway(await write(daemon, 2));
  sentAway(await write(daemon, 3));
  await holder.letGo();
  await waitForStatus(api, id, ["succeeded"]);
  expect((await api.diff(id)).repos["sample"]?.diff).toMatch(/\+one\n\+two\n/);
  neverSaid(daemon, []);
});
