import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { AgentName, agentOnWire } from "../agent-choice.ts";
import { testLines } from "../agent-text.ts";
import { command, option, positional } from "../command.ts";

export const agentTest = command({
  args: z.strictObject({
    agent: positional(AgentName.optional(), "AGENT", "one that agentos agent list knows"),
    agentCommand: option(z.string().min(1).optional(), "COMMAND", "an agent of your own instead"),
    project: option(z.string().min(1).optional(), "PROJECT", "with the hosts and variables this project grants"),
  }),
  examples: ["agentos agent test opencode"],
  async run({ agent, agentCommand, project }, { api, out, workingDirectory }) {
    const chosen = agentOnWire(agent, agentCommand, false, workingDirectory);
    if (chosen === undefined || chosen === "builtin" || chosen === "script" || chosen === "gates")
      throw trouble("input/invalid", "name a foreign agent", { next: "agentos agent list shows those it knows." });
    const said = await api.testAgent({ agent: chosen, ...(project !== undefined && { project }) });
    out.result(said, testLines, () => []);
  },
});
