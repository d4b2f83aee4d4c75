import { z } from "zod";
import { approveProposal } from "../answer-proposal.ts";
import { command, flag, option, positional } from "../command.ts";
import { follow } from "../follow.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { WAIT_OPTIONS } from "../wait-options.ts";

export const taskApprove = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    plan: option(
      z
        .string()
        .regex(/^[0-9a-fA-F]{8,64}$/, "must be a plan's hash, or at least its first 8 digits")
        .optional(),
      "HASH",
      "yes to the plan with this hash and to no other",
    ),
    yes: flag(z.boolean().default(false), "yes to whatever it proposes now, without looking"),
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
    ...WAIT_OPTIONS,
  }),
  async run({ id, plan, yes, reason, ...waiting }, context) {
    const { api } = context;
    const before = await api.task(await taskNamed(api, id));
    const task = await approveProposal(context, before, { hash: plan ?? null, yes, reason: reason ?? null });
    return task === null ? 10 : follow(context, task, before.seq, waiting);
  },
});
