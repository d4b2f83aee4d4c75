import { z } from "zod";
import { ResumeInput } from "../../../contract/inputs.ts";
import { approveProposal } from "../answer-proposal.ts";
import { command, option, positional } from "../command.ts";
import { follow } from "../follow.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { WAIT_OPTIONS } from "../wait-options.ts";

export const taskResume = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    outcome: option(ResumeInput.shape.outcome, "WHAT", "what became of a step whose outcome is unknown"),
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
    ...WAIT_OPTIONS,
  }),
  async run({ id, outcome, reason, ...waiting }, context) {
    const { api } = context;
    const before = await api.task(await taskNamed(api, id));
    if (before.status === "awaiting_approval") {
      const task = await approveProposal(context, before, { hash: null, yes: false, reason: reason ?? null });
      return task === null ? 10 : follow(context, task, before.seq, waiting);
    }
    const task = await api.resumeTask(before.id, {
      ...(outcome !== undefined && { outcome }),
      ...(reason !== undefined && { reason }),
    });
    return follow(context, task, before.seq, waiting);
  },
});
