import { once } from "node:events";
import { createServer } from "node:net";

/** Below what Linux hands out by itself (32768 and up): there other tests listen and connect from, and would soon have it. */
const FIRST = 15_000;
const LAST = 32_000;
const TRIES_MAX = 50;

/** A port of 127.0.0.1 on which nobody listens just now. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error(`no port between ${FIRST} and ${LAST} was free in ${TRIES_MAX} tries`);
}
