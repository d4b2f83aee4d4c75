import { parentPort, workerData } from "node:worker_threads";
import type { Project } from "../../domain/project.ts";
import type { Appending, Folded } from "./append.ts";
import { fullFailure } from "./blob-content.ts";
import { sent } from "./crossing.ts";
import { SQLITE } from "./dialect.ts";
import type { KnownTask } from "./projection.ts";
import { recent } from "./recent.ts";
import { seal } from "./seal.ts";
import { openSqlite } from "./sqlite.ts";
import { waitWhileBusy } from "./wait-while-busy.ts";
import { type WriterQueue, writerQueue } from "./writer-queue.ts";
import { perform, type Write } from "./writes.ts";
import type { FromWriter, ToWriter, WriterPlace } from "./writing-thread.ts";

// The thread's own connection, the only one that writes. What fails is answered, not thrown.
const port = parentPort;
if (port === null) throw new Error("this runs as a thread only");
const { database, blobs, busyMs } = workerData as WriterPlace;

/** States of streams kept in memory, so that an append folds only what is new. */
const STATES_KEPT = 512;

const say = (said: FromWriter): void => port.postMessage(said);

const appending: Appending = {
  seal,
  blobDirectory: blobs,
  tasks: recent<Folded<KnownTask>>(STATES_KEPT),
  projects: recent<Folded<Project>>(STATES_KEPT),
};

async function opened(): Promise<WriterQueue & { close(): Promise<void> }> {
  const connection = await waitWhileBusy(SQLITE, busyMs, async () => openSqlite(database, "write")).catch(
    (error: unknown) => {
      throw SQLITE.trouble(error) === "full" ? fullFailure(database, error) : error;
    },
  );
  const queue = writerQueue(connection, {
    place: database,
    busyMs,
    onCommit: (writes) => say({ kind: "committed", writes }),
    onFatal: (error) => say({ kind: "fatal", error: sent(error) }),
  });
  return {
    write: queue.write,
    async close() {
      await queue.close();
      await connection.close();
    },
  };
}

/** The answers of one commit go back together. */
let answers: Extract<FromWriter, { readonly kind: "answered" }>["answers"][number][] = [];
function answer(one: (typeof answers)[number]): void {
  if (answers.length === 0)
    queueMicrotask(() => {
      say({ kind: "answered", answers });
      answers = [];
    });
  answers.push(one);
}

function write(queue: WriterQueue, id: number, asked: Write): void {
  queue
    .write((tx) => perform(tx, appending, asked))
    .then(
      (value) => answer({ id, value }),
      (error: unknown) => answer({ id, error: sent(error, asked) }),
    );
}

let queue: Promise<Awaited<ReturnType<typeof opened>>> | null = null;

async function closed(): Promise<void> {
  const open = await queue?.catch(() => null); // whoever opened it was told why it could not be
  await open?.close();
}

port.on("message", (said: ToWriter) => {
  switch (said.kind) {
    case "open":
      queue = opened();
      queue.then(
        () => say({ kind: "opened" }),
        (error: unknown) => say({ kind: "not_opened", error: sent(error) }),
      );
      return;
    case "write":
      queue?.then(
        (open) => write(open, said.id, said.write),
        (error: unknown) => answer({ id: said.id, error: sent(error) }),
      );
      return;
    case "close":
      // Nothing else keeps the thread alive.
      void closed().finally(() => port.close());
      return;
  }
});
