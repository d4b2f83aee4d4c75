import { describe, expect, test } from "vitest";
import type { DependencyGraphView } from "../../contract/views.ts";
import { dependencyTree, dotOf, graphTrees, mermaidOf } from "./dependency-text.ts";

const task = (id: string, title: string, more: Partial<DependencyGraphView["tasks"][number]> = {}) =>
  ({ id, title, status: "draft", exit_reason: null, block_reason: null, ...more }) as const;

const GRAPH: DependencyGraphView = {
  tasks: [
    task("A", "Mend the parser", { status: "failed", exit_reason: "gates_failed" }),
    task("B", 'Use "it"\u001b[2J', { status: "blocked", block_reason: "dependency_failed" }),
    task("C", "Write of it"),
    task("D", "Publish"),
  ],
  dependencies: [
    { task: "B", kind: "requires", other: "A" },
    { task: "C", kind: "suggests", other: "B" },
    { task: "B", kind: "blocks", other: "D" },
    { task: "D", kind: "requires", other: "C" },
  ],
  cut: false,
};

describe("dependencies are told", () => {
  test("as trees, both ways; what was drawn already is not drawn out again", () => {
    expect(dependencyTree("D", GRAPH)).toEqual([
      "D  draft  Publish",
      "comes after:",
      '├─ is blocked by B  blocked/dependency_failed  Use "it"\\u{1b}[2J',
      "│  └─ requires A  failed/gates_failed  Mend the parser",
      "└─ requires C  draft  Write of it",
      '   └─ suggests B  blocked/dependency_failed  Use "it"\\u{1b}[2J …',
      "nothing depends on it",
    ]);
    expect(dependencyTree("A", GRAPH)).toEqual([
      "A  failed/gates_failed  Mend the parser",
      "depends on nothing",
      "comes before:",
      '└─ is required by B  blocked/dependency_failed  Use "it"\\u{1b}[2J',
      "   ├─ is suggested by C  draft  Write of it",
      "   │  └─ is required by D  draft  Publish",
      "   └─ blocks D  draft  Publish",
    ]);
    expect(graphTrees(GRAPH)[0]).toBe("A  failed/gates_failed  Mend the parser");
    expect(graphTrees({ ...GRAPH, dependencies: [] })).toEqual(["no dependencies"]);
    const round = [
      { task: "A", kind: "suggests", other: "B" },
      { task: "B", kind: "suggests", other: "A" },
    ] as const;
    expect(graphTrees({ tasks: GRAPH.tasks.slice(0, 2), dependencies: [...round], cut: false })).toEqual([
      "A suggests B",
      "B suggests A",
    ]);
  });

  test("to Graphviz and Mermaid, an arrow from what comes first, with nothing of a title that could be more than text", () => {
    expect(dotOf(GRAPH).split("\n")).toEqual([
      "digraph tasks {",
      "  rankdir=LR;",
      '  "A" [label="Mend the parser\\nfailed"];',
      '  "B" [label="Use \\"it\\"\\\\u{1b}[2J\\nblocked"];',
      '  "C" [label="Write of it\\ndraft"];',
      '  "D" [label="Publish\\ndraft"];',
      '  "A" -> "B" [label="requires"];',
      '  "B" -> "C" [label="suggests", style=dashed];',
      '  "B" -> "D" [label="blocks"];',
      '  "C" -> "D" [label="requires"];',
      "}",
    ]);
    expect(mermaidOf(GRAPH).split("\n").slice(0, 7)).toEqual([
      "graph LR",
      '  A["Mend the parser<br/>failed"]',
      '  B["Use #34;it#34;#92;u#123;1b#125;#91;2J<br/>blocked"]',
      '  C["Write of it<br/>draft"]',
      '  D["Publish<br/>draft"]',
      "  A -->|requires| B",
      "  B -.->|suggests| C",
    ]);
  });
});
