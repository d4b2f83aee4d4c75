import type { ComparedView, VerdictView } from "../../contract/views.ts";
import { columns, count } from "./columns.ts";
import { field } from "./escape.ts";

/** One line per attempt, and below them what stands against each. */
export function comparedLines({ items }: ComparedView): readonly string[] {
  return [
    ...columns([
      ["ID", "STATUS", "AGENT", "GATES", "CHANGE", "WORKED"],
      ...items.map((one) => [
        one.id,
        statusText(one),
        one.agent ?? "-",
        one.gates
          .filter(({ on }) => on === "candidate")
          .map(gateText)
          .join(", ") || "-",
        changeText(one.change),
        `${(one.worked_ms / 1000).toFixed(1)} s`,
      ]),
    ]),
    ...items.flatMap((one) => {
      const findings = one.gates.flatMap(({ gate, on, findings: found }) =>
        on === "candidate" ? found.map((finding) => `  ${field(gate)}: ${field(finding)}`) : [],
      );
      const why = one.detail === null ? [] : [`  ${field(one.detail)}`];
      return findings.length + why.length === 0 ? [] : [`${one.id}:`, ...why, ...findings];
    }),
  ];
}

const statusText = (one: ComparedView["items"][number]): string =>
  one.delivered
    ? `${one.status}, delivered`
    : [one.status, one.block_reason ?? one.exit_reason].filter(Boolean).join("/");

const gateText = ({ gate, verdict, counts }: VerdictView): string =>
  counts === null ? `${gate} ${verdict}` : `${gate} ${verdict} ${counts.passed}/${counts.passed + counts.failed}`;

const changeText = (change: ComparedView["items"][number]["change"]): string =>
  change === null ? "-" : `${count(change.files, "file")} +${change.lines_added} -${change.lines_removed}`;
