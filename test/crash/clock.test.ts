import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { auditStore } from "../../src/adapters/store/audit.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import { daemonChild } from "../support/daemon.ts";
import { MEET_INSIDE, WITNESS_INSIDE } from "./boundaries.ts";
import { compiled, hasCompiler } from "./c-compiler.ts";
import { openDatabase, readJournal } from "./checker/journal.ts";
import { newReport, sentences } from "./checker/report.ts";
import { check } from "./checker.ts";
import { type Journey, openWorld, signalling } from "./driver.ts";
import { looping } from "./journeys.ts";

const top = mkdtempSync(join(tmpdir(), "agentos-clock-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const HOUR = 3_600;
const RUN = `echo "$AGENTOS_TASK $AGENTOS_STEP $AGENTOS_RUN" >> ${WITNESS_INSIDE}; echo two > a.txt; m=${MEET_INSIDE}/$AGENTOS_TASK.$AGENTOS_STEP.$AGENTOS_RUN; : > $m.in; read -r go < $m.go`;

// Without a C compiler nobody can set a daemon's clock, and there is no such case.
const withCompiler = hasCompiler ? test : () => undefined;

withCompiler(
  "a clock that is set back and forth by hours while a task runs loses and doubles nothing, and changes no order",
  async () => {
    const directory = join(top, "clock");
    mkdirSync(directory);
    const clock = join(directory, "clock");
    const set = (hours: number): void => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(hours * HOUR));
      // The same file, the same page: the daemon sees the new number at its next look.
      writeFileSync(clock, bytes, { flag: hours === 0 ? "w" : "r+" });
    };
    set(0);
    const world = openWorld(directory, {
      codeCache: join(top, "code"),
      env: { LD_PRELOAD: compiled("jumping-clock", top), CLOCK_OFFSET: clock },
    });
    const jumps = [-5, 30, -400];
    const journey: Journey = {
      ...looping,
      name: "clock",
      spec: {
        ...looping.spec,
        plan: { items: [{ id: "say", title: "Say two", do: jumps.map(() => ({ run: RUN })) }] },
      },
      next(seen) {
        const jump = seen.middle ? jumps.shift() : undefined;
        if (jump !== undefined) set(jump);
        return looping.next(seen);
      },
    };
    const { deaths, findings, blocked } = await world.travel(journey, "clock", []);
    await world.close();
    expect({ deaths, findings, blocked, left: jumps }).toEqual({ deaths: 0, findings: [], blocked: [], left: [] });
    expect(sentences(check(directory, { stopped: true }).findings)).toEqual([]);
    expect((await auditStore(world.places.home, { seal })).findings).toEqual([]);

    // The clock did jump, and what happened next still comes after what happened before.
    const database = openDatabase(world.places.home);
    if (database === null) throw new Error("there is no database");
    const mine = readJournal(database, newReport()).filter(({ stream }) => stream.startsWith("task/"));
    database.close();
    const back = mine.filter(({ atMs }, at) => atMs < (mine[at - 1]?.atMs ?? 0) - HOUR * 1_000);
    expect(back.length).toBe(2);
    expect(mine.filter(({ type }) => type === "CLAIMED").map(({ body }) => body["epoch"])).toEqual([1, 2]);
    expect(readFileSync(world.places.log, "utf8")).toBe("");
  },
);

test("a daemon that was stopped for a while keeps its tasks: another one is refused meanwhile, and it goes on where it was", async () => {
  const directory = join(top, "stopped");
  mkdirSync(directory);
  const world = openWorld(directory, { codeCache: join(top, "code") });
  const middle = signalling();
  let may = false;
  const journey: Journey = {
    ...looping,
    name: "stopped",
    next(seen) {
      if (!seen.middle || may) return looping.next(seen);
      middle.ring();
      return { do: "wait" };
    },
  };
  const travelled = world.travel(journey, "stopped", []);
  await Promise.race([middle.rung, travelled]);
  const { pid, release, middle: waiting } = world.living();
  process.kill(pid, "SIGSTOP");
  const { child, output } = daemonChild({ home: world.places.home });
  const code = await new Promise((resolve) => child.once("close", resolve));
  // What the stopped one has to deal with when it wakes up.
  may = true;
  process.kill(pid, "SIGCONT");
  for (const name of [...waiting]) release(name);
  const { deaths, findings, blocked } = await travelled;
  await world.close();

  expect([code, output[0]]).toEqual([73, `agentos: a daemon is running on ${world.places.home} already`]);
  expect({ deaths, findings, blocked }).toEqual({ deaths: 0, findings: [], blocked: [] });
  const report = check(directory, { stopped: true });
  expect(sentences(report.findings)).toEqual([]);
  // The command once, the gate on base and candidate.
  expect(report.counts["witness lines"]).toBe(3);
});
