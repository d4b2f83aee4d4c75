import { z } from "zod";
import type { CallableTool, ToolCapabilities } from "../../ports/agent.ts";
import { type Tool, withoutNulls, wrongIn } from "./tools.ts";

const Arguments = z.record(z.string(), z.unknown());

/**
 * Tools of servers that a person configured and agreed to. Their names say whose they are, so none can stand for one of the agent's own; what
 * they tell of themselves is as far as a model hears it, and gives them nothing.
 */
export const serverTools = (tools: readonly CallableTool[]): readonly Tool<ToolCapabilities>[] =>
  tools.map(({ name, server, description, schema }) => ({
    told: { name, description: `A tool of the server ${server}, which says of it: ${description}`, parameters: schema },
    parse(args) {
      const input = Arguments.safeParse(withoutNulls(args));
      if (!input.success) return { wrong: wrongIn(input.error) };
      return {
        act: async (can) => {
          const { text, isError } = await can.callTool(name, input.data);
          return isError ? `The tool says that it failed:\n${text}` : text;
        },
      };
    },
  }));
