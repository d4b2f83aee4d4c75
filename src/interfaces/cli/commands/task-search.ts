import { z } from "zod";
import { command, positional } from "../command.ts";
import { LIST_OPTIONS, listTasks } from "../list-options.ts";

export const taskSearch = command({
  args: z.strictObject({
    words: positional(
      z.array(z.string()).min(1),
      "WORDS",
      'what to look for in title, intent, criteria, id and project name; "…" as it stands, else each word or its beginning',
    ),
    ...LIST_OPTIONS,
  }),
  examples: ["agentos task search login form", `agentos task search '"login form" test' --status failed`],
  run: ({ words, ...options }, context) => listTasks({ ...options, search: words.join(" ") }, context),
});
