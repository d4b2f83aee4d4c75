import { z } from "zod";
import type { DependencyGraphView } from "../../../contract/views.ts";
import { command, option } from "../command.ts";
import { dotOf, graphTrees, mermaidOf } from "../dependency-text.ts";

const DRAWN = {
  tree: graphTrees,
  dot: (graph: DependencyGraphView) => dotOf(graph).split("\n"),
  mermaid: (graph: DependencyGraphView) => mermaidOf(graph).split("\n"),
  json: (graph: DependencyGraphView) => [JSON.stringify(graph)],
} as const;

export const taskDepsGraph = command({
  args: z.strictObject({
    project: option(z.string().optional(), "PROJECT", "only of this project"),
    session: option(z.string().optional(), "NAME", "only of this session"),
    format: option(z.enum(["tree", "dot", "mermaid", "json"]).default("tree"), "FORMAT", "how it is drawn"),
  }),
  examples: ["agentos task deps graph", "agentos task deps graph --project app --format dot | dot -Tsvg > tasks.svg"],
  async run({ project, session, format }, { api, out }) {
    const graph = await api.dependencies({ project, session });
    out.result(graph, DRAWN[format], ({ tasks }) => tasks.map(({ id }) => id));
    if (graph.cut) out.note("there is more than is shown: narrow it by --project or --session");
  },
});
