import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testAgent } from "../support/acp-kit.ts";
import {
  approve,
  sampleRepo,
  temporaryDirectory,
  toolPath,
  until,
  waitForStatus,
  withDaemon,
} from "../support/daemon.ts";
import { checkContents, checkEvidence, contents } from "./checker/evidence.ts";
import { openDatabase, readJournal } from "./checker/journal.ts";
import { newReport, sentences } from "./checker/report.ts";
import { checkTurns } from "./checker/turns.ts";
import { placesIn } from "./places.ts";

/*
 * The turn of a foreign agent and a daemon that is killed in the middle of it. What happens inside a turn is not ours to replay: what it
 * left is kept under a rescue and undone, its home is dropped, and the agent is told that its turn was lost.
 */

const alive = (mark: string): boolean =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(mark);
      } catch {
        return false; // It ended between listing and reading.
      }
    });

test("a daemon killed in the middle of a turn leaves no process, and the next one undoes it and has it taken again: nothing lost, nothing doubled", async () => {
  const mark = `turn-of-${process.pid}`;
  const command = await testAgent();
  const repo = sampleRepo("plain");
  const places = placesIn(temporaryDirectory("turn"));
  mkdirSync(places.home);
  const first = await withDaemon({ home: places.home, child: true });
  const { id: project } = await first.api.createProject({
    name: "turns",
    repos: [{ path: repo, tool_path: [...toolPath()] }],
  });
  const created = await first.api.createTask({
    title: "A turn that dies",
    intent: `!write once.txt first\n!self half.txt half\n!fork ${mark}\n!hang-once\n!self whole.txt whole`,
    project,
    agent: { kind: "acp", command: [...command] },
    gates: [{ id: "check", run: "test -e once.txt && test -e whole.txt" }],
  });
  await first.api.freezeTask(created.id);
  await first.api.readyTask(created.id);
  await waitForStatus(first.api, created.id, ["awaiting_approval"]);
  await approve(first.api, created.id);
  const epochs = (): readonly string[] =>
    readdirSync(join(first.home, "workspaces", created.id))
      .filter((name) => /^\d+$/.test(name))
      .sort((a, b) => Number(a) - Number(b));
  /** In the workspace of the newest epoch. */
  const at = (path: string): string => {
    const place = join(first.home, "workspaces", created.id, epochs().at(-1) ?? "");
    return join(place, readdirSync(place).find((name) => !name.startsWith(".")) ?? "", path);
  };
  await until("the middle of the turn", async () => (alive(mark) && existsSync(at("half.txt")) ? true : null));
  await first.kill();
  await until("the end of all it forked", async () => (alive(mark) ? null : true));

  const second = await withDaemon({ home: first.home, child: true });
  await waitForStatus(second.api, created.id, ["succeeded"]);
  const { items } = await second.api.taskEvents(created.id, 0, 500);
  const lost = items.filter(({ type }) => type === "STEP_LOST");
  expect(lost).toHaveLength(1);
  expect(lost.map(({ body }) => Object.keys((body as { rescued: object }).rescued).length)).toEqual([1]);
  // Asked for once in the run that died and once in the run that counts; the file is there once.
  expect(items.filter(({ type }) => type === "TURN_ACTED")).toHaveLength(2);
  expect(readFileSync(at("half.txt"), "utf8")).toBe("half\n");
  expect(readFileSync(at("whole.txt"), "utf8")).toBe("whole\n");
  const homes = readdirSync(join(second.home, "homes", created.id));
  expect(homes.some((name) => name.endsWith(".2"))).toBe(true);
  const memory = readFileSync(
    join(second.home, "homes", created.id, homes.find((name) => name.endsWith(".2")) ?? "", "memory.json"),
    "utf8",
  );
  // The prompt of the turn that was lost is in no home: the next run began from the one before it.
  expect((JSON.parse(memory) as { prompts: string[] }).prompts).toHaveLength(2);
  expect(memory).toContain("Your last turn was lost");
  await second.stop();

  const database = openDatabase(places.home);
  if (database === null) throw new Error("there is no database");
  try {
    const report = newReport();
    const events = readJournal(database, report).filter(({ stream }) => stream === `task/${created.id}`);
    const read = contents(database, places, report);
    for (const event of events) checkContents(event, read);
    checkEvidence(created.id, events, places, read, report);
    checkTurns(events, read, report);
    expect(sentences(report.findings)).toEqual([]);
    expect(report.counts).toMatchObject({ "acts of turns": 2 });
    // What the checker is for: an act that nobody has, and one that is told of twice.
    const without = newReport();
    checkTurns(
      events.filter(({ type }) => type !== "TURN_ACTED"),
      read,
      without,
    );
    expect(sentences(without.findings).join()).toContain("says 1 acts, the journal has 0");
    const twice = newReport();
    checkTurns(
      events.flatMap((event) => (event.type === "TURN_ACTED" ? [event, event] : [event])),
      read,
      twice,
    );
    expect(sentences(twice.findings).join()).toContain("act 1 of 1.item-work.1.1 comes after 1");
  } finally {
    database.close();
  }
});
