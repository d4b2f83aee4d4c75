import { z } from "zod";
import { command, positional } from "../command.ts";
import { planLines } from "../plan-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskPlan = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task") }),
  async run({ id: reference }, { api, out }) {
    const id = await taskNamed(api, reference);
    const plan = await api.plan(id);
    out.result(plan, planLines, ({ hash }) => [hash]);
    if (!plan.approved)
      out.note(
        `next: agentos task approve ${id} --plan ${plan.hash}, agentos task request-changes ${id} "…", or agentos task reject ${id}`,
      );
  },
});
