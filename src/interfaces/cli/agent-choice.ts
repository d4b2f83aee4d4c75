import { z } from "zod";
import { type AgentInput, LAUNCHER_NAMES } from "../../contract/inputs.ts";
import { trouble } from "../client/trouble.ts";

/** Who works, as it is typed: an agent of AgentOS, or a foreign one by its name. */
export const AgentName = z.enum(["builtin", "script", "gates", ...LAUNCHER_NAMES]);

type OnWire = z.input<typeof AgentInput>;

/** As the API takes it: a name, or a command of the person's own, split at blanks (a word with blanks is one that a plan file can give). */
export function agentOnWire(
  name: z.infer<typeof AgentName> | undefined,
  ownCommand: string | undefined,
  plain: boolean,
): OnWire | undefined {
  if (ownCommand === undefined) {
    if (plain) throw trouble("input/invalid", "--agent-plain says of --agent-command that it speaks no protocol");
    if (name === undefined || name === "builtin" || name === "script" || name === "gates") return name;
    return `acp:${name}`;
  }
  if (name !== undefined) throw trouble("input/invalid", "name either --agent or --agent-command");
  const words = ownCommand.split(/\s+/).filter((word) => word !== "");
  return { kind: plain ? "command" : "acp", command: words };
}
