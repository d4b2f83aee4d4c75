import type { GateDefinition } from "../../domain/gate.ts";
import type { OpenPlan, WorkItem } from "../../domain/plan.ts";
import type { RecordedVerdict } from "../../domain/task.ts";
import type { Agent, ConcludingCapabilities, PlanningCapabilities, WorkOutcome } from "../../ports/agent.ts";

/** Changes nothing: has the project's gates run and writes down what they said. */
export const gatesAgent: Agent = {
  kind: "gates",
  retry: "continue",
  retries: false,

  async plan(can: PlanningCapabilities): Promise<Pick<OpenPlan, "items" | "notes">> {
    const items = can.spec.scopes.map(
      ({ repo }): WorkItem => ({
        id: `gates-${repo}`,
        title: `Run the gates of ${repo} and write a report`,
        repo,
        paths: [],
        commands: can.spec.gates
          .filter((gate) => gate.repo === repo && gate.argv.length > 0)
          .map((gate) => gate.argv.join(" ")),
        risk: "low",
        criterion: null,
        dependsOn: [],
      }),
    );
    return { items, notes: ["The gates are run by the system in a fresh checkout; nothing is changed."] };
  },

  // The work of this agent is the verification itself, and that is the system's.
  work: async (): Promise<WorkOutcome> => ({ done: true }),

  async conclude(can: ConcludingCapabilities): Promise<void> {
    await can.storeArtifact("report.md", "text/markdown", report(can.spec.title, can.spec.gates, can.verdicts));
  },
};

function report(
  title: string,
  gates: readonly GateDefinition[],
  verdicts: Readonly<Record<string, RecordedVerdict>>,
): string {
  const rows = gates.map((gate) => {
    const verdict = verdicts[gate.id];
    const counts = verdict?.counts;
    const tests =
      counts === null || counts === undefined
        ? ""
        : `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    const command = cell(gate.argv.join(" "));
    return `| ${gate.id} | ${gate.repo} | \`${command}\` | ${verdict?.verdict ?? "not run"}${verdict?.verdict === "pass" && verdict.runs !== undefined ? `, flaky in ${verdict.runs} runs` : ""} | ${tests} | ${cell((verdict?.findings ?? []).join("; "))} |`;
  });
  const trees = [...new Set(Object.values(verdicts).map(({ tree }) => tree))].map((tree) => `\`${tree}\``).join(", ");
  return [
    `# ${title}`,
    "",
    `Gates run by the system on ${trees === "" ? "no tree" : trees}.`,
    "",
    "| gate | repo | command | verdict | tests | findings |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** Text as one cell of a table: a bar or a line break of a command would end it. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s*\n\s*/g, " ↵ ");
