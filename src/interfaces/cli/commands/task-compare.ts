import { z } from "zod";
import { command, positional } from "../command.ts";
import { comparedLines } from "../compared-text.ts";
import { TaskReference, tasksNamed } from "../task-reference.ts";

export const taskCompare = command({
  args: z.strictObject({
    ids: positional(z.array(TaskReference).min(1), "ID", "the tasks; one stands for all attempts at it"),
  }),
  examples: ["agentos task compare ID", "agentos task compare ID OTHER"],
  async run({ ids }, { api, out }) {
    out.result(await api.compareTasks(await tasksNamed(api, ids)), comparedLines, ({ items }) =>
      items.map(({ id }) => id),
    );
  },
});
