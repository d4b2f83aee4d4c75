import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { AgentName, agentOnWire } from "../agent-choice.ts";
import { probeLines } from "../agent-text.ts";
import { command, option, positional } from "../command.ts";

export const agentProbe = command({
  args: z.strictObject({
    agent: positional(AgentName.optional(), "AGENT", "one that agentos agent list knows"),
    agentCommand: option(z.string().min(1).optional(), "COMMAND", "an agent of your own instead"),
    project: option(z.string().min(1).optional(), "PROJECT", "with the hosts and variables this project grants"),
  }),
  examples: ["agentos agent probe opencode"],
  async run({ agent, agentCommand, project }, { api, out, workingDirectory }) {
    const chosen = agentOnWire(agent, agentCommand, false, workingDirectory);
    if (chosen === undefined || chosen === "builtin" || chosen === "script" || chosen === "gates")
      throw trouble("input/invalid", "name a foreign agent", { next: "agentos agent list shows those it knows." });
    const said = await api.probeAgent({ agent: chosen, ...(project !== undefined && { project }) });
    out.result(said, probeLines, () => []);
  },
});
