import { z } from "zod";
import { INBOX_ANSWERS, INBOX_KINDS } from "../domain/inbox.ts";
import { Time } from "./first-views.ts";
import { Json } from "./json.ts";
import { SpentView } from "./model-views.ts";

const InboxRowView = z.object({
  id: z.string(),
  kind: z.enum(INBOX_KINDS),
  reason: z.string(),
  title: z.string(),
  project: z.object({ id: z.string(), name: z.string() }).nullable(),
  since: Time,
  sentence: z.string(),
  /** The state that is shown; an answer names it. */
  seq: z.number(),
  answers: z.array(z.enum(INBOX_ANSWERS)),
});
export const InboxListView = z.object({ items: z.array(InboxRowView), next: z.string().nullable() });
export type InboxListView = z.infer<typeof InboxListView>;

export const InboxItemView = InboxRowView.extend({
  /** The question, or the act that is asked for: whole. */
  text: z.string().nullable(),
  choices: z.array(z.string()),
  permission: z
    .object({ digest: z.string(), rule: z.string(), reason: z.string(), grant: z.string().nullable() })
    .nullable(),
  plan: z
    .object({
      version: z.number(),
      hash: z.string(),
      item: z.string().nullable(),
      plan: Json,
      canonical: z.string(),
    })
    .nullable(),
  step: z.object({ step: z.string(), doing: z.string(), act: Json }).nullable(),
  /** Gates that did not pass, with what they found. */
  gates: z.array(z.object({ gate: z.string(), verdict: z.string(), findings: z.array(z.string()) })),
  spent: SpentView.nullable(),
  detail: z.string().nullable(),
  next: z.string(),
  /** Each answer as a command and as a call of the API; what a person has to fill in is written in capitals. */
  ways: z.array(
    z.object({
      answer: z.enum(INBOX_ANSWERS),
      command: z.string(),
      call: z.object({ method: z.literal("POST"), path: z.string(), body: Json }),
    }),
  ),
});
export type InboxItemView = z.infer<typeof InboxItemView>;
