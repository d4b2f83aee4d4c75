import { z } from "zod";
import { ResumeInput } from "../../../contract/inputs.ts";
import { trouble } from "../../client/trouble.ts";
import { type Answer, askInbox, sureOfYes } from "../ask-inbox.ts";
import { command, flag, option, positional } from "../command.ts";
import { follow } from "../follow.ts";
import { budget } from "../model-options.ts";
import { Span } from "../span.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { WAIT_OPTIONS } from "../wait-options.ts";

export const inboxAnswer = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "what is asked: the id of the task"),
    approve: flag(z.boolean().default(false), "yes to the plan or work item"),
    requestChanges: option(z.string().optional(), "TEXT", "another plan, with what should be different"),
    reject: flag(z.boolean().default(false), "no to the plan; the task ends"),
    allow: flag(z.boolean().default(false), "yes to the act that is asked for, and to no other"),
    always: flag(z.boolean().default(false), "with --allow: and to the like of it, for the rest of the task"),
    deny: flag(z.boolean().default(false), "no to the act; the work goes on without it"),
    text: option(z.string().optional(), "TEXT", "the answer to a question"),
    outcome: option(ResumeInput.shape.outcome, "WHAT", "what became of a step whose outcome is unknown"),
    accept: flag(z.boolean().default(false), "take the work although it is not proven; needs --reason"),
    more: option(
      z.array(z.string()).optional(),
      "UNIT=N,…",
      "what it may spend beyond its budgets: tokens=100000,turns=20,usd=0.50,time=1h",
    ),
    moreTime: option(Span.optional(), "SPAN", "time it gets beyond its limit, e.g. 30m"),
    retry: flag(z.boolean().default(false), "let it try again, now that what stood in the way is cleared"),
    leave: flag(z.boolean().default(false), "leave the branches of a delivery that stands half-way as they are"),
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
    at: option(
      z
        .string()
        .regex(/^[1-9]\d{0,9}$/, "must be the number that agentos inbox show names")
        .transform(Number)
        .optional(),
      "SEQ",
      "the state you looked at; an answer to another one is refused",
    ),
    ...WAIT_OPTIONS,
  }),
  examples: [
    "agentos inbox answer ID --text staging",
    "agentos inbox answer ID --allow --at 41",
    "agentos inbox answer ID --more tokens=100000",
  ],
  async run(given, context) {
    const { api } = context;
    const item = await api.inboxItem(await taskNamed(api, given.id));
    const seq = given.at ?? item.seq;
    const named = answerIn(given);
    // An answer that is none to this matter is refused as such: nobody looks at it first.
    const asks = named !== null && given.at === undefined && item.answers.includes(named.answer);
    if (asks && !(await sureOfYes(context, item, named))) return 10;
    const said = named ?? (await askInbox(context, item));
    if (said === null) return 10;
    const reason = given.reason === undefined ? {} : { reason: given.reason };
    const { task } = await api.answerInbox(item.id, { ...reason, ...said, seq });
    if (task === null) {
      context.out.result(
        item,
        () => [`answered: ${said.answer}`],
        ({ id }) => [id],
      );
      return 0;
    }
    return follow(context, task, item.seq, given);
  },
});

interface Given {
  readonly approve: boolean;
  readonly requestChanges?: string | undefined;
  readonly reject: boolean;
  readonly allow: boolean;
  readonly always: boolean;
  readonly deny: boolean;
  readonly text?: string | undefined;
  readonly outcome?: "done" | "redo" | "abort" | undefined;
  readonly accept: boolean;
  readonly more?: string[] | undefined;
  readonly moreTime?: number | undefined;
  readonly retry: boolean;
  readonly leave: boolean;
  readonly reason?: string | undefined;
}

/** The one answer that was given in words; null: none was. */
function answerIn(given: Given): Answer | null {
  if (given.always && !given.allow)
    throw trouble("input/invalid", "--always goes with --allow", { next: "agentos inbox answer ID --allow --always" });
  const answers: Answer[] = [
    ...(["approve", "reject", "deny", "retry", "leave"] as const).flatMap((answer) =>
      given[answer] ? [{ answer }] : [],
    ),
    ...(given.allow ? [{ answer: "allow" as const, always: given.always }] : []),
    ...(given.requestChanges === undefined ? [] : [{ answer: "request_changes" as const, text: given.requestChanges }]),
    ...(given.text === undefined ? [] : [{ answer: "text" as const, text: given.text }]),
    ...(given.outcome === undefined ? [] : [{ answer: "outcome" as const, outcome: given.outcome }]),
    ...(given.accept ? [{ answer: "accept" as const, reason: reasonOf(given) }] : []),
    ...(given.more === undefined && given.moreTime === undefined
      ? []
      : [
          {
            answer: "more" as const,
            ...(given.more !== undefined && { more: budget(given.more) }),
            ...(given.moreTime !== undefined && { more_ms: given.moreTime }),
          },
        ]),
  ];
  const [one, ...others] = answers;
  if (others.length > 0)
    throw trouble("input/invalid", `${answers.length} answers were given at once`, { next: "Give one of them." });
  return one ?? null;
}

function reasonOf({ reason }: Given): string {
  if (reason === undefined)
    throw trouble("input/invalid", "accepting what is not proven needs a reason", { next: "Add --reason TEXT." });
  return reason;
}
