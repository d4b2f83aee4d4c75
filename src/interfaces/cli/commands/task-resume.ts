import { z } from "zod";
import { ResumeInput } from "../../../contract/inputs.ts";
import { approveProposal } from "../answer-proposal.ts";
import { command, option } from "../command.ts";
import { follow } from "../follow.ts";
import { forMany, MANY_TASKS, onlyTask } from "../many-tasks.ts";
import { budget } from "../model-options.ts";
import { Span } from "../span.ts";
import { WAIT_OPTIONS } from "../wait-options.ts";

export const taskResume = command({
  args: z.strictObject({
    ...MANY_TASKS,
    outcome: option(ResumeInput.shape.outcome, "WHAT", "what became of a step whose outcome is unknown"),
    moreTime: option(Span.optional(), "SPAN", "time it gets beyond its limit, e.g. 30m"),
    more: option(
      z.array(z.string()).optional(),
      "UNIT=N,…",
      "what it may spend beyond its budgets: tokens=100000,turns=20,usd=0.50,time=1h",
    ),
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
    ...WAIT_OPTIONS,
  }),
  examples: [
    "agentos task resume ID --more-time 30m",
    "agentos task resume ID --more tokens=100000,turns=20",
    "agentos task resume --project shop --status blocked --dry-run",
  ],
  async run({ outcome, moreTime, more, reason, wait, timeout, ...given }, context) {
    const { api } = context;
    const said = {
      ...(reason !== undefined && { reason }),
      ...(moreTime !== undefined && { more_ms: moreTime }),
      ...(more !== undefined && { more: budget(more) }),
    };
    const id = await onlyTask(context, given);
    if (id === null) return forMany(context, "resume", given, said);
    const before = await api.task(id);
    if (before.status === "awaiting_approval") {
      const task = await approveProposal(context, before, { hash: null, yes: given.yes, reason: reason ?? null });
      return task === null ? 10 : follow(context, task, before.seq, { wait, timeout });
    }
    const task = await api.resumeTask(before.id, { ...said, ...(outcome !== undefined && { outcome }) });
    return follow(context, task, before.seq, { wait, timeout });
  },
});
