import type { EventView, FoundListView, TaskListView, TaskView, VerdictView } from "../../contract/views.ts";
import { amountText } from "./amount-text.ts";
import { columns, count, moment, short, some } from "./columns.ts";
import { field } from "./escape.ts";
import { spanText } from "./span.ts";

const FILES_SHOWN = 8;

/** Everything worth knowing of a task at this moment; the line `Status: …` is one that scripts look for. */
export function taskLines(task: TaskView): readonly string[] {
  return [
    `Task: ${task.id}`,
    `Title: ${field(task.title)}`,
    `Status: ${task.status}`,
    ...(task.exit_reason === null ? [] : [`Exit reason: ${task.exit_reason}`]),
    `Phase: ${task.phase}, attempt ${task.attempt}`,
    ...(task.priority === "normal" ? [] : [`Priority: ${task.priority}`]),
    ...(task.worked_ms === 0
      ? []
      : [
          `Worked: ${spanText(task.worked_ms)}${task.granted_ms === 0 ? "" : `, with ${spanText(task.granted_ms)} granted beyond its limit`}`,
        ]),
    ...(task.budget === null ? [] : [`Budget: ${amountText(task.budget)}`]),
    ...(task.spent.total.turns === 0 && task.spent.total.tokens === 0
      ? []
      : [`Spent: ${amountText(task.spent.total)}${grantedText(task)}`]),
    ...(task.grants.length === 0 ? [] : [`Allowed without asking: ${task.grants.map(field).join("; ")}`]),
    `Project: ${task.project === null ? "none" : field(task.project.name)}`,
    `Session: ${field(task.session)}`,
    `Created: ${moment(task.created_at)} by ${field(task.created_by)}${task.template === null ? "" : `, from the template “${field(task.template)}”`}`,
    ...(task.fork === null ? [] : [`Forked from: ${task.fork.origin}`]),
    ...(task.superseded_by === null ? [] : [`Superseded by: ${task.superseded_by}`]),
    ...(task.ended_at === null ? [] : [`Ended: ${moment(task.ended_at)}`]),
    ...(task.spec === null ? [] : [`Spec: version ${task.spec.version}, ${short(task.spec.hash)}`]),
    ...(task.plan === null
      ? []
      : [
          `Plan: version ${task.plan.version}, ${short(task.plan.hash)}${task.approved_by === null ? "" : `, approved by ${field(task.approved_by)}`}`,
        ]),
    ...(task.dependencies.length === 0
      ? []
      : [
          "After:",
          ...columns(task.dependencies.map((one) => [` ${STANDS[one.standing]}`, ...dependencyCells(task.id, one)])),
        ]),
    ...Object.entries(task.bases).flatMap(([repo, base]) => [
      `Base of ${field(repo)}: ${short(base.commit)}${base.branch === null ? "" : ` on ${field(base.branch)}`}`,
      ...(base.dirty.length === 0
        ? []
        : [
            `  ${count(base.dirty.length, "uncommitted file")} ${base.included ? "included" : "left out"}: ${some(base.dirty, FILES_SHOWN)}`,
          ]),
    ]),
    ...(task.items.length === 0
      ? []
      : ["Work items:", ...columns(task.items.map(({ id, status }) => [` ${mark(status)}`, id, status]))]),
    ...(task.open_step === null
      ? []
      : [
          `Now: ${field(task.open_step.doing)}`,
          ...(task.open_step.warned.includes("stall") ? ["  no sign of life: it may have stalled"] : []),
          ...(task.open_step.warned.includes("time") ? ["  most of its time is gone"] : []),
        ]),
    ...Object.entries(task.candidate ?? {}).flatMap(([repo, one]) => [
      `Candidate of ${field(repo)}: ${one.base === one.commit ? "unchanged" : `${short(one.commit)}, ${count(one.changed, "changed file")}`}`,
      ...(one.left_out.length === 0
        ? []
        : [`  left out (ignored by git or too odd for it): ${some(one.left_out, FILES_SHOWN)}`]),
    ]),
    ...gateLines(task.gates),
    ...foundLines(task.findings),
    ...(task.accepted_unproven === null
      ? []
      : [`Accepted on record, not proven: ${task.accepted_unproven.map(field).join(", ")}`]),
    ...(task.denials === 0 ? [] : [`Refused acts: ${task.denials} (agentos task trace ${task.id} names them)`]),
    ...Object.entries(task.delivered ?? {}).map(
      ([repo, to]) =>
        `Delivered ${field(repo)}: ${to.way === "patch" ? "as a patch" : `${field(to.branch ?? "")} is ${short(to.to)}`}`,
    ),
    ...(task.waiting === null ? [] : [`Waits: ${field(task.waiting.sentence)}`, `Next: ${field(task.waiting.next)}`]),
  ];
}

