import { resolve } from "node:path";
import { z } from "zod";
import { type AgentInput, LAUNCHER_NAMES } from "../../contract/inputs.ts";
import { trouble } from "../client/trouble.ts";
import { splitWords } from "./split-words.ts";

/** Who works, as it is typed: an agent of AgentOS, or a foreign one by its name. */
export const AgentName = z.enum(["builtin", "script", "gates", ...LAUNCHER_NAMES]);

type OnWire = z.input<typeof AgentInput>;

/** As the API takes it: a name, or a command of the person's own, taken apart as a shell would. Its program may be named from where the person is. */
export function agentOnWire(
  name: z.infer<typeof AgentName> | undefined,
  ownCommand: string | undefined,
  plain: boolean,
  workingDirectory: string,
): OnWire | undefined {
  if (ownCommand === undefined) {
    if (plain) throw trouble("input/invalid", "--agent-plain says of --agent-command that it speaks no protocol");
    if (name === undefined || name === "builtin" || name === "script" || name === "gates") return name;
    return `acp:${name}`;
  }
  if (name !== undefined) throw trouble("input/invalid", "name either --agent or --agent-command");
  const words = splitWords(ownCommand);
  if (words === null)
    throw trouble("input/invalid", `a quote in --agent-command ${JSON.stringify(ownCommand)} is not closed`, {
      next: `For example: --agent-command "sh -c 'my-agent > log'"`,
    });
  const [program = "", ...rest] = words;
  // The daemon is elsewhere: what is relative to the person's directory is so only here.
  const command =
    words.length === 0 ? [] : [program.includes("/") ? resolve(workingDirectory, program) : program, ...rest];
  return { kind: plain ? "command" : "acp", command };
}
