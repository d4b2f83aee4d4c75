import { z } from "zod";
import { command, positional } from "../command.ts";
import { specLines } from "../spec-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { changedLines, nextLines } from "../task-text.ts";

export const taskFreeze = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task") }),
  async run({ id: reference }, { api, out }) {
    const task = await api.freezeTask(await taskNamed(api, reference));
    const spec = await api.spec(task.id);
    out.result(
      task,
      (one) => [...changedLines(one), ...specLines(spec)],
      ({ id }) => [id],
    );
    out.note(...nextLines(task));
  },
});
