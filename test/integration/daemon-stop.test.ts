import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  git,
  sampleRepo,
  type TestDaemon,
  temporaryDirectory,
  until,
  waitForStatus,
  withDaemon,
} from "../support/daemon.ts";

/* A daemon that is asked to stop puts down what it holds; the next one goes on with it. */

const STOPS_WITHIN_MS = 10_000;

/** A finished step, then one that takes longer than any test. */
const LONG = {
  items: [
    { id: "first", title: "Note", do: [{ write: "NOTE", content: "noted\n" }] },
    { id: "long", title: "Wait", depends_on: ["first"], do: [{ run: ["sh", "-c", "echo begun; sleep 600"] }] },
  ],
};

async function longTask({ api }: TestDaemon): Promise<string> {
  const { project } = await api.projectOfPath({ path: sampleRepo("green") });
  const { id } = await api.createTask({ title: "Long", project: project.id, run_mode: "autonomous", plan: LONG });
  await api.freezeTask(id);
  await api.readyTask(id);
  await until("its long command runs", async () =>
    (await api.logs(id)).items.some(({ stdout }) => stdout.includes("begun")),
  );
  return id;
}

const WAYS: readonly (readonly [string, (daemon: TestDaemon) => Promise<void>])[] = [
  [
    "POST /api/daemon/stop",
    async (daemon) =>
      expect(await daemon.ask("POST", "/api/daemon/stop")).toMatchObject({ status: 200, json: { ok: true } }),
  ],
  ["SIGTERM", async (daemon) => void process.kill(daemon.pid, "SIGTERM")],
  ["SIGINT", async (daemon) => void process.kill(daemon.pid, "SIGINT")],
];

test.each(WAYS)(
  "%s in the middle of a long command: it ends soon, the task is queued again, and the next start goes on",
  async (_, ask) => {
    const first = await withDaemon({ child: true });
    const { home } = first;
    const id = await longTask(first);
    const before = await first.api.taskEvents(id, 0, 1_000);
    const begun = performance.now();
    await ask(first);
    await until("its process is gone", async () => !existsSync(`/proc/${first.pid}/fd`), STOPS_WITHIN_MS * 2);
    expect(performance.now() - begun).toBeLessThan(STOPS_WITHIN_MS);
    expect(existsSync(join(home, "daemon.json"))).toBe(false);

    const second = await withDaemon({ child: true, home, config: { tasksMax: 1 } });
    await until("its long command runs again", async () => {
      const task = await second.api.task(id);
      return task.status === "running" && task.open_step?.doing.includes("sleep") === true && task.open_step.run === 2;
    });
    const { items } = await second.api.taskEvents(id, 0, 1_000);
    expect(items.slice(0, before.items.length)).toEqual(before.items);
    const types = items.slice(before.items.length).map(({ type }) => type);
    expect(types.slice(0, 2)).toEqual(["STEP_LOST", "QUEUED"]);
    // What was finished before is not done again.
    expect(
      items.filter(({ type, body }) => type === "STEP_STARTED" && JSON.stringify(body).includes("NOTE")),
    ).toHaveLength(1);
    expect(items.some(({ type }) => type === "FAILED" || type === "BLOCKED")).toBe(false);
    await second.api.cancelTask(id, {});
    await waitForStatus(second.api, id, ["canceled"]);
    await until("nothing it started is left", async () => (await second.api.health()).working === 0);
  },
);

test("stopping is answered, also to many who ask at once, and a daemon without work is gone at once", async () => {
  const daemon = await withDaemon({ child: true });
  const answers = await Promise.all(
    Array.from({ length: 5 }, () =>
      daemon.ask("POST", "/api/daemon/stop").then(
        ({ status, text }) => ({ status, text }),
        (error: NodeJS.ErrnoException) => error.code,
      ),
    ),
  );
  // Whoever comes after the first may find the door closed; nobody is left without either.
  expect(answers[0]).toEqual({ status: 200, text: '{"ok":true}' });
  for (const answer of answers)
    expect([{ status: 200, text: '{"ok":true}' }, "ECONNRESET", "ECONNREFUSED"]).toContainEqual(answer);
  await until("its process is gone", async () => !existsSync(`/proc/${daemon.pid}/fd`));
});

test("what was acknowledged before SIGTERM is there, however many were writing", async () => {
  const first = await withDaemon({ child: true });
  const { home } = first;
  const made: string[] = [];
  let stopping = false;
  const writers = Array.from({ length: 10 }, async (_, index) => {
    while (!stopping) {
      const answer = await first.ask("POST", "/api/tasks", { body: { title: `Writer ${index}` } }).catch(() => null);
      if (answer === null) return;
      expect(answer.status).toBe(201);
      made.push(answer.json.id);
      if (made.length === 60) {
        stopping = true;
        process.kill(first.pid, "SIGTERM");
      }
    }
  });
  await Promise.all(writers);
  await first.stop();
  const second = await withDaemon({ home });
  for (const id of made) expect((await second.api.task(id)).status).toBe("draft");
});

test("port 0 takes a free one and says which", async () => {
  const home = temporaryDirectory("port");
  const daemon = await withDaemon({ home });
  expect(JSON.parse(readFileSync(join(home, "daemon.json"), "utf8"))).toMatchObject({
    pid: process.pid,
    url: daemon.url,
  });
  expect(Number(new URL(daemon.url).port)).toBeGreaterThan(0);
});

test("a person's repository is as it was, after all of that", async () => {
  const path = sampleRepo("red");
  const refs = git(path, "for-each-ref");
  const daemon = await withDaemon();
  await daemon.api.projectOfPath({ path });
  await daemon.stop();
  expect(git(path, "for-each-ref")).toBe(refs);
  expect(git(path, "status", "--porcelain")).toBe("");
});
