import { z } from "zod";
import type { EvidenceView } from "../../../contract/views.ts";
import { columns, moment } from "../columns.ts";
import { command, positional } from "../command.ts";
import { field } from "../escape.ts";
import { evidenceText } from "../evidence-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { foundLines, gateLines } from "../task-text.ts";

export const taskEvidence = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task") }),
  async run({ id }, { api, out }) {
    out.result(
      await api.evidence(await taskNamed(api, id)),
      ({ criteria, gates, findings, review, steps }) => [
        "Criteria:",
        ...columns(
          criteria.map((one) => [
            ` ${one.verdict === "pass" ? "✓" : one.verdict === "fail" ? "✗" : "?"}`,
            one.verdict,
            one.gate ?? "no gate",
            one.text,
          ]),
        ),
        ...gateLines(gates),
        ...(review === null ? [] : reviewLines(review)),
        ...foundLines(findings),
        "Steps:",
        ...steps.flatMap((one) => [
          `  #${one.started_seq}–${one.ended_seq ?? "…"}  ${moment(one.started_at)}  ${one.status}  ${field(one.step)}${one.run === 1 ? "" : ` (run ${one.run})`}: ${field(one.doing)}`,
          ...one.evidence.map((piece) => `      ${field(evidenceText(piece))}`),
          ...(one.record_hash === null ? [] : [`      record ${one.record_hash}`]),
        ]),
      ],
      ({ steps }) => steps.map((one) => one.step),
    );
  },
});

const reviewLines = ({ by, failed, findings }: NonNullable<EvidenceView["review"]>): readonly string[] => [
  `Second opinion by ${field(by)}, on which no verdict depends:`,
  ...(failed !== null
    ? [`  none: ${field(failed)}`]
    : (findings || "nothing was found").split("\n").map((line) => `  ${field(line)}`)),
];
