import { type ClientRequest, get, type IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { messages } from "../../src/interfaces/client/event-stream.ts";
import type { Store } from "../../src/ports/store.ts";
import { deny } from "../contract/store-given.ts";
import { type TestDaemon, until, withDaemon } from "../support/daemon.ts";

interface Told {
  readonly id: number;
  readonly event: { readonly stream: string; readonly seq: number; readonly type: string; readonly position?: number };
}

/** A reader of a stream of events: what it was told so far, and its end. */
interface Reader {
  readonly told: readonly Told[];
  readonly answer: IncomingMessage;
  leave(): void;
}

async function follow(
  { url }: TestDaemon,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reader> {
  let asked: ClientRequest | undefined;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asked = get(
      new URL(path, url),
      { agent: false, headers: { accept: "text/event-stream", ...headers } },
      resolve,
    ).once("error", reject);
  });
  asked?.on("error", () => {}); // leaving breaks the connection, which is what was wanted
  const told: Told[] = [];
  const reading = (async () => {
    for await (const { id, data } of messages(answer)) told.push({ id, event: JSON.parse(data) as Told["event"] });
  })();
  reading.catch(() => {}); // as above
  return { told, answer, leave: () => answer.destroy() };
}

const idsOf = ({ told }: Reader): readonly number[] => told.map(({ id }) => id);
const upTo = (last: number, first = 1): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const tasksMade = (daemon: TestDaemon, how: number) =>
  Promise.all(Array.from({ length: how }, (_, index) => daemon.api.createTask({ title: `Number ${index}` })));
const lastPosition = async (daemon: TestDaemon): Promise<number> => (await daemon.inside?.system.store.position()) ?? 0;
const heard = (reader: Reader, position: number) =>
  until(`the stream came to ${position}`, async () => (idsOf(reader).at(-1) ?? 0) >= position);

/** A daemon that counts who listens to its journal. */
async function listenedDaemon(): Promise<{ readonly daemon: TestDaemon; readonly listeners: () => number }> {
  let listeners = 0;
  const counted = (store: Store): Store => ({
    ...store,
    onAppended(listener) {
      const stop = store.onAppended(listener);
      listeners += 1;
      let there = true;
      return () => {
        if (there) listeners -= 1;
        there = false;
        stop();
      };
    },
  });
  const daemon = await withDaemon({ adapters: { store: counted } });
  return { daemon, listeners: () => listeners };
}

test("tells everything that was, then what comes, each once and in order, while others write", async () => {
  const daemon = await withDaemon();
  await tasksMade(daemon, 30);
  const writing = tasksMade(daemon, 100);
  const readers = await Promise.all(Array.from({ length: 6 }, () => follow(daemon, "/api/events")));
  await writing;
  await tasksMade(daemon, 20);
  const last = await lastPosition(daemon);
  expect(last).toBeGreaterThanOrEqual(150);
  for (const reader of readers) {
    await heard(reader, last);
    expect(idsOf(reader)).toEqual(upTo(last));
    expect(reader.told.map(({ event }) => event.position)).toEqual(upTo(last));
    expect(reader.answer.headers["content-type"]).toMatch(/^text\/event-stream/);
    reader.leave();
  }
});

const WAYS: readonly (readonly [
  string,
  (cursor: number) => readonly [path: string, headers: Readonly<Record<string, string>>],
])[] = [
  ["?after", (cursor) => [`/api/events?after=${cursor}`, {}]],
  ["Last-Event-ID", (cursor) => ["/api/events", { "last-event-id": String(cursor) }]],
  [
    "both, of which the later counts",
    (cursor) => [`/api/events?after=${Math.floor(cursor / 2)}`, { "last-event-id": String(cursor) }],
  ],
];

test.each(WAYS)(
  "a reader that breaks off again and again misses nothing and hears nothing twice: by %s",
  async (_, where) => {
    const daemon = await withDaemon();
    await tasksMade(daemon, 30);
    const writing = (async () => {
      for (let round = 0; round < 8; round += 1) await tasksMade(daemon, 10);
    })();
    const all: number[] = [];
    const listen = async (enough: (reader: Reader) => boolean): Promise<void> => {
      const [path, headers] = where(all.at(-1) ?? 0);
      const reader = await follow(daemon, path, headers);
      await until("enough came", async () => enough(reader));
      reader.leave();
      all.push(...idsOf(reader));
    };
    for (let breaks = 0; breaks < 8; breaks += 1) {
      if ((all.at(-1) ?? 0) === (await lastPosition(daemon))) await tasksMade(daemon, 1);
      await listen(({ told }) => told.length > 0);
    }
    await writing;
    await tasksMade(daemon, 1);
    const last = await lastPosition(daemon);
    await listen((reader) => idsOf(reader).at(-1) === last);
    expect(all).toEqual(upTo(last));
  },
);

