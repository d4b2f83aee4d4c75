import { z } from "zod";
import { command, positional } from "../command.ts";
import { toolServerLines } from "../tool-server-text.ts";

export const mcpRemove = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "name or id of the project"),
    name: positional(z.string().min(1), "NAME", "which server"),
  }),
  async run({ project, name }, { api, out }) {
    out.result(await api.removeToolServer(project, name), toolServerLines, ({ items }) => items.map((one) => one.name));
  },
});
