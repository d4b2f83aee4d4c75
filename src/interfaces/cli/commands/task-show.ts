import { z } from "zod";
import { command, positional } from "../command.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { taskLines } from "../task-text.ts";

export const taskShow = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task") }),
  async run({ id }, { api, out }) {
    out.result(await api.task(await taskNamed(api, id)), taskLines, (task) => [task.id]);
  },
});
