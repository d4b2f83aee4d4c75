import { expect, test } from "vitest";
import { checkDependencies } from "../crash/checker/dependencies.ts";
import { openDatabase, readJournal } from "../crash/checker/journal.ts";
import { compareWithTables, replay } from "../crash/checker/replay.ts";
import { newReport, sentences } from "../crash/checker/report.ts";
import { sampleRepo, waitForStatus, withDaemon } from "../support/daemon.ts";

/* Dependencies over HTTP, through a death of the daemon, judged afterwards without the product's own code. */

const GATES = { agent: "gates" as const, run_mode: "autonomous" as const, gates: [{ id: "check", run: "true" }] };

test("what a task waits for survives the death of the daemon, and the end of the other wakes it in the next life", async () => {
  const first = await withDaemon({ child: true });
  const { api, ask } = first;
  const project = (await api.projectOfPath({ path: sampleRepo("plain") })).project.id;
  const parser = await api.createTask({ title: "Mend the parser", project, ...GATES });
  const user = await api.createTask({ title: "Use it", project, ...GATES, requires: [parser.id] });
  for (const { id } of [parser, user]) await api.freezeTask(id);
  await api.readyTask(user.id);

  const circle = await ask("POST", `/api/tasks/${parser.id}/dependencies`, {
    body: { kind: "requires", other: user.id },
  });
  expect([circle.status, circle.json.code]).toEqual([409, "task/refused"]);
  expect(circle.json.facts.circle).toEqual([parser.id, user.id, parser.id]);
  expect(circle.json.detail).toContain(`${parser.id} → ${user.id} → ${parser.id}`);
  const waiting = {
    reason: "dependency",
    sentence: `It waits for task ${parser.id} (“Mend the parser”, draft) to succeed.`,
    next: `agentos task show ${parser.id}`,
  };
  expect(await api.task(user.id)).toMatchObject({
    status: "queued",
    waiting,
    dependencies: [
      {
        task: user.id,
        kind: "requires",
        other: parser.id,
        title: "Mend the parser",
        status: "draft",
        standing: "holds",
      },
    ],
  });

  const third = await api.createTask({ title: "Apart", project });
  expect(await api.addDependency(third.id, { kind: "suggests", other: user.id })).toMatchObject({
    dependencies: expect.arrayContaining([{ task: third.id, kind: "suggests", other: user.id }]),
  });
  expect((await api.removeDependency(third.id, { kind: "suggests", other: user.id })).dependencies).toEqual([]);
  await first.kill();

  const second = await withDaemon({ home: first.home, child: true });
  expect((await second.api.tasks({ status: "queued" })).items.map(({ id, waiting: told }) => [id, told])).toEqual([
    [user.id, waiting],
  ]);
  await second.api.readyTask(parser.id);
  await waitForStatus(second.api, user.id, ["succeeded"]);
  expect(await second.api.dependencies({ project })).toMatchObject({
    cut: false,
    dependencies: [{ task: user.id, kind: "requires", other: parser.id }],
  });
  await second.stop();

  const report = newReport();
  const database = openDatabase(first.home);
  if (database === null) throw new Error("there is no database");
  const events = readJournal(database, report);
  checkDependencies(database, events, report);
  for (const { id } of [parser, user, third])
    compareWithTables(
      database,
      replay(
        id,
        events.filter(({ stream }) => stream === `task/${id}`),
      ),
      report,
    );
  expect(sentences(report.findings)).toEqual([]);
  expect(report.counts["dependencies met"]).toBe(2);
  // Its own control: claims that came too early are found.
  const early = events.map((event) => (event.type === "COMPLETED" ? { ...event, type: "PAUSE_REQUESTED" } : event));
  checkDependencies(database, early, report);
  const tooEarly = expect.stringContaining("which it requires, had not succeeded");
  expect(sentences(report.findings)).toEqual([tooEarly, tooEarly]);
  database.close();
});
