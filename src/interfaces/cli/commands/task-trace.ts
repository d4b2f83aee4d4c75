import { z } from "zod";
import { allEvents } from "../all-events.ts";
import { command, positional } from "../command.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { eventLine } from "../task-text.ts";

export const taskTrace = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task") }),
  async run({ id: reference }, { api, out }) {
    const id = await taskNamed(api, reference);
    const items = await allEvents((after, limit) => api.taskEvents(id, after, limit));
    out.result(
      { items },
      () => items.map(eventLine),
      () => items.map(({ seq }) => String(seq)),
    );
  },
});
