import type { GateView, OfferedGatesView, PinnedGatesView, PrepareView } from "../../contract/views.ts";
import { argvText } from "./argv-text.ts";
import { short } from "./columns.ts";
import { field } from "./escape.ts";
import { gateLines as verdictLines } from "./task-text.ts";

export function offeredLines(offered: OfferedGatesView): readonly string[] {
  return [
    `${field(offered.root)} at ${short(offered.commit)}: ${offered.ecosystems.length === 0 ? "nothing AgentOS knows" : offered.ecosystems.map(field).join(", ")}`,
    ...definitionLines(offered.gates, offered.prepare),
    ...offered.notes.map((note) => `Note: ${field(note)}`),
  ];
}

export const pinnedLines = (pinned: PinnedGatesView): readonly string[] => [
  `Task: ${pinned.task}`,
  ...(Object.keys(pinned.pinned_on).length === 0 ? ["It is a draft; freezing it pins its gates."] : []),
  ...definitionLines(pinned.gates, pinned.prepare),
  ...verdictLines(pinned.verdicts),
];

const definitionLines = (gates: readonly GateView[], prepare: readonly PrepareView[]): readonly string[] => [
  ...gates.flatMap((gate) => [
    `Gate ${field(gate.id)}: ${gate.argv.length === 0 ? "no command" : field(argvText(gate.argv))}${gate.cwd === "." ? "" : ` in ${field(gate.cwd)}`}`,
    `  judged by ${gate.judgement === "tests" ? `the tests that ${gate.runner === null ? "its report" : field(gate.runner)} counts` : "its exit code"}, at most ${gate.timeout_ms / 1000} s, ${gate.source}`,
    ...(gate.program_found === null
      ? []
      : [`  program: ${gate.program === null ? `${field(gate.argv[0] ?? "")} is not found` : field(gate.program)}`]),
  ]),
  ...prepare.map(
    (one) =>
      `Prepared by: ${field(argvText(one.argv))}${one.cwd === "." ? "" : ` in ${field(one.cwd)}`} (${one.reproducible ? "once for each lock file" : "for each task anew"}; reaches ${one.hosts.length === 0 ? "no host" : one.hosts.map(field).join(", ")})`,
  ),
];
