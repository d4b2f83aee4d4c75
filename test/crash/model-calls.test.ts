import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startModelServer } from "../support/model-for-tests.ts";
import type { ModelServer, SeenRequest } from "../support/model-server.ts";
import { seeded } from "../support/sample.ts";
import { calls, type Scripted } from "../support/scripted-model.ts";
import type { DieAt } from "./boundaries.ts";
import { openDatabase, readJournal } from "./checker/journal.ts";
import { newReport, sentences } from "./checker/report.ts";
import { check } from "./checker.ts";
import { type Journey, openWorld } from "./driver.ts";
import { deliver, GATE, over, WITNESS, whole } from "./journeys.ts";

/*
 * A task of the built-in agent whose daemon is killed again and again, with its model in this process, which counts what it is asked. By
 * default it dies at a seeded part of the points; with AGENTOS_CRASH=full at every one of them.
 */
const FULL = process.env["AGENTOS_CRASH"] === "full";
const LOOK = `${WITNESS}; cat a.txt`;

/** Plans, fails its gate, is told why, gets there; delivered. */
const modelled: Journey = {
  name: "modelled",
  makeRepository: whole.makeRepository,
  spec: { agent: "builtin", run_mode: "autonomous", gates: [GATE], attempts: 2 },
  next: (seen) => (seen.status === "succeeded" ? deliver(seen) : over(seen)),
};

function answer({ messages, tools }: SeenRequest): Scripted {
  const item = { id: "say", title: "Say two", paths: ["a.txt"], commands: [LOOK], risk: "low" };
  if (tools.includes("submit_plan")) return calls(["submit_plan", { items: [item] }]);
  const turn = messages.filter(({ role }) => role === "assistant").length;
  const second = messages.some(({ text }) => text.includes("not ok 1 - a.txt says two"));
  const [find, replace] = second ? ["three", "two"] : ["one", "three"];
  const turns = [calls(["edit", { path: "a.txt", find, replace }]), calls(["run", { command: LOOK }])];
  return turns[turn] ?? calls(["finish_item", { summary: "done" }]);
}

/** One life after the other dies `where` for as long as the task lasts. What came of it, and what the model was asked. */
async function travel(deaths: readonly DieAt[]) {
  const directory = mkdtempSync(join(tmpdir(), "agentos-crash-"));
  const server = await startModelServer({ answer });
  const world = openWorld(directory, {
    codeCache: join(directory, "code"),
    env: { AGENTOS_TEST_MODEL_URL: server.url },
    afterDeath: ({ directory: dead }) => sentences(check(dead, { stopped: false }).findings),
  });
  try {
    const travelled = await world.travel(modelled, "modelled", deaths);
    await world.close();
    const findings = [...travelled.findings, ...sentences(check(directory, { stopped: true }).findings)];
    const told = {
      deaths: travelled.deaths,
      blocked: travelled.blocked,
      findings,
      ...counted(server),
      ...journal(directory),
    };
    rmSync(directory, { recursive: true, force: true });
    return told;
  } finally {
    await world.close();
    await server.close();
  }
}

function counted({ requests }: ModelServer) {
  const times = new Map<string, number>();
  for (const { body } of requests) times.set(JSON.stringify(body), (times.get(JSON.stringify(body)) ?? 0) + 1);
  return { requests: requests.length, mostOfOne: Math.max(...times.values()) };
}

/** Of the model's steps in the journal: how many were finished, how many of their runs were lost, and how the task ended. */
function journal(directory: string) {
  const database = openDatabase(join(directory, "home"));
  if (database === null) throw new Error("there is no database");
  try {
    const events = readJournal(database, newReport());
    const isModel = new Set<unknown>();
    const count = { finished: 0, lost: 0, ends: "" };
    for (const { type, body } of events) {
      if (type === "STEP_STARTED" && body["act"].kind === "model") isModel.add(body["step"]);
      if (type === "STEP_COMPLETED" && isModel.has(body["step"])) count.finished += 1;
      if (type === "STEP_LOST" && isModel.has(body["step"])) count.lost += 1;
      if (type === "DELIVERED") count.ends = "delivered";
    }
    return count;
  } finally {
    database.close();
  }
}

const LIVES_MAX = 60;
/** Steps between two deaths: the least in the full test, up to `most` in the other. */
function deathsAt(name: string, least: number, most: number, seed: number): readonly DieAt[] {
  const next = seeded(seed);
  return Array.from({ length: LIVES_MAX }, (_, n) => ({
    name,
    nth: FULL ? (n === 0 ? 1 : least) : least + Math.floor(next() * (most - least + 1)),
  }));
}

test("killed after each finished step, it asks its model for each of them exactly once", {
  timeout: 600_000,
}, async () => {
  const { deaths, requests, mostOfOne, finished, ...rest } = await travel(
    deathsAt("after task: STEP_COMPLETED", 1, 8, 4),
  );
  expect(rest).toEqual({ blocked: [], findings: [], lost: 0, ends: "delivered" });
  expect({ requests, mostOfOne }).toEqual({ requests: finished, mostOfOne: 1 });
  expect(deaths).toBeGreaterThan(FULL ? 20 : 2);
});

test("killed between a model's answer and its record, it asks once more, and the journal has the lost call", {
  timeout: 600_000,
}, async () => {
  // Each life first finishes what the one before it lost.
  const { deaths, requests, mostOfOne, finished, lost, ...rest } = await travel(
    deathsAt("before task: STEP_COMPLETED", 2, 9, 9),
  );
  expect(rest).toEqual({ blocked: [], findings: [], ends: "delivered" });
  expect(requests).toBe(finished + lost);
  expect(mostOfOne).toBe(2);
  expect(lost).toBeGreaterThan(FULL ? 6 : 0);
  expect(deaths).toBeGreaterThan(FULL ? 20 : 2);
});
