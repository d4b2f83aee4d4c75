import { z } from "zod";
import { AcceptInput, Id, RequestChangesInput, ResumeInput } from "./inputs.ts";
import { WholeNumber } from "./whole-number.ts";

/* Answers to what waits for a person. `seq` is the state that was looked at: an answer to another one is refused. */

const SAID = { seq: z.int().min(1), reason: ResumeInput.shape.reason };
const { request } = RequestChangesInput.shape;

export const InboxAnswerInput = z.discriminatedUnion("answer", [
  z.strictObject({ answer: z.enum(["approve", "reject", "retry", "deny", "leave"]), ...SAID }),
  /** `always`: and the like of it, for the rest of this spec. */
  z.strictObject({ answer: z.literal("allow"), ...SAID, always: z.boolean().default(false) }),
  z.strictObject({ answer: z.enum(["request_changes", "text"]), ...SAID, text: request }),
  z.strictObject({ answer: z.literal("outcome"), ...SAID, outcome: z.enum(["done", "redo", "abort"]) }),
  z.strictObject({ answer: z.literal("accept"), ...SAID, reason: AcceptInput.shape.reason }),
  z.strictObject({
    answer: z.literal("more"),
    ...SAID,
    more_ms: ResumeInput.shape.more_ms,
    more: ResumeInput.shape.more,
  }),
]);
export type InboxAnswerInput = z.infer<typeof InboxAnswerInput>;

export const InboxQuery = z.strictObject({
  project: z.string().min(1).max(200).optional(),
  cursor: z.string().max(8_000).optional(),
  limit: WholeNumber.min(1).max(1_000).default(100),
});
export const InboxParam = z.object({ id: Id });
