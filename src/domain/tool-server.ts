import type { AgentGrants } from "./foreign-agent.ts";
import type { Seal } from "./seal.ts";

/** A tool as its server tells of it. `schema`: JSON Schema of its arguments. */
export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** A tool as a person has seen and agreed to it. `digest`: over name, description and schema. */
export interface PinnedTool extends OfferedTool {
  readonly digest: string;
}

/** A program that has tools for the built-in agent (Model Context Protocol over its streams). It runs in the sandbox, once for each call. */
export interface ToolServer {
  readonly name: string;
  readonly argv: readonly string[];
  readonly grants: AgentGrants;
  /** Nothing else of it is offered to a model, whatever it says it has. */
  readonly tools: readonly PinnedTool[];
}

export const toolDigest = (seal: Seal, { name, description, schema }: OfferedTool): string =>
  seal({ name, description, schema }).sha256;

/**
 * What a model calls it by: `server__tool`, in plain letters. A tool can then be taken neither for one of the agent's own nor for another
 * server's. Null: it has a name that no model could be told apart by.
 */
export const callableName = (server: string, tool: string): string | null =>
  /^[A-Za-z0-9-][A-Za-z0-9_-]{0,63}$/.test(tool) && !tool.includes("__") ? `${server}__${tool}` : null;

/** What changed between what was agreed on and what is offered now, one sentence each. */
export function toolChanges(
  seal: Seal,
  pinned: readonly PinnedTool[],
  offered: readonly OfferedTool[],
): readonly string[] {
  const now = new Map(offered.map((tool) => [tool.name, toolDigest(seal, tool)]));
  const known = new Set(pinned.map(({ name }) => name));
  return [
    ...pinned.flatMap(({ name, digest }) => {
      const found = now.get(name);
      return found === undefined ? [`${name} is gone`] : found === digest ? [] : [`${name} is not what was agreed on`];
    }),
    ...offered.flatMap(({ name }) => (known.has(name) ? [] : [`${name} is new`])),
  ];
}
