import { z } from "zod";
import type { SpecView } from "../../contract/views.ts";
import { amountText } from "./amount-text.ts";
import { argvText } from "./argv-text.ts";
import { count, short } from "./columns.ts";
import { field } from "./escape.ts";

/** What a person wants to see of a frozen spec. Its whole is in `task show --json` and in the journal. */
const FrozenSpec = z.object({
  title: z.string(),
  intent: z.string(),
  criteria: z.array(z.object({ id: z.string(), text: z.string(), gate: z.string().nullable() })),
  constraints: z.array(z.string()),
  gates: z.array(
    z.object({
      id: z.string(),
      repo: z.string(),
      argv: z.array(z.string()),
      judgement: z.string(),
      program: z.string().nullable(),
      source: z.string(),
    }),
  ),
  prepare: z.array(z.object({ repo: z.string(), argv: z.array(z.string()) })),
  pinnedOn: z.record(z.string(), z.string()),
  agent: z.object({ kind: z.string() }),
  runMode: z.string(),
  approvedCommands: z.array(z.string()).optional(),
  includeDirty: z.boolean(),
  models: z
    .record(z.string(), z.object({ use: z.array(z.object({ provider: z.string(), model: z.string() })) }))
    .optional(),
  budget: z
    .object({
      tokens: z.number().optional(),
      microdollars: z.number().optional(),
      turns: z.number().optional(),
      ms: z.number().optional(),
    })
    .optional(),
  mayChange: z.array(z.string()).default([]),
});
export type FrozenSpec = z.infer<typeof FrozenSpec>;

/** Null for a draft. */
export function frozenSpec({ frozen, spec }: SpecView): FrozenSpec | null {
  if (!frozen) return null;
  const read = FrozenSpec.safeParse(spec);
  return read.success ? read.data : null;
}

/** Criteria and pinned gates, as they were agreed on. */
export function specLines(view: SpecView): readonly string[] {
  const spec = frozenSpec(view);
  if (spec === null) return [`spec: version ${view.version}, a draft`];
  const onlyRepo = Object.keys(spec.pinnedOn).length <= 1;
  return [
    `spec: version ${view.version}, frozen as ${short(view.hash ?? "")}; agent ${spec.agent.kind === "none" ? "none (no model and no agent is configured)" : spec.agent.kind}; run mode ${spec.runMode}`,
    ...Object.entries(spec.models ?? {}).map(
      ([phase, { use }]) =>
        `model for ${phase}: ${use.map(({ provider, model }) => field(`${provider}/${model}`)).join(", else ")}`,
    ),
    ...(spec.budget === undefined
      ? []
      : [
          `budget: ${amountText({ tokens: spec.budget.tokens, usd: spec.budget.microdollars === undefined ? undefined : spec.budget.microdollars / 1_000_000, turns: spec.budget.turns, time_ms: spec.budget.ms })}`,
        ]),
    ...(spec.approvedCommands === undefined
      ? []
      : [`commands approved in advance: ${spec.approvedCommands.map(field).join(", ")}`]),
    ...Object.entries(spec.pinnedOn).map(([repo, commit]) => `gates of ${field(repo)} pinned on ${short(commit)}:`),
    ...spec.gates.map(
      (gate) =>
        `  ${field(gate.id)}${onlyRepo ? "" : ` (${field(gate.repo)})`}: ${gate.argv.length === 0 ? "no command: the repository has none, so nothing can prove the work (name one: --gate NAME='command')" : field(argvText(gate.argv))}${gate.judgement === "tests" ? ", judged by its tests" : gate.argv.length === 0 ? "" : ", judged by its exit code"}`,
    ),
    ...spec.prepare.map((one) => `prepared with: ${field(argvText(one.argv))}`),
    ...(spec.mayChange.length === 0 ? [] : [`the work may change: ${spec.mayChange.map(field).join(", ")}`]),
    `${count(spec.criteria.length, "acceptance criterion").replace("criterions", "criteria")}:`,
    ...spec.criteria.map(
      (one) =>
        `  ${field(one.id)}: ${field(one.text)}${one.gate === null ? " (no gate proves it)" : one.gate === one.id ? "" : ` (proved by ${field(one.gate)})`}`,
    ),
  ];
}
