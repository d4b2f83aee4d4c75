import { z } from "zod";
import { command } from "../command.ts";
import { field } from "../escape.ts";

export const init = command({
  args: z.strictObject({}),
  async run(_, { offline, settings, out }) {
    const made = await offline.init(settings.home);
    out.result(made, ({ home, created }) => [`${created ? "made" : "there already"}: ${field(home)}`]);
    out.note(
      'next: agentos doctor looks at the machine; agentos task create "…" inside a git repository begins a task',
    );
  },
});
