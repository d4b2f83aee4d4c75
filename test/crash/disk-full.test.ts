import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { askAt, until } from "../support/daemon.ts";
import { MEET_INSIDE, WITNESS_INSIDE } from "./boundaries.ts";
import { sentences } from "./checker/report.ts";
import { check } from "./checker.ts";
import { type Journey, openWorld, type Seen, signalling } from "./driver.ts";
import { delivered } from "./journeys.ts";
import { beginLife, type Life } from "./life.ts";
import { type SmallDisk, smallDisk } from "./small-disk.ts";

const top = mkdtempSync(join(tmpdir(), "agentos-disk-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const DAEMON = fileURLToPath(new URL("../../src/main/daemon-program.ts", import.meta.url));
const MIB = 1024 ** 2;
const WITNESS = `echo "$AGENTOS_TASK $AGENTOS_STEP $AGENTOS_RUN" >> ${WITNESS_INSIDE}`;
const MEET = `m=${MEET_INSIDE}/$AGENTOS_TASK.$AGENTOS_STEP.$AGENTOS_RUN; : > $m.in; read -r go < $m.go`;

/** Writes, runs a command that waits in its middle and then needs space, and writes again. */
const needy = (inTheMiddle: () => void, blocked: (seen: Seen) => void): Journey => ({
  ...delivered,
  name: "needy",
  spec: {
    ...delivered.spec,
    plan: {
      items: [
        {
          id: "say",
          title: "Say two",
          do: [
            { run: `${WITNESS}; ${MEET}; i=0; while [ $i -lt 40 ]; do echo $i > made.$i || exit 1; i=$((i+1)); done` },
            { write: "a.txt", content: "two\n" },
          ],
        },
      ],
    },
  },
  next(seen) {
    if (seen.middle) {
      inTheMiddle();
      return { do: "release" };
    }
    if (seen.status === "blocked") {
      blocked(seen);
      return { do: "wait" };
    }
    return { do: seen.status === "succeeded" || seen.status === "failed" ? "over" : "wait" };
  },
});

describe.each([
  ["space", (disk: SmallDisk) => disk.fill()],
  ["inodes", (disk: SmallDisk) => disk.fillInodes()],
] as const)("when the disk of the data directory has no %s left", (what, fill) => {
  test("the daemon lives and answers, the task waits as storage_full and goes on by itself when there is room", async () => {
    const directory = join(top, what);
    mkdirSync(directory);
    const disk = await smallDisk(join(directory, "home"), { bytes: 48 * MIB, inodes: 6_000 });
    const world = openWorld(directory, { codeCache: join(top, "code"), within: disk.enter });
    const waits = signalling();
    let filled = false;
    const travelled = world.travel(
      needy(
        () => {
          if (!filled) fill(disk);
          filled = true;
        },
        () => waits.ring(),
      ),
      "needy",
      [],
    );
    await Promise.race([waits.rung, travelled]);

    const { json: list } = await askAt(world.living().url, "GET", "/api/tasks");
    expect(list.items[0]).toMatchObject({ status: "blocked", waiting: { reason: "storage_full" } });
    // The room that was kept for saying so is taken too: reading still works, writing says why not, and nobody ends.
    fill(disk);
    expect((await askAt(world.living().url, "GET", "/api/health")).json).toMatchObject({ ok: true });
    // Without inodes the database still has room, and so has whoever wants to write into it.
    if (what === "space") {
      const refused = await until("a write is refused", async () => {
        const answer = await askAt(world.living().url, "POST", "/api/tasks", { body: { title: "one more" } });
        return answer.status < 300 ? null : answer;
      });
      expect(refused).toMatchObject({ status: 507, json: { code: "store/full" } });
    }
    disk.free();

    const { findings, blocked } = await travelled;
    await world.close();
    await disk.close();
    expect(findings).toEqual([]);
    expect(new Set(blocked)).toEqual(new Set(["storage_full"]));
    const report = check(directory, { stopped: true });
    expect(sentences(report.findings)).toEqual([]);
    expect(report.counts["completed steps"]).toBeGreaterThan(3);
  });
});

test("a daemon that starts on a read-only disk says so in one sentence; on a full one it starts, and answers", async () => {
  const directory = join(top, "starts");
  mkdirSync(directory);
  const home = join(directory, "home");
  const disk = await smallDisk(home, { bytes: 48 * MIB, inodes: 6_000 });
  const begin = async (): Promise<Life> => {
    const life = await beginLife(directory, {
      dieAt: null,
      codeCache: join(top, "code"),
      changed: () => undefined,
      within: disk.enter,
    });
    if (life === null) throw new Error("it died");
    return life;
  };
  await (await begin()).stop();

  disk.remount("ro");
  const [program = "", ...args] = [...disk.enter, process.execPath, DAEMON];
  const { status, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", HOME: directory, AGENTOS_HOME: home, AGENTOS_PORT: "0" },
  });
  expect([status, stderr.split("\n")[0]]).toEqual([
    69,
    `agentos: nothing can be written into the data directory ${home}: its file system is mounted read-only`,
  ]);
  disk.remount("rw");

  disk.fill();
  const life = await begin();
  expect((await askAt(life.url, "GET", "/api/health")).json).toMatchObject({ ok: true });
  await life.stop();
  disk.free();
  await disk.close();
  expect(sentences(check(directory, { stopped: true }).findings)).toEqual([]);
});
