import { models } from "../../src/adapters/models/models.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Spent } from "../../src/domain/budget.ts";
import type { ModelPolicy } from "../../src/domain/model-policy.ts";
import { MODEL_POLICY_STREAM } from "../../src/domain/stream.ts";
import { createTaskLog } from "../../src/engine/task-log.ts";
import { startModelServer } from "../support/model-for-tests.ts";
import type { ModelServer, SeenRequest } from "../support/model-server.ts";
import { calls, type Scripted } from "../support/scripted-model.ts";
import { ADA, type Rig, startRig } from "./task-kit.ts";

/* Tasks of the built-in agent, whose model is a script behind real HTTP. */

/** What the provider takes for its key; nothing that AgentOS writes may hold it. */
export const KEY = "sk-test-4Zq+/7hJ 0pQ==&x";

export const FIRST: ModelPolicy = {
  any: { use: [{ provider: "loopback", model: "scripted", parameters: {} }], budget: {} },
};

/** Many tasks share the machine: what the first of them waits for comes after the others too. */
export const WAIT_MS = 150_000;

export interface Modelled {
  readonly rig: Rig;
  readonly server: ModelServer;
}

/** A system whose models are this server's; nobody has said yet which to use. */
export async function startModelled(
  answer: (request: SeenRequest) => Scripted | Promise<Scripted>,
  tasksMax = 4,
): Promise<Modelled> {
  const server = await startModelServer({ answer });
  const rig = await startRig(
    {
      models: models({
        endpoint: async () => ({
          kind: "openai-compatible",
          baseUrl: `${server.url}/v1`,
          key: async () => KEY,
          prices: {},
        }),
      }),
    },
    { tasksMax, waitMs: WAIT_MS },
  );
  return { rig, server };
}

/** As a person sets it for all their tasks. */
export async function setModels({ system: { store } }: Rig, policy: ModelPolicy): Promise<void> {
  await store.append({
    stream: MODEL_POLICY_STREAM,
    expected: (await store.latest(MODEL_POLICY_STREAM))?.seq ?? 0,
    events: [{ actor: ADA, atMs: 1, event: { type: "MODEL_POLICY_SET", body: { policy } } }],
    blobs: [],
    lease: null,
  });
}

/** A person's yes to spending more. */
export async function resumeWith({ system }: Rig, id: string, more: Partial<Spent>): Promise<void> {
  const resume = { type: "resume", by: ADA, outcome: null, reason: null, restart: false, moreMs: null, more } as const;
  await createTaskLog(system.store, systemClock).give(id, resume);
}

/** How many answers of the model stand before this request. */
export const turnOf = ({ messages }: SeenRequest): number => messages.filter(({ role }) => role === "assistant").length;
export const plans = ({ tools }: SeenRequest): boolean => tools.includes("submit_plan");
/** All that the model is told in this request. */
export const told = ({ messages }: SeenRequest): string => messages.map(({ text }) => text).join("\n\n");
export const titleOf = (request: SeenRequest): string => /^Task: (.*)$/m.exec(told(request))?.[1] ?? "";

export const item = (more: Readonly<Record<string, unknown>> = {}) => ({
  id: "say",
  title: "Say two",
  paths: ["a.txt"],
  commands: ["grep -q two a.txt"],
  risk: "low",
  ...more,
});
export const submits = (...items: readonly object[]) => calls(["submit_plan", { items }]);
export const EDITS = calls(["edit", { path: "a.txt", find: "one", replace: "two" }]);
export const FINISHES = calls(["finish_item", { summary: "done" }]);

/** Plans one item, does it, looks and says so. */
export function wellBehaved(request: SeenRequest): Scripted {
  if (plans(request)) return submits(item());
  return [EDITS, calls(["run", { command: "grep -q two a.txt" }])][turnOf(request)] ?? FINISHES;
}

/** Red while a.txt does not say two. */
export const GREEN = { gates: [{ id: "check", run: "grep -q two a.txt" }] };
