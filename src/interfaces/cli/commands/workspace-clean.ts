import { z } from "zod";
import { size } from "../columns.ts";
import { command, flag, positional } from "../command.ts";
import { field } from "../escape.ts";
import { isSure } from "../sure.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const workspaceClean = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    undelivered: flag(
      z.boolean().default(false),
      "also where its work is proven and not delivered: it can not be delivered afterwards",
    ),
    yes: flag(z.boolean().default(false), "do not ask"),
  }),
  async run({ id: reference, undelivered, yes }, context) {
    const { api, out } = context;
    const task = await api.task(await taskNamed(api, reference));
    if (
      !(await isSure(
        context,
        yes,
        `This removes the working directories of task ${task.id} (${task.title}); what is in them and not in git is kept under refs/agentos/rescue first.${undelivered ? " Work of it that is not delivered can not be delivered afterwards." : ""}`,
      ))
    )
      return 1;
    out.result(
      await api.cleanWorkspace({ task: task.id, undelivered }),
      ({ bytes, rescued }) => [`${size(bytes)} were freed`, ...rescued.map((ref) => `kept: ${field(ref)}`)],
      () => [task.id],
    );
  },
});
