import { expect, test } from "vitest";
import { daemonLines } from "./daemon-text.ts";

const HEALTH = {
  ok: true,
  version: "1.2.3",
  pid: 7,
  started_at: "2026-11-22T12:00:00.000Z",
  home: "/data",
  sandbox: "bubblewrap",
  sandbox_problem: null,
  tasks: { queued: 0 },
  working: 0,
  inbox: 0,
  paused: null,
};
const running = (health: Partial<Parameters<typeof daemonLines>[0]["health"]>) =>
  daemonLines({ url: "http://127.0.0.1:8000", pid: 7, health: { ...HEALTH, ...health } });

test("a daemon with nothing to do says where it is", () => {
  expect(running({})).toEqual([
    "URL: http://127.0.0.1:8000",
    "PID: 7",
    "Data: /data",
    "Version: 1.2.3, since 2026-11-22 12:00:00",
    "Sandbox: bubblewrap",
    "Tasks: none; 0 being worked on",
    "Inbox: empty",
  ]);
});

test("one that is paused and has no sandbox says why, and what its tasks are", () => {
  const paused = { since: "2026-11-22T13:00:00.000Z", by: "ada", reason: "a release" };
  expect(
    running({
      sandbox: null,
      sandbox_problem: "bwrap is not installed",
      tasks: { queued: 2, running: 1, failed: 0 },
      working: 1,
      inbox: 3,
      paused,
    }).slice(4),
  ).toEqual([
    "Sandbox: none: bwrap is not installed",
    "Paused: since 2026-11-22 13:00:00 by ada (a release); no task is taken up until agentos daemon resume",
    "Tasks: 2 queued, 1 running; 1 being worked on",
    "Inbox: 3 waiting for you (agentos inbox)",
  ]);
  expect(running({ paused: { ...paused, reason: null } })[5]).toBe(
    "Paused: since 2026-11-22 13:00:00 by ada; no task is taken up until agentos daemon resume",
  );
});
