import { z } from "zod";
import { command, option, positional } from "../command.ts";
import { field } from "../escape.ts";

export const projectResume = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "its name or id"),
    reason: option(z.string().optional(), "TEXT", "why, for the record"),
  }),
  async run({ project, reason }, { api, out }) {
    const changed = await api.resumeProject(project, reason === undefined ? {} : { reason });
    out.result(
      changed,
      ({ name }) => [`project ${field(name)} is resumed`],
      ({ id }) => [id],
    );
  },
});
