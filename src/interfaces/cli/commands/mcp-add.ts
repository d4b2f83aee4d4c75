import { z } from "zod";
import { NewToolServerInput } from "../../../contract/inputs.ts";
import { agreeToTools } from "../agree-to-tools.ts";
import { command, flag, option, positional } from "../command.ts";
import { offeredToolLines } from "../tool-server-text.ts";

export const mcpAdd = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "name or id of the project"),
    name: positional(NewToolServerInput.shape.name, "NAME", "what it is called"),
    command: positional(z.string().min(1), "COMMAND", "what starts it, as one text"),
    host: option(z.array(z.string()).optional(), "HOST:PORT", "what it may reach; by default nothing"),
    variable: option(z.array(z.string()).optional(), "NAME", "a variable of the daemon's environment it is given"),
    yes: flag(z.boolean().default(false), "agree to all of its tools as they are now"),
  }),
  examples: ["agentos mcp add shop docs '/usr/local/bin/docs-server --stdio' --yes"],
  async run({ project, name, command: text, host, variable, yes }, context) {
    const { api, out } = context;
    const looked = await api.addToolServer(project, {
      name,
      argv: argvOf(text),
      grants: { hosts: host ?? [], variables: variable ?? [], files: [] },
    });
    const agreed = await agreeToTools(context, project, looked, { yes, only: undefined });
    out.result(agreed, offeredToolLines, (server) => [server.name]);
  },
});

/** Plain words are an argv; anything else is for a shell. */
const argvOf = (text: string): string[] =>
  /^[\w@%+=:,./-]+( [\w@%+=:,./-]+)*$/.test(text) ? text.split(" ") : ["/bin/sh", "-c", `exec ${text}`];
