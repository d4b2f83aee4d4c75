import { z } from "zod";
import { command, option, positional } from "../command.ts";
import { field } from "../escape.ts";

export const projectPause = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "its name or id"),
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
  }),
  async run({ project, reason }, { api, out }) {
    const changed = await api.pauseProject(project, reason === undefined ? {} : { reason });
    out.result(
      changed,
      ({ name }) => [
        `project ${field(name)} is paused: none of its tasks is taken up, and what runs goes back into the queue at its next boundary`,
      ],
      ({ id }) => [id],
    );
  },
});
