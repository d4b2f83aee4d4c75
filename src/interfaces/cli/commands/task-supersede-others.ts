import { z } from "zod";
import { count } from "../columns.ts";
import { command, flag, positional } from "../command.ts";
import { isSure } from "../sure.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskSupersedeOthers = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the attempt that was delivered"),
    yes: flag(z.boolean().default(false), "do not ask"),
  }),
  async run({ id: reference, yes }, context) {
    const { api, out } = context;
    const id = await taskNamed(api, reference);
    const others = (await api.attemptsOf(id)).tasks.length - 1;
    if (
      !(await isSure(
        context,
        yes,
        `This ends ${count(others, "other attempt")} at task ${id} as superseded, as far as they live or succeeded undelivered.`,
      ))
    )
      return 1;
    out.result(
      await api.supersedeOthers(id),
      ({ tasks }) => (tasks.length === 0 ? ["there was none left"] : tasks.map((task) => `task ${task}: superseded`)),
      ({ tasks }) => tasks,
    );
  },
});
