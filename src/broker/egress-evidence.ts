import type { Evidence } from "../domain/evidence.ts";
import type { Desk } from "../ports/broker.ts";
import type { EgressRecord } from "../ports/egress.ts";

/** Every connection that was tried, as evidence. */
export const egressEvidence = (records: readonly EgressRecord[]): readonly Evidence[] =>
  records.map(({ host, port, verdict, bytesUp, bytesDown }) => ({
    kind: "egress",
    host,
    port,
    verdict,
    bytesUp,
    bytesDown,
  }));

/** What the door did not open for stands in the task's journal as a refusal. */
export async function tellDenied(desk: Desk, records: readonly EgressRecord[]): Promise<void> {
  for (const { host, port, verdict, reason } of records)
    if (verdict === "denied")
      await desk.steps.deny(`connect to ${host}:${port}`, "egress", reason ?? "the host is not open for this step");
}
