import { z } from "zod";
import { TaskChangeInput } from "../../../contract/inputs.ts";
import { command, positional } from "../command.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskMode = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    mode: positional(TaskChangeInput.shape.run_mode.unwrap(), "MODE", "interactive, assisted or autonomous"),
  }),
  examples: ["agentos task mode last interactive"],
  async run({ id, mode }, { api, out }) {
    const task = await api.changeTask(await taskNamed(api, id), { run_mode: mode });
    out.result(
      task,
      (one) => [`task ${one.id}: ${mode} from the next step on`],
      (one) => [one.id],
    );
  },
});