test("from now on tells only what comes, and whoever comes back hears what came meanwhile", async () => {
  const daemon = await withDaemon();
  await tasksMade(daemon, 5);
  const before = await lastPosition(daemon);
  const reader = await follow(daemon, "/api/events?after=now");
  await tasksMade(daemon, 3);
  const seen = await lastPosition(daemon);
  await heard(reader, seen);
  reader.leave();
  expect(idsOf(reader)).toEqual(upTo(seen).slice(before));
  await tasksMade(daemon, 2);
  const again = await follow(daemon, "/api/events?after=now", { "last-event-id": String(seen) });
  const last = await lastPosition(daemon);
  await heard(again, last);
  again.leave();
  expect(idsOf(again)).toEqual(upTo(last).slice(seen));
});

test("a task's stream tells its own events only, by their seq", async () => {
  const daemon = await withDaemon();
  const [one, other] = [await daemon.api.createTask({ title: "One" }), await daemon.api.createTask({ title: "Other" })];
  const reader = await follow(daemon, `/api/tasks/${one.id}/events`);
  for (let round = 0; round < 10; round += 1)
    for (const { id } of [one, other]) await daemon.api.reviseTask(id, { title: `Round ${round}` });
  await heard(reader, 11);
  expect(idsOf(reader)).toEqual(upTo(11));
  expect(new Set(reader.told.map(({ event }) => event.stream))).toEqual(new Set([`task/${one.id}`]));
  const later = await follow(daemon, `/api/tasks/${one.id}/events?after=4`);
  await heard(later, 11);
  expect(idsOf(later)).toEqual(upTo(11, 5));
  for (const each of [reader, later]) each.leave();
});

test("more than two pages of what was are told whole", async () => {
  const daemon = await withDaemon();
  const { id } = await daemon.api.createTask({ title: "Long" });
  const denial = deny(id, 1);
  await daemon.inside?.system.store.append({
    ...denial,
    events: Array.from({ length: 1_100 }, () => denial.events).flat(),
  });
  for (const path of [`/api/tasks/${id}/events`, "/api/events"]) {
    const last = path === "/api/events" ? ((await daemon.inside?.system.store.position()) ?? 0) : 1_101;
    const reader = await follow(daemon, path);
    await heard(reader, last);
    expect(idsOf(reader)).toEqual(upTo(last));
    reader.leave();
  }
});

test("a reader that leaves is no longer listened for, nor one that only asks for the head", async () => {
  const { daemon, listeners } = await listenedDaemon();
  const { id } = await daemon.api.createTask({ title: "x" });
  const before = listeners();
  const readers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      follow(daemon, index % 2 === 0 ? "/api/events" : `/api/tasks/${id}/events`),
    ),
  );
  await until("all are listened for", async () => listeners() === before + 50);
  for (const path of ["/api/events", `/api/tasks/${id}/events`])
    expect((await daemon.ask("HEAD", path, { headers: { accept: "text/event-stream" } })).status).toBe(200);
  for (const reader of readers) reader.leave();
  await until("nobody is listened for", async () => listeners() === before);
});

test("a hundred readers hear the same, and answers do not wait for them", async () => {
  const daemon = await withDaemon();
  const readers = await Promise.all(Array.from({ length: 100 }, () => follow(daemon, "/api/events")));
  await tasksMade(daemon, 30);
  const begun = performance.now();
  await daemon.api.health();
  expect(performance.now() - begun).toBeLessThan(2_000);
  const last = await lastPosition(daemon);
  for (const reader of readers) {
    await heard(reader, last);
    expect(idsOf(reader)).toEqual(upTo(last));
    reader.leave();
  }
});

test("a reader that does not read keeps nobody else waiting", async () => {
  const daemon = await withDaemon();
  const stuck = await new Promise<IncomingMessage>((resolve, reject) => {
    get(new URL("/api/events", daemon.url), { agent: false, headers: { accept: "text/event-stream" } }, resolve).once(
      "error",
      reject,
    );
  });
  stuck.pause();
  const intent = "x".repeat(1_000);
  for (let round = 0; round < 20; round += 1)
    await Promise.all(Array.from({ length: 25 }, () => daemon.api.createTask({ title: "x".repeat(300), intent })));
  const reader = await follow(daemon, "/api/events");
  const last = await lastPosition(daemon);
  await heard(reader, last);
  reader.leave();
  stuck.destroy();
});

test("stopping ends every stream", async () => {
  const daemon = await withDaemon();
  const readers = await Promise.all(Array.from({ length: 10 }, () => follow(daemon, "/api/events")));
  await daemon.stop();
  await until("every stream has ended", async () =>
    readers.every(({ answer }) => answer.destroyed || answer.readableEnded),
  );
  expect(daemon.log()).toEqual([]);
});
