import { z } from "zod";
import { agreeToTools } from "../agree-to-tools.ts";
import { command, flag, option, positional } from "../command.ts";
import { offeredToolLines } from "../tool-server-text.ts";

export const mcpPin = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "name or id of the project"),
    name: positional(z.string().min(1), "NAME", "which server"),
    tool: option(z.array(z.string()).optional(), "TOOL", "only these tools; by default all that it offers"),
    yes: flag(z.boolean().default(false), "without asking"),
  }),
  async run({ project, name, tool, yes }, context) {
    const looked = await context.api.probeToolServer(project, name);
    const agreed = await agreeToTools(context, project, looked, { yes, only: tool });
    context.out.result(agreed, offeredToolLines, (server) => server.tools.map((one) => one.name));
  },
});