const grantedText = ({ spent: { granted } }: TaskView): string => {
  const text = amountText(granted);
  return text === "" ? "" : `, with ${text} granted beyond its budgets`;
};

const STANDS = { met: "✓", holds: "·", failed: "✗" } as const;

const dependencyCells = (id: string, one: TaskView["dependencies"][number]): readonly string[] =>
  one.task === id
    ? [`${one.kind} ${one.other}`, one.status, one.title]
    : [`${one.task} ${one.kind} it`, one.status, one.title];

const mark = (status: string): string =>
  status === "completed" ? "✓" : status === "failed" ? "✗" : status === "running" ? "▸" : "·";

/** Per gate: base → candidate. */
export function gateLines(verdicts: readonly VerdictView[]): readonly string[] {
  const gates = [...new Set(verdicts.map(({ gate }) => gate))];
  if (gates.length === 0) return [];
  const on = (gate: string, where: VerdictView["on"]) => verdicts.find((one) => one.gate === gate && one.on === where);
  return [
    "Gates (base → candidate):",
    ...gates.flatMap((gate) => {
      const base = on(gate, "base");
      const candidate = on(gate, "candidate");
      const kept = on(gate, "kept-tests");
      const worst = candidate ?? base;
      return [
        `  ${field(gate)}: ${verdictText(base)} → ${verdictText(candidate)}${kept === undefined ? "" : `; with the tests as they were: ${verdictText(kept)}`}`,
        ...(worst === undefined || worst.verdict === "pass"
          ? []
          : worst.findings.map((finding) => `    ${field(finding)}`)),
      ];
    }),
  ];
}

const WEIGHT = { blocks: "✗", asks: "?", shown: "·" } as const;

/** What was found about the candidate beside its gates, the gravest first. */
export function foundLines({ items, accepted }: FoundListView): readonly string[] {
  if (items.length === 0) return [];
  return [
    `Found about the work${accepted ? ", and let pass by a person" : ""}:`,
    ...items.map(
      ({ policy, text, allowed_by }) =>
        `  ${WEIGHT[policy]} ${field(text)}${policy === "shown" || allowed_by === null ? "" : ` (a spec allows it by --may-change ${allowed_by})`}`,
    ),
  ];
}

function verdictText(verdict: VerdictView | undefined): string {
  if (verdict === undefined) return "not run";
  const word = verdict.flaky ? `${verdict.verdict}, flaky in ${verdict.runs} runs` : verdict.verdict;
  if (verdict.counts === null) return word;
  const { passed, failed, skipped } = verdict.counts;
  return `${word} (${passed} of ${passed + failed} tests passed${skipped === 0 ? "" : `, ${skipped} skipped`})`;
}

export function taskListLines({ items }: TaskListView): readonly string[] {
  if (items.length === 0) return ["no tasks"];
  const [head = "", ...rows] = columns([
    ["ID", "STATUS", "PRIORITY", "PROJECT", "CREATED", "TITLE"],
    ...items.map((task) => [
      task.id,
      `${task.block_reason === null ? task.status : `${task.status}/${task.block_reason}`}${task.stalled ? " (stalled?)" : ""}`,
      task.priority,
      task.project?.name ?? "-",
      moment(task.created_at),
      task.title,
    ]),
  ]);
  // A task in the queue looks as if it were about to begin: one that waits for others says so below its row.
  return [
    head,
    ...rows.flatMap((row, at) => {
      const waiting = items[at]?.status === "queued" ? items[at].waiting : null;
      return waiting === null ? [row] : [row, `  ${field(waiting.sentence)}`];
    }),
  ];
}

/** One event, one line: nothing in it can pretend to be another. */
export const eventLine = (event: EventView): string =>
  `#${event.seq}  ${moment(event.at)}  ${field(event.actor)}  ${event.type}  ${field(event.sentence)}`;

/** A task that a command has just changed. */
export const changedLines = (task: TaskView): readonly string[] => [
  `task ${task.id}: ${task.block_reason === null ? task.status : `${task.status}/${task.block_reason}`}`,
];

/** What to do now, for the talk after a command. */
export function nextLines(task: TaskView): readonly string[] {
  if (task.waiting !== null) return [field(task.waiting.sentence), `next: ${field(task.waiting.next)}`];
  if (
    task.status === "succeeded" &&
    task.delivered === null &&
    Object.values(task.candidate ?? {}).some(({ base, commit }) => base !== commit)
  )
    return [`next: agentos task diff ${task.id}; agentos task deliver ${task.id}`];
  if (task.status === "queued" || task.status === "running")
    return [`see where it stands: agentos task show ${task.id}`];
  return [];
}
