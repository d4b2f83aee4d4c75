import { expect, test } from "vitest";
import type { Context } from "../../src/interfaces/cli/context.ts";
import { followLive } from "../../src/interfaces/cli/live.ts";
import { connect } from "../../src/interfaces/client/client.ts";
import { sampleRepo, type TestDaemon, until, withDaemon } from "../support/daemon.ts";

/** A person's terminal in front of a daemon that may be another one later. */
function terminal(daemonNow: () => TestDaemon | null) {
  const said = { lines: [] as string[], notes: [] as string[] };
  const interrupt = new AbortController();
  const api = connect(async () => daemonNow()?.url ?? "http://127.0.0.1:9");
  const context = {
    api,
    signal: interrupt.signal,
    daemon: { find: async () => daemonNow() },
    out: {
      json: false,
      result: (data: unknown, lines: (data: unknown) => readonly string[]) => void said.lines.push(...lines(data)),
      note: (...lines: readonly string[]) => void said.notes.push(...lines),
      bytes: () => undefined,
    },
  } as unknown as Context;
  return { api, context, said, interrupt };
}

const COUNTS = "for i in 1 2 3 4 5; do echo line-$i; sleep 0.2; done; printf 'ü without end'";

test("whoever is attached sees each event once and all that steps put out, over a killed daemon and a new one", async () => {
  let daemon: TestDaemon | null = await withDaemon({ child: true });
  const { api, context, said, interrupt } = terminal(() => daemon);
  const { project } = await api.projectOfPath({ path: sampleRepo("plain") });
  const { id } = await api.createTask({
    title: "Count",
    project: project.id,
    run_mode: "autonomous",
    plan: { items: [{ id: "count", title: "Count", do: [{ run: "echo before" }, { run: COUNTS }] }] },
    agent: "script",
    gates: [{ id: "check", run: "true" }],
    expects_change: false,
  });
  await api.freezeTask(id);
  await api.readyTask(id);

  const early = terminal(() => daemon);
  const detached = followLive(early.context, id, { after: 0, events: true, step: null });
  const attached = followLive(context, id, { after: 0, events: true, step: null });
  await until("both see the step at work", async () =>
    [said, early.said].every(({ lines }) => lines.includes("line-1")),
  );
  early.interrupt.abort();
  expect((await detached).exit).toBe(130);
  expect((await api.task(id)).status).toBe("running");

  const { home } = daemon;
  const killed = daemon;
  daemon = null;
  await killed.kill();
  await until("the terminal says that it waits", async () => said.notes.some((note) => note.includes("waiting until")));
  daemon = await withDaemon({ child: true, home });

  const { task, exit } = await attached;
  expect([task.status, exit, interrupt.signal.aborted]).toEqual(["succeeded", 0, false]);
  const events = (await api.taskEvents(id, 0, 1_000)).items;
  const told = said.notes.filter((note) => !note.includes("waiting until"));
  expect(told).toEqual(events.map(({ at, sentence }) => `${at.slice(11, 19)}  ${sentence}`));
  expect(said.lines[0]).not.toBe("line-1");
  expect(said.lines).toContain("before");
  // The step that died with the daemon ran once more: its first run's part, then the whole.
  const whole = [...Array.from({ length: 5 }, (_, i) => `line-${i + 1}`), "ü without end"];
  expect(said.lines.join("\n")).toContain(whole.join("\n"));

  const late = terminal(() => daemon);
  expect((await followLive(late.context, id, { after: 0, events: false, step: null })).exit).toBe(0);
  expect(late.said.notes).toEqual([]);
  expect(late.said.lines.join("\n")).toContain(whole.join("\n"));
});
