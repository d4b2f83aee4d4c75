import { z } from "zod";
import { TaskChangeInput } from "../../../contract/inputs.ts";
import { command, positional } from "../command.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskPrioritize = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    priority: positional(TaskChangeInput.shape.priority.unwrap(), "PRIORITY", "low, normal, high or urgent"),
  }),
  examples: ["agentos task prioritize last urgent"],
  async run({ id, priority }, { api, out }) {
    const task = await api.changeTask(await taskNamed(api, id), { priority });
    out.result(
      task,
      (one) => [`task ${one.id}: ${one.status}, priority ${one.priority}`],
      (one) => [one.id],
    );
  },
});
