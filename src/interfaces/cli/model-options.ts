import type { z } from "zod";
import type { BudgetInput, ModelPolicyInput, ModelTargetInput } from "../../contract/model-inputs.ts";
import { trouble } from "../client/trouble.ts";
import { Span } from "./span.ts";

/** The phases a model can be named for, and `any` for those that are not. */
export const MODEL_PHASES = ["any", "intent", "planning", "implementation", "verification"] as const;
type ModelPhase = (typeof MODEL_PHASES)[number];
const isModelPhase = (text: string): text is ModelPhase => MODEL_PHASES.some((phase) => phase === text);

type Budget = z.input<typeof BudgetInput>;
type Target = z.input<typeof ModelTargetInput>;
type Policy = z.input<typeof ModelPolicyInput>;

/** `PROVIDER/MODEL`; what comes behind the first slash is the model's name, slashes included. */
export function target(text: string): Target {
  const [, provider, model] = /^([^/]+)\/(.+)$/s.exec(text) ?? [];
  if (provider === undefined || model === undefined)
    throw trouble("input/invalid", `a model is named PROVIDER/MODEL, and ${JSON.stringify(text)} is not`, {
      next: "For example: ollama/qwen3:8b. agentos provider list shows the providers there are.",
    });
  return { provider, model };
}

/** What `--model` (for every phase) and `--phase-model PHASE=…` come to: several for one phase are fallbacks in this order. */
export function modelsOf(models: readonly string[] = [], phaseModels: readonly string[] = []): Policy {
  const use: Partial<Record<ModelPhase, Target[]>> = {};
  const named = [
    ...models.map((text) => ["any", text] as const),
    ...phaseModels.map((text) => {
      const [, phase = "", one = ""] = /^([a-z]+)=(.*)$/s.exec(text) ?? [];
      if (!isModelPhase(phase))
        throw trouble(
          "input/invalid",
          `--phase-model must be PHASE=PROVIDER/MODEL, and ${JSON.stringify(text)} is not`,
          { next: `The phases are ${MODEL_PHASES.join(", ")}; for example --phase-model planning=ollama/qwen3:8b` },
        );
      return [phase, one] as const;
    }),
  ];
  for (const [phase, text] of named) use[phase] = [...(use[phase] ?? []), target(text)];
  return Object.fromEntries(Object.entries(use).map(([phase, targets]) => [phase, { use: targets }]));
}

const span = (text: string): number | null => {
  const read = Span.safeParse(text);
  return read.success ? read.data : null;
};
const whole = (text: string): number | null => (/^\d{1,12}$/.test(text) ? Number(text) : null);

/** Each unit by its name: its field on the wire, and how its value is read; null where it is none. */
const UNITS: Readonly<Record<string, readonly [field: keyof Budget, read: (text: string) => number | null]>> = {
  tokens: ["tokens", whole],
  turns: ["turns", whole],
  usd: ["usd", (text) => (/^\d{1,7}(\.\d{1,6})?$/.test(text) ? Number(text) : null)],
  time: ["time_ms", span],
};

/** `tokens=200000,turns=50,usd=1.50,time=2h`, in one word or several. */
export function budget(texts: readonly string[]): Budget {
  const read: Partial<Record<keyof Budget, number>> = {};
  for (const part of texts.flatMap((text) => text.split(","))) {
    const [name = "", value = ""] = part.split("=", 2);
    const unit = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
    const number = unit?.[1](value) ?? null;
    if (unit === undefined || number === null || number === 0)
      throw trouble("input/invalid", `${JSON.stringify(part)} is no amount`, {
        next: "There are tokens, turns, usd and time; for example tokens=200000,turns=50,usd=1.50,time=2h",
      });
    read[unit[0]] = number;
  }
  return read;
}
