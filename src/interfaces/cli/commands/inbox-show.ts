import { z } from "zod";
import { command, positional } from "../command.ts";
import { inboxItemLines, wayLines } from "../inbox-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const inboxShow = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "what is asked: the id of the task") }),
  async run({ id }, { api, out }) {
    const item = await api.inboxItem(await taskNamed(api, id));
    out.result(
      item,
      (one) => [...inboxItemLines(one), ...wayLines(one)],
      (one) => [one.id],
    );
  },
});
