import type { GateReport } from "../domain/event.ts";
import { type GateDefinition, type Ground, judge, type Verdict } from "../domain/gate.ts";
import type { Broker, Desk } from "../ports/broker.ts";

/** Has the gate run on that ground and judges what was gathered. A gate without a command is judged without a run. */
export async function judgedGate(
  broker: Broker,
  desk: Desk,
  gate: GateDefinition,
  ground: Ground,
  on: GateReport["on"],
): Promise<{ readonly report: GateReport; readonly verdict: Verdict }> {
  if (gate.argv.length === 0)
    return {
      report: { gate: gate.id, on, ...ground, step: "", counts: null, found: [], output: null },
      verdict: judge(gate, ground, []),
    };
  const { step, counts, found, output, evidence, program } = await broker.gate(desk, gate, ground, on);
  return {
    report: { gate: gate.id, on, ...ground, step, counts, found, output },
    verdict: judge(gate, ground, [{ step, ground, evidence, found, program }]),
  };
}
