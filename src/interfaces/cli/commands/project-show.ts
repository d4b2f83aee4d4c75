import { z } from "zod";
import { command, positional } from "../command.ts";
import { projectLines } from "../project-text.ts";

export const projectShow = command({
  args: z.strictObject({ project: positional(z.string().min(1), "PROJECT", "its name or id") }),
  async run({ project }, { api, out }) {
    out.result(await api.project(project), projectLines, ({ id }) => [id]);
  },
});
