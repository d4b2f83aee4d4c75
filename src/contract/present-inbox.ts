import type { InboxAnswer, InboxKind } from "../domain/inbox.ts";
import type { OpenPlan } from "../domain/plan.ts";
import type { Act } from "../domain/step.ts";
import type { TaskOutline } from "../domain/task.ts";
import type { InboxItemView, InboxListView } from "./inbox-views.ts";
import { spentView } from "./model-wire.ts";
import { doing, time } from "./present.ts";

interface Row {
  readonly id: string;
  readonly kind: InboxKind;
  readonly reason: string;
  readonly title: string;
  readonly project: { readonly id: string; readonly name: string } | null;
  readonly sinceMs: number;
  readonly sentence: string;
  readonly seq: number;
  readonly answers: readonly InboxAnswer[];
}

interface Item extends Row {
  readonly text: string | null;
  readonly choices: readonly string[];
  readonly permission: InboxItemView["permission"];
  readonly plan: {
    readonly version: number;
    readonly hash: string;
    readonly text: string;
    readonly value: OpenPlan;
    readonly item: string | null;
  } | null;
  readonly step: { readonly step: string; readonly act: Act } | null;
  readonly detail: string | null;
  readonly next: string;
  readonly task: TaskOutline | null;
}

export const inboxRowView = ({ sinceMs, project, answers, ...row }: Row): InboxListView["items"][number] => ({
  id: row.id,
  kind: row.kind,
  reason: row.reason,
  title: row.title,
  project: project === null ? null : { ...project },
  since: time(sinceMs),
  sentence: row.sentence,
  seq: row.seq,
  answers: [...answers],
});

export const inboxItemView = (item: Item): InboxItemView => ({
  ...inboxRowView(item),
  text: item.text,
  choices: [...item.choices],
  permission: item.permission === null ? null : { ...item.permission },
  plan:
    item.plan === null
      ? null
      : {
          version: item.plan.version,
          hash: item.plan.hash,
          item: item.plan.item,
          plan: item.plan.value as unknown as JsonValue,
          canonical: item.plan.text,
        },
  step:
    item.step === null
      ? null
      : { step: item.step.step, doing: doing(item.step.act), act: item.step.act as unknown as JsonValue },
  gates: Object.entries(item.task?.verdicts ?? {}).flatMap(([gate, { verdict, findings }]) =>
    verdict === "pass" ? [] : [{ gate, verdict, findings: [...findings] }],
  ),
  spent: item.kind === "budget" && item.task !== null ? spentView(item.task.spent) : null,
  detail: item.detail,
  next: item.next,
  ways: item.answers.flatMap((answer) => WAYS[answer](item).map((way) => wayOf(item, answer, way))),
});

type JsonValue = InboxItemView["ways"][number]["call"]["body"];

interface Way {
  /** Behind `agentos inbox answer <id>`. */
  readonly words: string;
  readonly body: Readonly<Record<string, string | boolean | Readonly<Record<string, number>>>>;
}

/** What is written in capitals is the person's to say. */
const WAYS: Readonly<Record<InboxAnswer, (item: Item) => readonly Way[]>> = {
  approve: () => [{ words: "--approve", body: {} }],
  request_changes: () => [{ words: "--request-changes TEXT", body: { text: "TEXT" } }],
  reject: () => [{ words: "--reject", body: {} }],
  allow: ({ permission }) => [
    { words: "--allow", body: {} },
    ...(permission?.grant == null ? [] : [{ words: "--allow --always", body: { always: true } }]),
  ],
  deny: () => [{ words: "--deny", body: {} }],
  text: ({ choices }) =>
    (choices.length === 0 ? ["TEXT"] : choices).map((text) => ({ words: `--text ${quoted(text)}`, body: { text } })),
  outcome: () => ["done", "redo", "abort"].map((outcome) => ({ words: `--outcome ${outcome}`, body: { outcome } })),
  accept: () => [{ words: "--accept --reason TEXT", body: { reason: "TEXT" } }],
  more: () => [{ words: "--more tokens=100000", body: { more: { tokens: 100_000 } } }],
  retry: () => [{ words: "--retry", body: {} }],
  leave: () => [{ words: "--leave", body: {} }],
};

const wayOf = ({ id, seq }: Item, answer: InboxAnswer, { words, body }: Way): InboxItemView["ways"][number] => ({
  answer,
  command: `agentos inbox answer ${id} ${words} --at ${seq}`,
  call: { method: "POST", path: `/api/inbox/${id}/answer`, body: { answer, seq, ...body } },
});

/** As one word of a shell. */
const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
