import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { count } from "../columns.ts";
import { command, positional } from "../command.ts";
import { field } from "../escape.ts";
import { findingLine, tellingFirst } from "../finding-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { gateLines } from "../task-text.ts";

export const taskVerify = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task") }),
  async run({ id: reference }, { api, offline, settings, out }) {
    const id = await taskNamed(api, reference);
    const { criteria, gates, steps } = await api.evidence(id);
    const audit = await offline.auditVerify(settings.home);
    // What belongs to no stream (the database itself, the order over all) is this task’s ground as well.
    const findings = tellingFirst(audit.findings).filter(
      ({ stream }) => stream === `task/${id}` || (stream !== "system" && !stream.includes("/")),
    );
    const elsewhere = audit.findings.length - findings.length;
    out.result({ task: id, whole: findings.length === 0, findings, criteria, gates, steps: steps.length }, () => [
      findings.length === 0
        ? `the history of task ${id} and all it names is whole (${count(steps.length, "step")} with their evidence)`
        : `the history of task ${id} was changed:`,
      ...findings.map(findingLine),
      ...gateLines(gates),
      ...criteria.map((one) => `${one.verdict}: ${field(one.text)}`),
    ]);
    if (elsewhere > 0) out.note(`${count(elsewhere, "finding")} outside of this task: agentos audit verify names them`);
    if (findings.length > 0)
      throw trouble(
        "audit/broken",
        `${count(findings.length, "finding")} on task ${id}: ${findings.slice(0, 3).map(findingLine).join("; ")}`,
        { facts: { findings } },
      );
  },
});
