import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type BetterSqlite3 from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import type { BlobRef } from "../../src/domain/blob.ts";
import { taskStream } from "../../src/domain/stream.ts";
import { offline } from "../../src/main/offline.ts";
import { gate, plan, repository, room, startRig } from "../integration/task-kit.ts";
import { program } from "../support/programs.ts";
import { behindTheBack } from "./behind-the-back.ts";
import { rowsAgain } from "./journal-rows.ts";

/* What was recorded of work that failed, made to say that it passed: A07. And the journal under a clock that is set back: A11. */

const NOW_MS = Date.UTC(2026, 10, 26);
const HOUR_MS = 3_600_000;

describe("A07: the evidence of a red task", () => {
  let home = "";
  let stream = "";
  /** Where the gate's exit code is recorded, and what its command and the step's said. */
  let seq = 0;
  let ended = 0;
  let small: BlobRef;
  let large: BlobRef;

  beforeAll(async () => {
    const rig = await startRig();
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("echo two > a.txt; seq 20000 | sed 's/^/line /'"),
      gates: [gate("echo '1 of 9 tests failed'; exit 1")],
      attempts: 1,
    });
    expect((await rig.until(id, "blocked", "failed", "succeeded")).status).not.toBe("succeeded");
    stream = taskStream(id);
    home = rig.home;
    for (const { seq: at, event } of await rig.events(id)) {
      if (event.type !== "STEP_COMPLETED" && event.type !== "STEP_FAILED") continue;
      for (const one of event.body.evidence) {
        if (one.kind !== "command") continue;
        const said = await rig.text(one.stdout);
        if (said.includes("line 7")) large = one.stdout;
        if (!said.includes("1 of 9 tests failed") || one.exitCode !== 1) continue;
        [seq, ended, small] = [at, ended + 1, one.stdout];
      }
    }
    expect(ended).toBeGreaterThan(0);
    await rig.stop();
  });

  const audited = async (place: string): Promise<readonly string[]> =>
    (await offline.auditVerify(place)).findings.map(({ stream: where, seq: at }) => `${where} #${at}`);

  /** The data directory of its own for one attempt. */
  function copied(): string {
    const place = join(room(), "home");
    cpSync(home, place, { recursive: true });
    return place;
  }

  const codeToZero = (sql: BetterSqlite3.Database): void => {
    const { changes } = sql
      .prepare(`UPDATE events SET body = replace(body, '"exitCode":1', '"exitCode":0') WHERE stream = ? AND seq = ?`)
      .run(stream, seq);
    expect(changes).toBe(1);
  };

  it("the control: untouched it is whole, and an edited exit code is what a reader without the chain is told", async () => {
    expect(await offline.auditVerify(home)).toMatchObject({ findings: [], backwards: [] });
    const place = copied();
    let told = "";
    behindTheBack(place, (sql) => {
      const read = sql.prepare("SELECT body FROM events WHERE stream = ? AND seq = ?").pluck();
      expect(String(read.get(stream, seq))).toContain('"exitCode":1');
      codeToZero(sql);
      told = String(read.get(stream, seq));
    });
    expect(told).toContain('"exitCode":0');
    expect(told).not.toContain('"exitCode":1');
  });

  it("with its exit code made 0 is found at its event, by exit code of the command line too", async () => {
    const place = copied();
    behindTheBack(place, codeToZero);
    expect(await audited(place)).toContain(`${stream} #${seq}`);
    const said = spawnSync(process.execPath, [program("product", "cli"), "audit", "verify"], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], AGENTOS_HOME: place, HOME: place },
    });
    expect([said.status === 0, said.stderr.includes(stream)]).toEqual([false, true]);
  });

  it("with its exit code made 0 and the chain of its task made right again is found by the order of all events", async () => {
    const place = copied();
    behindTheBack(place, (sql) => {
      codeToZero(sql);
      rowsAgain(sql, stream, seq, false);
    });
    expect(await audited(place)).toContain(`${stream} #${seq}`);
  });

  it("with the output of its gate edited in the database is found where it is named, and not handed out", async () => {
    const place = copied();
    behindTheBack(place, (sql) => {
      const read = sql.prepare("SELECT content FROM blobs WHERE digest = ?").pluck();
      const edited = Buffer.from(String(read.get(small.digest)).replace("1 of 9 tests failed", "9 of 9 tests passed"));
      expect(edited.toString()).toContain("9 of 9 tests passed");
      sql.prepare("UPDATE blobs SET content = ?, bytes = ? WHERE digest = ?").run(edited, edited.length, small.digest);
    });
    expect((await audited(place)).some((where) => where.startsWith(`${stream} #`))).toBe(true);
    const rig = await startRig({}, { home: place });
    await expect(rig.system.store.get(small)).rejects.toMatchObject({ code: "store/corrupt" });
    await rig.stop();
  });

  it("with an output edited that lies in a file is found where it is named", async () => {
    const place = copied();
    const file = join(place, "blobs", large.digest.slice(0, 2), large.digest);
    const bytes = readFileSync(file);
    bytes[bytes.length - 2] = "x".charCodeAt(0);
    writeFileSync(file, bytes);
    expect((await audited(place)).some((where) => where.startsWith(`${stream} #`))).toBe(true);
  });
});

describe("A11: a clock that is set back while a task runs", () => {
  it("the order is kept, the task is done, and an audit tells of the place without a finding", async () => {
    let offset = 0;
    let passed = 0;
    // A millisecond with each look.
    const rig = await startRig({ clock: { nowMs: () => NOW_MS + offset + passed++ } });
    rig.system.store.onAppended(({ recorded: { event } }) => {
      if (event.type === "PLAN_APPROVED") offset = -5 * HOUR_MS;
    });
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("touch done"),
      gates: [gate("test -f done")],
    });
    expect((await rig.until(id, "succeeded", "blocked", "failed")).status).toBe("succeeded");
    const events = await rig.events(id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
    const back = events.find(({ atMs }, at) => atMs < (events[at - 1]?.atMs ?? 0));
    // The control: by their times alone the approval would come after what it allowed.
    expect(events.toSorted((one, other) => one.atMs - other.atMs).map(({ seq }) => seq)).not.toEqual(
      events.map(({ seq }) => seq),
    );
    const told = (await rig.system.cases.look.since(0, 10_000)).filter(({ stream }) => stream === taskStream(id));
    expect(told.map(({ recorded }) => recorded.seq)).toEqual(events.map(({ seq }) => seq));
    await rig.stop();
    const { findings, backwards } = await offline.auditVerify(rig.home);
    expect(findings).toEqual([]);
    expect(backwards).toContainEqual({
      stream: taskStream(id),
      seq: back?.seq,
      ms: expect.closeTo(5 * HOUR_MS, -4),
    });
  });
});
