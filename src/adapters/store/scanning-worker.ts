import { parentPort, workerData } from "node:worker_threads";
import type { ScanAnswer, ScanRequest } from "./scanning-thread.ts";
import { openSqlite } from "./sqlite.ts";

// The thread's own connection, one question after the other; what fails is answered, not thrown.
const port = parentPort;
if (port === null) throw new Error("this runs as a thread only");
const database = openSqlite(String(workerData), "read");

port.on("message", ({ id, sql, params }: ScanRequest) => {
  database.query(sql, params).then(
    (rows) => port.postMessage({ id, rows } satisfies ScanAnswer),
    (error: unknown) => port.postMessage(failed(id, error)),
  );
});

const failed = (id: number, error: unknown): ScanAnswer => ({
  id,
  message: error instanceof Error ? error.message : String(error),
  code: error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null,
});
