import { expect, test } from "vitest";
import { specLines } from "./spec-text.ts";

const spec = {
  title: "Mend it",
  intent: "",
  criteria: [{ id: "tests", text: "It works", gate: "tests" }],
  constraints: [],
  gates: [{ id: "tests", repo: "app", argv: ["npm", "test"], judgement: "tests", program: null, source: "detected" }],
  prepare: [],
  pinnedOn: { app: "c".repeat(40) },
  agent: { kind: "script" },
  runMode: "assisted",
  includeDirty: false,
};
const frozen = (
  more: Partial<Record<keyof typeof spec | "models" | "budget" | "approvedCommands" | "mayChange", unknown>> = {},
) =>
  specLines({ version: 2, frozen: true, hash: "h".repeat(64), canonical: "{}", spec: { ...spec, ...more } as never });

test("a frozen spec says by what its criteria are proved", () => {
  expect(frozen()).toEqual([
    "spec: version 2, frozen as hhhhhhhhhhhh; agent script; run mode assisted",
    "gates of app pinned on cccccccccccc:",
    "  tests: npm test, judged by its tests",
    "1 acceptance criterion:",
    "  tests: It works",
  ]);
});

test("a frozen spec says all that a person agreed on", () => {
  expect(
    frozen({
      criteria: [
        { id: "a", text: "It works", gate: "tests" },
        { id: "b", text: "It is fast", gate: null },
      ],
      gates: [
        ...spec.gates,
        { id: "size", repo: "lib", argv: ["make", "size"], judgement: "exit", program: null, source: "named" },
        { id: "none", repo: "lib", argv: [], judgement: "exit", program: null, source: "detected" },
      ],
      prepare: [{ repo: "app", argv: ["npm", "ci"] }],
      pinnedOn: { app: "c".repeat(40), lib: "d".repeat(40) },
      agent: { kind: "none" },
      approvedCommands: ["npm *", "make"],
      models: {
        planning: {
          use: [
            { provider: "ollama", model: "a" },
            { provider: "openai", model: "b" },
          ],
        },
      },
      budget: { tokens: 100, microdollars: 1_500_000, turns: 3, ms: 7_200_000 },
      mayChange: ["tests", "ci"],
    }),
  ).toEqual([
    "spec: version 2, frozen as hhhhhhhhhhhh; agent none (no model and no agent is configured); run mode assisted",
    "model for planning: ollama/a, else openai/b",
    "budget: 100 tokens, 3 turns, 1.5000 USD, 2h",
    "commands approved in advance: npm *, make",
    "gates of app pinned on cccccccccccc:",
    "gates of lib pinned on dddddddddddd:",
    "  tests (app): npm test, judged by its tests",
    "  size (lib): make size, judged by its exit code",
    "  none (lib): no command: the repository has none, so nothing can prove the work (name one: --gate NAME='command')",
    "prepared with: npm ci",
    "the work may change: tests, ci",
    "2 acceptance criteria:",
    "  a: It works (proved by tests)",
    "  b: It is fast (no gate proves it)",
  ]);
  expect(frozen({ budget: { turns: 3 } })[1]).toBe("budget: 3 turns");
});

test("a draft has nothing agreed on yet", () =>
  expect(specLines({ version: 1, frozen: false, hash: null, canonical: null, spec: {} })).toEqual([
    "spec: version 1, a draft",
  ]));
