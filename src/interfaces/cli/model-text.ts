import type { ModelCheckView, ModelPolicyLayersView } from "../../contract/views.ts";
import { amountText } from "./amount-text.ts";
import { columns } from "./columns.ts";
import { field } from "./escape.ts";

/** Who is asked in each phase, the fallbacks behind the first, and which layer says so. */
export const policyLines = ({ in_force }: ModelPolicyLayersView): readonly string[] => {
  const rows = Object.entries(in_force).map(([phase, models]) =>
    models === null
      ? [phase, "none", "", ""]
      : [
          phase,
          models.use.map(({ provider, model }) => `${provider}/${model}`).join(", else "),
          models.from === "user" ? "you" : `the ${models.from}`,
          amountText(models.budget),
        ],
  );
  return columns([["PHASE", "MODEL", "SAID BY", "BUDGET"], ...rows]);
};

const MARKS = { true: "✓", false: "✗", null: "?" } as const;

export const checkLines = ({ items, unnamed }: ModelCheckView): readonly string[] => [
  ...items.flatMap(({ provider, model, named_by, ok, says, next }) => [
    `${MARKS[`${ok}`]} ${field(provider)}/${field(model)} (${named_by.map(field).join(", ")}): ${field(says)}`,
    ...(ok === true || next === null ? [] : [`  next: ${field(next)}`]),
  ]),
  ...(unnamed.length === 0 ? [] : [`no model is named for ${unnamed.join(", ")}`]),
];
