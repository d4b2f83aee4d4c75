import { type GateDefinition, NO_RERUN } from "../../src/domain/gate.ts";
import type { WorkItem } from "../../src/domain/plan.ts";
import { DEFAULT_LIMITS, type Spec } from "../../src/domain/spec.ts";

/** What a task is asked to do, whole and with nothing special about it. What a test is about, it says itself. */

export const specGiven = (more: Partial<Spec> = {}): Spec => ({
  format: 1,
  nonce: "n",
  title: "Mend it",
  intent: "It is broken.",
  criteria: [],
  constraints: [],
  scopes: [{ repo: "app", access: "full" }],
  gates: [],
  prepare: [],
  pinnedOn: {},
  agent: { kind: "none" },
  runMode: "assisted",
  expectsChange: true,
  includeDirty: false,
  attempts: 3,
  flaky: NO_RERUN,
  limits: DEFAULT_LIMITS,
  ...more,
});

export const itemGiven = (more: Partial<WorkItem> = {}): WorkItem => ({
  id: "work",
  title: "Do it",
  repo: "app",
  paths: [],
  commands: [],
  risk: "low",
  criterion: null,
  dependsOn: [],
  ...more,
});

export const gateGiven = (more: Partial<GateDefinition> = {}): GateDefinition => ({
  id: "tests",
  repo: "app",
  argv: ["npm", "test"],
  cwd: ".",
  judgement: "tests",
  runner: null,
  report: null,
  definition: [],
  program: null,
  timeoutMs: 1_000,
  environment: {},
  source: "detected",
  ...more,
});
