import type { InboxItemView, InboxListView } from "../../contract/views.ts";
import { amountText } from "./amount-text.ts";
import { columns, count, moment } from "./columns.ts";
import { block, field } from "./escape.ts";
import { planLines } from "./plan-text.ts";
import { spanText } from "./span.ts";

const KINDS = {
  plan: "plan",
  work_item: "work item",
  permission: "permission",
  question: "question",
  outcome_unknown: "outcome unknown",
  gates_failed: "gates failed",
  budget: "budget",
  blocked: "blocked",
  delivery: "delivery half-way",
  note: "project note",
} as const satisfies Record<InboxListView["items"][number]["kind"], string>;

export function inboxLines({ items, next }: InboxListView, nowMs: number): readonly string[] {
  if (items.length === 0) return ["nothing waits for you"];
  return [
    ...columns([
      ["ID", "KIND", "PROJECT", "WAITS", "WHAT"],
      ...items.map((one) => [
        one.id,
        KINDS[one.kind],
        one.project?.name ?? "-",
        spanText(Math.max(0, nowMs - Date.parse(one.since))),
        `${one.title}: ${one.sentence}`,
      ]),
    ]),
    ...(next === null ? [] : [`there is more: agentos inbox --cursor ${next}`]),
  ];
}

/** All there is to decide on. Nothing of a question or an act is left out: a person answers for what they were shown. */
export function inboxItemLines(item: InboxItemView): readonly string[] {
  const { plan } = item;
  return [
    item.kind === "note" ? `proposed note ${item.id}` : `${KINDS[item.kind]} of task ${item.id}`,
    `Title: ${field(item.title)}`,
    `Project: ${item.project === null ? "none" : field(item.project.name)}`,
    `Since: ${moment(item.since)}`,
    `Why: ${field(item.sentence)}`,
    ...(item.permission === null
      ? []
      : [
          `Rule: ${field(item.permission.rule)}: ${field(item.permission.reason)}`,
          `Digest: ${item.permission.digest}`,
        ]),
    ...(item.text === null ? [] : ["", ...block(item.text).map((one) => `  ${one}`), ""]),
    ...(item.choices.length === 0 ? [] : [`Choices: ${item.choices.map(field).join(", ")}`]),
    ...(plan === null
      ? []
      : [
          ...planLines({
            version: plan.version,
            hash: plan.hash,
            approved: false,
            approved_by: null,
            plan: plan.plan,
            canonical: plan.canonical,
          }),
          ...(plan.item === null ? [] : [`Asked for: work item ${field(plan.item)}`]),
        ]),
    ...(item.step === null ? [] : [`Step ${field(item.step.step)}: ${field(item.step.doing)}`]),
    ...item.gates.flatMap(({ gate, verdict, findings }) => [
      `Gate ${field(gate)}: ${verdict}`,
      ...findings.map((finding) => `  ${field(finding)}`),
    ]),
    ...(item.spent === null ? [] : [`Spent: ${amountText(item.spent.total)}`]),
  ];
}

/** The commands that answer it, to be copied. */
export const wayLines = ({ ways }: InboxItemView): readonly string[] => [
  `${count(ways.length, "way")} to answer:`,
  ...ways.map(({ command }) => `  ${field(command)}`),
];
