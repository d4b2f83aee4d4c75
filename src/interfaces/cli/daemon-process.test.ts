import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { healthGiven } from "../../../test/support/given-views.ts";
import { PROBLEMS } from "../../contract/problems.ts";
import type { HealthView } from "../../contract/views.ts";
import { problemOf } from "../client/trouble.ts";
import { daemonProcess } from "./daemon-process.ts";

let home: string;
const servers: Server[] = [];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "agentos-daemon-"));
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(home, { recursive: true, force: true });
});

const ABSENT = { program: "/nowhere/agentos", argv: [], environment: {} };
const daemonOf = (place: string, port = 0) => daemonProcess({ home: place, host: "127.0.0.1", port, launch: ABSENT });
const refused = async (wanted: Promise<unknown>) => problemOf(await wanted.catch((error: unknown) => error));

async function answering(body: string): Promise<number> {
  const server = createServer((_, response) => response.end(body));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
const health = (more: Partial<HealthView>) => JSON.stringify(healthGiven(home, more));
const announce = (text: string) => writeFileSync(join(home, "daemon.json"), text);

describe("a daemon that announces itself", () => {
  const announced = async (more: Partial<HealthView>) => {
    const url = `http://127.0.0.1:${await answering(health(more))}`;
    announce(JSON.stringify({ pid: process.pid, url, version: "1.0.0" }));
    return url;
  };

  test("is found where it answers as itself", async () => {
    const url = await announced({});
    expect(await daemonOf(home).find()).toEqual({ pid: process.pid, url, health: JSON.parse(health({})) });
    expect(await daemonOf(home).start()).toMatchObject({ url, started: false });
  });

  test.each([
    ["of another process", { pid: 1 }],
    ["of a data directory that is gone", { home: "/nowhere" }],
  ])("is not believed where what answers is %s", async (_, more) => {
    await announced(more);
    expect(await daemonOf(home).find()).toBeNull();
  });

  test("is none where its words are not understood", async () => {
    for (const odd of ["", "{", "{}", '{"pid":0}', "[]"]) {
      announce(odd);
      expect(await daemonOf(home).find()).toBeNull();
      expect(await daemonOf(home).stop()).toBe(false);
      expect(await daemonOf(home).wasStopped()).toBe(true);
    }
  });

  test("is none where its process started at another time", async () => {
    const url = await announced({});
    announce(JSON.stringify({ pid: process.pid, url, version: "1.0.0", start_ticks: 1 }));
    expect(await daemonOf(home).find()).toBeNull();
  });
});

describe("a daemon cannot be started", () => {
  test("whose program is not there; its log is named", async () => {
    const log = join(home, "logs", "daemon.log");
    expect(await refused(daemonOf(home).start())).toMatchObject({
      code: "daemon/unreachable",
      detail: expect.stringMatching(/^the daemon could not be started: spawn \/nowhere\/agentos ENOENT\b/),
      next: `Read ${log}; agentos doctor looks at the machine.`,
    });
  });

  const ending = (script: string) =>
    daemonProcess({
      home,
      host: "127.0.0.1",
      port: 0,
      launch: { program: "/bin/sh", argv: ["-c", script], environment: { PATH: "/usr/bin:/bin" } },
    });

  test("that ends at once; of its log is told what it said this time, and nothing of an earlier start", async () => {
    const said = (lines: string) =>
      `the daemon could not be started: it ended with exit code 69; the end of its log: ${lines}`;
    expect(await refused(ending("echo the first time; exit 69").start())).toMatchObject({
      detail: said("the first time"),
    });
    expect(await refused(ending("echo the second; echo time; exit 69").start())).toMatchObject({
      code: "daemon/unreachable",
      detail: said("the second | time"),
      facts: { log: join(home, "logs", "daemon.log"), lines: ["the second", "time"] },
    });
    expect(await refused(ending("exit 69").start())).toMatchObject({
      detail: "the daemon could not be started: it ended with exit code 69",
    });
  });

  test.each([
    ["cannot be read", 74, "store/corrupt"],
    ["was written by a newer version", 78, "store/newer"],
  ] as const)("because its store %s; then that is the trouble", async (_, code, trouble) =>
    expect(await refused(ending(`exit ${code}`).start())).toMatchObject({
      code: trouble,
      next: PROBLEMS[trouble].next,
    }),
  );

  test("whose data directory cannot be written", async () => {
    const file = join(home, "file");
    writeFileSync(file, "");
    expect(await refused(daemonOf(file).start())).toMatchObject({
      code: "daemon/unreachable",
      detail: `the data directory ${file} cannot be written (ENOTDIR)`,
      next: "Make it writable, or use another: AGENTOS_HOME=DIR",
    });
  });

  test("whose port is another program's, or another daemon's", async () => {
    const strange = await answering("hello");
    expect(await refused(daemonOf(home, strange).start())).toMatchObject({
      code: "daemon/unreachable",
      detail: `port ${strange} of 127.0.0.1 is in use by another program, which is not AgentOS`,
      next: `Use another port: AGENTOS_PORT=${strange + 1}`,
    });
    const other = await answering(health({ home: "/home/bob/.agentos", pid: 7 }));
    expect(await refused(daemonOf(home, other).start())).toMatchObject({
      code: "daemon/unreachable",
      detail: `port ${other} of 127.0.0.1 belongs to the AgentOS daemon of /home/bob/.agentos (pid 7)`,
      next: `Use another port: AGENTOS_PORT=${other + 1}, or that data directory: AGENTOS_HOME=/home/bob/.agentos`,
    });
  });
});
