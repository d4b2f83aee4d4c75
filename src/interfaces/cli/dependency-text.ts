import type { DependencyGraphView } from "../../contract/views.ts";
import { field } from "./escape.ts";

type Graph = DependencyGraphView;
type Said = Graph["dependencies"][number];

/** Which of the two comes first. */
const firstOf = ({ task, kind, other }: Said): string => (kind === "blocks" ? task : other);
const laterOf = ({ task, kind, other }: Said): string => (kind === "blocks" ? other : task);

/** What the task comes after, and what comes after it, each as a tree. */
export function dependencyTree(id: string, graph: Graph): readonly string[] {
  const before = branches(id, graph, laterOf, firstOf, BEFORE);
  const after = branches(id, graph, firstOf, laterOf, AFTER);
  return [
    described(id, graph),
    before.length === 0 ? "depends on nothing" : "comes after:",
    ...before,
    after.length === 0 ? "nothing depends on it" : "comes before:",
    ...after,
  ];
}

/** Trees of all tasks that nothing comes before, each with what comes after it. */
export function graphTrees(graph: Graph): readonly string[] {
  const later = new Set(graph.dependencies.map(laterOf));
  const roots = graph.tasks.filter(({ id }) => !later.has(id));
  if (graph.dependencies.length === 0) return ["no dependencies"];
  // Where suggestions go round in a circle there is no first task: then they are told one by one.
  if (roots.length === 0) return graph.dependencies.map(({ task, kind, other }) => `${task} ${kind} ${other}`);
  return roots.flatMap(({ id }) => [described(id, graph), ...branches(id, graph, firstOf, laterOf, AFTER)]);
}

const BEFORE = { requires: "requires", blocks: "is blocked by", suggests: "suggests" } as const;
const AFTER = { requires: "is required by", blocks: "blocks", suggests: "is suggested by" } as const;

/** A task that stands in several branches is drawn out in the first of them. */
function branches(
  id: string,
  graph: Graph,
  here: (one: Said) => string,
  there: (one: Said) => string,
  words: Readonly<Record<Said["kind"], string>>,
): readonly string[] {
  const drawn = new Set<string>([id]);
  const below = (from: string, indent: string): string[] => {
    const edges = graph.dependencies.filter((one) => here(one) === from);
    return edges.flatMap((one, at) => {
      const last = at === edges.length - 1;
      const next = there(one);
      const line = `${indent}${last ? "└─" : "├─"} ${words[one.kind]} ${described(next, graph)}`;
      if (drawn.has(next)) return [graph.dependencies.some((more) => here(more) === next) ? `${line} …` : line];
      drawn.add(next);
      return [line, ...below(next, `${indent}${last ? "   " : "│  "}`)];
    });
  };
  return below(id, "");
}

function described(id: string, { tasks }: Graph): string {
  const task = tasks.find((one) => one.id === id);
  if (task === undefined) return id;
  const why = task.block_reason ?? task.exit_reason;
  return `${id}  ${why === null ? task.status : `${task.status}/${why}`}  ${field(task.title)}`;
}

/** For Graphviz; an arrow leads from what comes first. */
export const dotOf = (graph: Graph): string =>
  [
    "digraph tasks {",
    "  rankdir=LR;",
    ...graph.tasks.map(({ id, title, status }) => `  ${quoted(id)} [label="${dotText(title)}\\n${status}"];`),
    ...graph.dependencies.map(
      (one) =>
        `  ${quoted(firstOf(one))} -> ${quoted(laterOf(one))} [label=${quoted(one.kind)}${one.kind === "suggests" ? ", style=dashed" : ""}];`,
    ),
    "}",
  ].join("\n");

const quoted = (text: string): string => `"${dotText(text)}"`;
const dotText = (text: string): string => field(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"');

/** For Mermaid; an arrow leads from what comes first. */
export const mermaidOf = (graph: Graph): string =>
  [
    "graph LR",
    ...graph.tasks.map(({ id, title, status }) => `  ${id}["${mermaidText(title)}<br/>${status}"]`),
    ...graph.dependencies.map(
      (one) => `  ${firstOf(one)} ${one.kind === "suggests" ? "-.->" : "-->"}|${one.kind}| ${laterOf(one)}`,
    ),
  ].join("\n");

/** Mermaid has no escape in labels but its own entities. */
const mermaidText = (text: string): string =>
  field(text).replace(/[^\p{L}\p{N} .,:;!?()/+=*_-]/gu, (odd) => `#${odd.codePointAt(0)};`);
