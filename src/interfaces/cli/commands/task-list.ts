import { z } from "zod";
import { command, option } from "../command.ts";
import { LIST_OPTIONS, listTasks } from "../list-options.ts";

export const taskList = command({
  args: z.strictObject({
    ...LIST_OPTIONS,
    text: option(z.string().optional(), "TEXT", "only with this in the title"),
  }),
  examples: [
    "agentos task list --status awaiting_approval,blocked",
    "agentos task list --sort updated --created-from 2026-01-31",
    "agentos task list --quiet --all",
  ],
  run: listTasks,
});
