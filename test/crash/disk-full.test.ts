import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { askAt, until } from "../support/daemon.ts";
import { MEET_INSIDE, WITNESS_INSIDE } from "./boundaries.ts";
import { sentences } from "./checker/report.ts";
import { check } from "./checker.ts";
import { type Journey, openWorld, type Seen, signalling } from "./driver.ts";
import { delivered } from "./journeys.ts";
import { type SmallDisk, smallDisk } from "./small-disk.ts";

const top = mkdtempSync(join(tmpdir(), "agentos-disk-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

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

    const { json: list } = await askAt(world.url(), "GET", "/api/tasks");
    expect(list.items[0]).toMatchObject({ status: "blocked", waiting: { reason: "storage_full" } });
    // The room that was kept for saying so is taken too: reading still works, writing says why not, and nobody ends.
    fill(disk);
    expect((await askAt(world.url(), "GET", "/api/health")).json).toMatchObject({ ok: true });
    // Without inodes the database still has room, and so has whoever wants to write into it.
    if (what === "space") {
      const refused = await until("a write is refused", async () => {
        const answer = await askAt(world.url(), "POST", "/api/tasks", { body: { title: "one more" } });
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
