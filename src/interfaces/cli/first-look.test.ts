import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { healthGiven } from "../../../test/support/given-views.ts";
import { daemonProcess } from "./daemon-process.ts";
import { type FirstLook, firstLook } from "./first-look.ts";

/* What is asked of a daemon before the command is known: what is heard saves the second question, and what is not heard costs nothing. */

let home: string;
let asked: string[];
let servers: Server[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "agentos-look-"));
  asked = [];
  servers = [];
});
afterEach(() => {
  for (const server of servers) server.close().closeAllConnections();
  rmSync(home, { recursive: true, force: true });
});

/** A daemon that has announced itself; the first answers are these, all others its health. */
async function announced(...answers: readonly RequestListener[]): Promise<string> {
  let nth = 0;
  const server = createServer((request, answer) => {
    asked.push(request.url ?? "");
    const own = answers[nth];
    nth += 1;
    if (own === undefined) answer.end(JSON.stringify(healthGiven(home)));
    else own(request, answer);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(join(home, "daemon.json"), JSON.stringify({ pid: process.pid, url, version: "1.0.0" }));
  return url;
}

const look = (signal: AbortSignal = new AbortController().signal): FirstLook | null => firstLook(home, signal);
const daemonWith = (looked: FirstLook | null) =>
  daemonProcess({
    home,
    host: "127.0.0.1",
    port: 0,
    launch: { program: "/nowhere/agentos", argv: [], environment: {} },
    looked,
  });

test("what is heard at the first look is not asked again, but once more later", async () => {
  const url = await announced();
  const daemon = daemonWith(look());
  expect(await daemon.find()).toEqual({ pid: process.pid, url, health: healthGiven(home) });
  expect(asked).toEqual(["/api/health"]);
  expect((await daemon.find())?.url).toBe(url);
  expect(asked).toHaveLength(2);
});

test.each<[string, RequestListener]>([
  ["an answer that is none", (_, answer) => answer.destroy()],
  ["a refusal", (_, answer) => answer.writeHead(503).end()],
  ["more than any daemon says", (_, answer) => answer.end("x".repeat(200_000))],
])("%s is nothing that was heard: it is asked again", async (_, first) => {
  const url = await announced(first);
  expect((await daemonWith(look()).find())?.url).toBe(url);
  expect(asked).toHaveLength(2);
});

test("a daemon that moved since the first look is asked where it is", async () => {
  await announced();
  const looked = look();
  const url = await announced();
  expect((await daemonWith(looked).find())?.url).toBe(url);
});

test("where none has announced itself, or it is dead, there is nothing to look at", async () => {
  expect(look()).toBeNull();
  await announced();
  writeFileSync(
    join(home, "daemon.json"),
    JSON.stringify({ pid: process.pid, start_ticks: 1, url: "http://127.0.0.1:1" }),
  );
  expect(look()).toBeNull();
});

test("a command that ends does not wait for what it asked", async () => {
  await announced(() => undefined);
  const ending = new AbortController();
  const looked = look(ending.signal);
  ending.abort();
  expect(await looked?.answer).toBeNull();
});
