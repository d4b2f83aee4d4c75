import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { count } from "../columns.ts";
import { command } from "../command.ts";
import { field } from "../escape.ts";
import { findingLine, tellingFirst } from "../finding-text.ts";

export const auditVerify = command({
  args: z.strictObject({}),
  async run(_, { offline, settings, out }) {
    const found = await offline.auditVerify(settings.home);
    const audit = { ...found, findings: tellingFirst(found.findings) };
    out.result(audit, ({ streams, events, blobs, findings, backwards }) => [
      `checked ${count(events, "event")} in ${count(streams, "stream")} and ${count(blobs, "blob")}: ${findings.length === 0 ? "whole" : count(findings.length, "finding")}`,
      ...findings.map(findingLine),
      ...backwards.map(
        ({ stream, seq, ms }) =>
          `${field(stream)} #${seq}: dated ${Math.round(ms / 1000)} s before the event before it: the clock was set back; the order is the journal's`,
      ),
    ]);
    const [first] = audit.findings;
    if (first !== undefined)
      throw trouble(
        "audit/broken",
        `the history was changed outside AgentOS: ${findingLine(first)}${audit.findings.length === 1 ? "" : ` and ${audit.findings.length - 1} more`}`,
        { facts: { findings: audit.findings } },
      );
  },
});
