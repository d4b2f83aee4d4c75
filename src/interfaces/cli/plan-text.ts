import { z } from "zod";
import type { PlanView } from "../../contract/views.ts";
import { count, short } from "./columns.ts";
import { block, field } from "./escape.ts";

const OpenPlan = z.object({
  bases: z.record(z.string(), z.string()),
  items: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      repo: z.string(),
      paths: z.array(z.string()),
      commands: z.array(z.string()),
      risk: z.string(),
      criterion: z.string().nullable(),
      dependsOn: z.array(z.string()),
    }),
  ),
  notes: z.array(z.string()),
});

/** The whole plan: every path and every command in full, because a person is about to say yes to them. */
export function planLines(view: PlanView): readonly string[] {
  const head = [
    `Plan ${view.version}, hash ${view.hash}${view.approved ? `, approved by ${field(view.approved_by ?? "")}` : ""}`,
  ];
  const read = OpenPlan.safeParse(view.plan);
  // A form this version does not know is shown as it is rather than guessed at.
  if (!read.success) return [...head, ...block(view.canonical)];
  const { items, bases, notes } = read.data;
  return [
    ...head,
    ...Object.entries(bases).map(([repo, commit]) => `made on ${field(repo)} at ${short(commit)}`),
    `${count(items.length, "work item")}:`,
    ...items.flatMap((item, at) => [
      `  ${at + 1}. ${field(item.id)}: ${field(item.title)} [${field(item.repo)}, risk ${field(item.risk)}]${item.criterion === null ? "" : ` serves ${field(item.criterion)}`}${item.dependsOn.length === 0 ? "" : `, after ${item.dependsOn.map(field).join(", ")}`}`,
      ...item.paths.map((path) => `     touches ${field(path)}`),
      ...item.commands.map((command) => `     runs ${field(command)}`),
    ]),
    ...notes.map((note) => `note: ${field(note)}`),
  ];
}
