import { OpenAPIHono } from "@hono/zod-openapi";
import { describe, expect, test } from "vitest";
import { ADA, IN } from "../../../test/support/given-task.ts";
import { PROJECT, TASK } from "../../../test/support/given-views.ts";
import { inboxRoutes } from "./inbox-routes.ts";
import { policyRoutes } from "./policy-routes.ts";
import type { Surface } from "./surface.ts";

/** What these routes hand on to these use cases, and answer. */
async function posted(
  routes: (api: OpenAPIHono, surface: Surface) => void,
  cases: Readonly<Record<string, unknown>>,
  path: string,
  body: unknown,
) {
  const api = new OpenAPIHono();
  routes(api, { cases, person: ADA } as unknown as Surface);
  const answer = await api.request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe("an answer to what waits for a person", () => {
  const row = {
    id: TASK,
    title: "Mend it",
    session: "s",
    status: "queued",
    phase: "implementation",
    attempt: 1,
    blockReason: null,
    exitReason: null,
    priority: "normal",
    project: { id: PROJECT, name: "shop" },
    createdBy: "ada",
    createdAtMs: 0,
    updatedAtMs: 0,
    seq: 8,
  };
  const answered = async (task: string | null, said: unknown) => {
    const heard: unknown[] = [];
    const cases = {
      inbox: { show: async () => ({ task }), answer: async (...all: unknown[]) => void heard.push(all) },
      look: { task: async () => ({ task: IN.queued.task, row, before: [], metadata: null, budget: null }) },
    };
    return { heard, ...(await posted(inboxRoutes, cases, `/api/inbox/${TASK}/answer`, said)) };
  };

  test("that gives a task more reaches it in the units it is counted in, and nothing where nothing was said", async () => {
    const more = await answered(TASK, {
      answer: "more",
      seq: 7,
      reason: "nearly there",
      more_ms: 60_000,
      more: { tokens: 1_000, usd: 1.5 },
    });
    expect(more.heard).toEqual([
      [
        ADA,
        TASK,
        {
          seq: 7,
          answer: "more",
          reason: "nearly there",
          moreMs: 60_000,
          more: { tokens: 1_000, microdollars: 1_500_000 },
        },
      ],
    ]);
    expect([more.status, more.body]).toEqual([
      200,
      { id: TASK, task: expect.objectContaining({ id: TASK, status: "queued" }) },
    ]);
    expect((await answered(TASK, { answer: "more", seq: 7 })).heard).toEqual([
      [ADA, TASK, { seq: 7, answer: "more", reason: null, moreMs: null, more: {} }],
    ]);
  });

  test("that is no task's says of none how it stands", async () => {
    const { heard, status, body } = await answered(null, { answer: "approve", seq: 1 });
    expect([heard, status, body]).toEqual([
      [[ADA, TASK, { seq: 1, answer: "approve", reason: null }]],
      200,
      { id: TASK, task: null },
    ]);
  });
});

test("a decision is explained of a step that was, or of an act that could be", async () => {
  const decision = { step: null, verdict: "allow", rule: "r", policy: "p", set: "h", reason: "planned" } as const;
  const asked: unknown[] = [];
  const policies = {
    explainStep: async (...all: unknown[]) => {
      asked.push(["explainStep", ...all]);
      return { ...decision, step: "1.item-work.2" };
    },
    suppose: async (what: unknown) => {
      asked.push(["suppose", what]);
      return decision;
    },
  };
  const explained = (body: unknown) => posted(policyRoutes, { policies }, "/api/policy/explain", body);
  expect(await explained({ task: TASK, step: "1.item-work.2" })).toEqual({
    status: 200,
    body: { ...decision, step: "1.item-work.2" },
  });
  expect(await explained({ edit: "a.txt" })).toEqual({ status: 200, body: decision });
  expect(asked).toEqual([
    ["explainStep", TASK, "1.item-work.2"],
    [
      "suppose",
      {
        project: null,
        act: { edit: "a.txt" },
        network: [],
        phase: "implementation",
        runMode: "assisted",
        planned: true,
      },
    ],
  ]);
});
