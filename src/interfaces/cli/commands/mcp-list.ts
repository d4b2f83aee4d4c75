import { z } from "zod";
import { command, positional } from "../command.ts";
import { toolServerLines } from "../tool-server-text.ts";

export const mcpList = command({
  args: z.strictObject({ project: positional(z.string().min(1), "PROJECT", "name or id of the project") }),
  async run({ project }, { api, out }) {
    out.result(await api.toolServers(project), toolServerLines, ({ items }) => items.map(({ name }) => name));
  },
});
