import { z } from "zod";
import { command, positional } from "../command.ts";
import { offeredToolLines } from "../tool-server-text.ts";

export const mcpProbe = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "name or id of the project"),
    name: positional(z.string().min(1), "NAME", "which server"),
  }),
  async run({ project, name }, { api, out }) {
    out.result(await api.probeToolServer(project, name), offeredToolLines, ({ offered }) =>
      offered.map((tool) => tool.name),
    );
  },
});
