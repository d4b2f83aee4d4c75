import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { pino } from "pino";
import { expect, test } from "vitest";
import { startDaemon } from "../../src/main/daemon.ts";
import { daemonChild, rowsOf, temporaryDirectory, until, withDaemon } from "../support/daemon.ts";
import { program } from "../support/programs.ts";

/* One daemon per data directory, whatever way leads to it. */

/** Loading the program takes under half a second on a quiet machine; this for the refusal itself keeps the whole within one. */
const REFUSED_WITHIN_MS = 500;

/** From the start of the process to its end. */
async function refusal(
  home: string,
): Promise<{ readonly code: number | null; readonly said: string; readonly ms: number }> {
  const begun = performance.now();
  const { child, output } = daemonChild({ home });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said: output.join("\n"), ms: performance.now() - begun };
}

/** What the same machine needs at the same time to load the same program and do nothing. */
async function loading(): Promise<number> {
  const begun = performance.now();
  const daemon = JSON.stringify(program("product", "daemon"));
  await once(
    spawn(process.execPath, ["--input-type=module", "--eval", `await import(${daemon})`], { stdio: "inherit" }),
    "close",
  );
  return performance.now() - begun;
}

test("a second daemon is refused within a second, by the directory's own name and through links", async () => {
  const first = await withDaemon({ child: true });
  const links = temporaryDirectory("links");
  symlinkSync(first.home, join(links, "direct"));
  symlinkSync(join(links, "direct"), join(links, "over-two"));
  const before = rowsOf(first.home);
  const took: number[] = [];
  for (const way of [
    first.home,
    join(links, "direct"),
    join(links, "over-two"),
    `${first.home}/../${first.home.split("/").at(-1)}`,
  ]) {
    const { code, said, ms } = await refusal(way);
    expect({ way, code }).toEqual({ way, code: 73 });
    expect(said).toContain(`a daemon is running on ${first.home} already`);
    expect(said).toContain("agentos daemon stop");
    expect(said).not.toMatch(/\bat \S+ \(|database is locked/);
    took.push(ms);
  }
  // Of each the fastest: what else this machine does in that moment is not the daemon's doing.
  const bare = [await loading(), await loading()];
  for (let more = 0; more < 8 && Math.min(...took) - Math.min(...bare) >= REFUSED_WITHIN_MS; more += 1)
    took.push((await refusal(first.home)).ms);
  expect(Math.min(...took) - Math.min(...bare)).toBeLessThan(REFUSED_WITHIN_MS);
  expect((await first.api.health()).pid).toBe(first.pid);
  expect(rowsOf(first.home)).toEqual(before);
});

test("of five that start at the same moment one runs", async () => {
  const home = temporaryDirectory("race");
  const started = Array.from({ length: 5 }, () => daemonChild({ home }));
  const ends: (number | null)[] = [];
  for (const { child } of started) child.once("exit", (code) => ends.push(code));
  await until("four were refused", async () => ends.length === 4);
  expect(ends).toEqual([73, 73, 73, 73]);
  const [winner] = started.filter(({ child }) => child.exitCode === null && child.signalCode === null);
  await until("the one announced itself", async () => existsSync(join(home, "daemon.json")));
  winner?.child.kill("SIGTERM");
  await until("it ended", async () => ends.length === 5);
  expect(ends.at(-1)).toBe(0);
});

test("after kill -9 the next start works at once, on what was acknowledged", async () => {
  const first = await withDaemon({ child: true });
  const { home } = first;
  const { id } = await first.api.createTask({ title: "Kept" });
  await first.kill();
  expect(existsSync(join(home, "daemon.json"))).toBe(true);
  const second = await withDaemon({ child: true, home });
  expect(second.pid).not.toBe(first.pid);
  expect((await second.api.task(id)).title).toBe("Kept");
  await second.stop();
  expect(existsSync(join(home, "daemon.json"))).toBe(false);
});

test("a second one in the same process is refused as well, and the first goes on", async () => {
  const first = await withDaemon();
  const config = {
    home: first.home,
    host: "127.0.0.1",
    port: 0,
    toolPath: [],
    tasksMax: 1,
    startPaused: false,
    retention: { succeededDays: 14, failedDays: 60, canceledDays: 14, layersDays: 30 },
    remotes: {},
    createPerMinute: 1,
    createPerHour: 1,
    logLevel: "silent",
  } as const;
  await expect(startDaemon(config, pino({ level: "silent" }))).rejects.toMatchObject({ code: "daemon/running" });
  expect((await first.api.health()).ok).toBe(true);
});

test("a port in use by another program is said, and the directory is free again", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const home = temporaryDirectory("port");
  const { child, output } = daemonChild({ home, port });
  const [code] = (await once(child, "close")) as [number | null];
  other.close();
  expect({ code, said: output.join("\n") }).toEqual({
    code: 69,
    said: expect.stringContaining(`port ${port} of 127.0.0.1 is in use by another program`),
  });
  const next = await withDaemon({ home });
  expect((await next.api.health()).ok).toBe(true);
});

test("what it keeps is readable by its owner only", async () => {
  const { home } = await withDaemon();
  expect(statSync(home).mode & 0o777).toBe(0o700);
  const open = readdirSync(home).filter((name) => (statSync(join(home, name)).mode & 0o077) !== 0);
  expect(open).toEqual([]);
});
