import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { gate, plan, repository, startRig } from "../integration/task-kit.ts";
import { until } from "../support/daemon.ts";
import { compiled, hasCompiler } from "./c-compiler.ts";
import { sentences } from "./checker/report.ts";
import { check } from "./checker.ts";
import { type Journey, openWorld, signalling } from "./driver.ts";
import { looping } from "./journeys.ts";

const top = mkdtempSync(join(tmpdir(), "agentos-sync-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const CREATIONS = 5;

// Where there is no C compiler there is no such case; the other test of this file is everywhere.
const withCompiler = hasCompiler ? test : () => undefined;

withCompiler(
  "when the journal cannot be made durable, nothing is acknowledged, the daemon says so and ends, and the next one goes on",
  async () => {
    const directory = join(top, "world");
    mkdirSync(directory);
    const fails = join(directory, "fails");
    const broken = signalling();
    const world = openWorld(directory, {
      codeCache: join(top, "code"),
      mayEndBy: "exit 74",
      env: { LD_PRELOAD: compiled("failing-sync", top), FAIL_SYNC_WHILE: fails, FAIL_SYNC_OF: "/agentos.db-wal" },
      afterDeath: (places) => {
        rmSync(fails);
        return sentences(check(places.directory, { stopped: false }).findings);
      },
    });
    const journey: Journey = {
      ...looping,
      name: "synced",
      next(seen) {
        if (!seen.middle || seen.count("STEP_LOST") > 0) return looping.next(seen);
        if (!existsSync(fails)) writeFileSync(fails, "");
        broken.ring();
        return { do: "wait" };
      },
    };
    const travelled = world.travel(journey, "synced", []);
    await Promise.race([broken.rung, travelled]);
    const url = world.living().url;
    const answers = await Promise.all(
      Array.from({ length: CREATIONS }, (_, at) =>
        fetch(`${url}/api/tasks`, {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": `unsure-${at}` },
          body: JSON.stringify({ title: "unsure", session: `unsure-${at}` }),
        }).then(
          ({ status }) => status,
          () => "no answer",
        ),
      ),
    );
    const { deaths, findings } = await travelled;
    await world.close();

    expect(answers.filter((answer) => typeof answer === "number" && answer < 400)).toEqual([]);
    expect({ deaths, findings }).toEqual({ deaths: 1, findings: [] });
    expect(readFileSync(world.places.log, "utf8")).toContain(
      "nothing can be made durable any more; the daemon ends, and the next start recovers",
    );
    const report = check(directory, { stopped: true });
    expect(sentences(report.findings)).toEqual([]);
    expect(report.counts["deaths"]).toBe(1);
  },
);

test("when content cannot be made durable, the daemon is told to end, and no word is written about the task that needed it", async () => {
  let breaks = false;
  const told = signalling();
  const rig = await startRig({
    store: (store) => ({
      ...store,
      async stage(bytes) {
        if (!breaks) return store.stage(bytes);
        told.ring();
        throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO" });
      },
    }),
  });
  const id = await rig.queued(await rig.project(repository()), { ...plan("echo two > a.txt"), gates: [gate("true")] });
  await rig.until(id, "awaiting_approval");
  breaks = true;
  await rig.system.cases.answer.approve({ kind: "person", name: "ada" }, id, {
    plan: (await rig.task(id)).plan?.hash ?? "",
    spec: null,
    item: null,
    reason: null,
  });
  await told.rung;
  await until("the daemon is told to end", async () => rig.warnings.length > 0);
  expect(rig.warnings).toEqual(["fatal: Error: EIO: i/o error, fsync"]);
  expect((await rig.task(id)).status).toBe("running");
});
