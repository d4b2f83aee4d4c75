import { expect, test } from "vitest";
import type { ComparedView } from "../../contract/views.ts";
import { comparedLines } from "./compared-text.ts";

type One = ComparedView["items"][number];

const attempt = (id: string, more: Partial<One>): One => ({
  id,
  title: "Mend it",
  session: "s",
  status: "succeeded",
  phase: "verification",
  attempt: 1,
  priority: "normal",
  project: null,
  block_reason: null,
  exit_reason: "done",
  created_by: "ada",
  created_at: "2026-11-22T12:00:00.000Z",
  updated_at: "2026-11-22T12:00:00.000Z",
  seq: 1,
  agent: "script",
  spec: null,
  gates: [],
  change: null,
  worked_ms: 0,
  detail: null,
  delivered: false,
  superseded_by: null,
  ...more,
});
const gate = (verdict: "pass" | "fail", passed: number, findings: readonly string[] = []): One["gates"][number] => ({
  gate: "tests",
  on: "candidate",
  verdict,
  tree: "t",
  step: "s",
  counts: { passed, failed: 5 - passed, skipped: 0, todo: 0 },
  runs: 1,
  flaky: false,
  findings: [...findings],
});

test("attempts stand side by side, and below what stands against each", () => {
  const base = { ...gate("fail", 4), on: "base" as const };
  expect(
    comparedLines({
      items: [
        attempt("A", {
          delivered: true,
          gates: [base, gate("pass", 5)],
          change: { files: 2, lines_added: 10, lines_removed: 3 },
          worked_ms: 12_340,
        }),
        attempt("B", {
          status: "blocked",
          exit_reason: null,
          block_reason: "gates_exhausted",
          gates: [gate("fail", 4, ["npm test exited with 1"])],
          change: { files: 1, lines_added: 1, lines_removed: 0 },
          worked_ms: 900,
          detail: "tests failed",
        }),
        attempt("C", { status: "queued", exit_reason: null, agent: null }),
      ],
    }),
  ).toEqual([
    "ID  STATUS                   AGENT   GATES           CHANGE          WORKED",
    "A   succeeded, delivered     script  tests pass 5/5  2 files +10 -3  12.3 s",
    "B   blocked/gates_exhausted  script  tests fail 4/5  1 file +1 -0    0.9 s",
    "C   queued                   -       -               -               0.0 s",
    "B:",
    "  tests failed",
    "  tests: npm test exited with 1",
  ]);
});
