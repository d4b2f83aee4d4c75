import { expect, test } from "vitest";
import { HealthForm, TaskListForm } from "./first-forms.ts";
import { HealthView, TaskListView } from "./first-views.ts";

/* Each form is what its schema is: with any one thing in any one place of an answer, both take it or both say the same place. */

const AT = "2026-11-22T12:00:00.000Z";
const ROW = {
  id: "01KATASKAAAAAAAAAAAAAAAAAA",
  title: "Mend it",
  session: "s",
  status: "blocked",
  phase: "planning",
  attempt: 1,
  project: { id: "01KAPR0JECTAAAAAAAAAAAAAAA", name: "shop" },
  block_reason: "question",
  exit_reason: null,
  priority: "high",
  created_by: "ada",
  created_at: AT,
  updated_at: AT,
  seq: 7,
  waiting: { reason: "question", sentence: "It asks you something.", next: "agentos inbox" },
  stalled: false,
};
const LIST: TaskListView = TaskListView.parse({
  items: [ROW, { ...ROW, project: null, block_reason: null, waiting: null }],
  next: "cursor",
});
const HEALTH: HealthView = {
  ok: true,
  version: "1.2.3",
  pid: 4242,
  started_at: AT,
  home: "/data",
  sandbox: null,
  sandbox_problem: "bubblewrap is not installed",
  tasks: { draft: 1, running: 2 },
  working: 2,
  inbox: 1,
  paused: { since: AT, by: "ada", reason: null },
};

interface Form {
  safeParse(value: unknown): {
    readonly success: boolean;
    readonly data?: unknown;
    readonly error?: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] };
  };
}

const outcome = (form: Form, value: unknown): unknown => {
  const { success, data, error } = form.safeParse(value);
  return success ? data : { wrongAt: error?.issues[0]?.path.join(".") };
};

/** The value with each part of it replaced by each of these, left out, and with one member more. */
function* changed(value: unknown): Generator<unknown> {
  yield* [undefined, null, 7, "x", true, [], {}, Number.NaN];
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) for (const other of changed(one)) yield value.with(at, other);
    return;
  }
  yield { ...value, more: 1 };
  for (const [name, one] of Object.entries(value)) {
    const { [name]: _, ...less } = value as Record<string, unknown>;
    yield less;
    for (const other of changed(one)) yield { ...value, [name]: other };
  }
}

test.each<[string, Form, Form, unknown]>([
  ["a list of tasks", TaskListForm, TaskListView, LIST],
  ["the daemon's health", HealthForm, HealthView, HEALTH],
])("%s", (_, form, schema, value) => {
  expect(outcome(form, value)).toEqual(value);
  let refused = 0;
  for (const other of changed(value)) {
    const told = outcome(schema, other);
    expect(outcome(form, other), JSON.stringify(other)).toEqual(told);
    if (typeof told === "object" && told !== null && "wrongAt" in told) refused += 1;
  }
  expect(refused).toBeGreaterThan(80);
});
