import type { GateReport } from "../domain/event.ts";
import {
  type FlakyPolicy,
  type GateDefinition,
  type GateRun,
  type Ground,
  judge,
  NO_RERUN,
  runsAgain,
  type Verdict,
} from "../domain/gate.ts";
import type { Broker, Desk, GateOutcome } from "../ports/broker.ts";

/**
 * Has the gate run on that ground, as often as the policy lets its failing tests be repeated, and judges what was gathered. A gate without a
 * command is judged without a run.
 */
export async function judgedGate(
  broker: Broker,
  desk: Desk,
  gate: GateDefinition,
  ground: Ground,
  on: GateReport["on"],
  flaky: FlakyPolicy = NO_RERUN,
): Promise<{ readonly report: GateReport; readonly verdict: Verdict }> {
  if (gate.argv.length === 0)
    return {
      report: { gate: gate.id, on, ...ground, step: "", counts: null, found: [], output: null },
      verdict: judge(gate, ground, []),
    };
  const runs: GateRun[] = [];
  let last: GateOutcome;
  do {
    // Each run is a step of its own; after a crash the finished ones answer from the journal.
    last = await broker.gate(desk, gate, ground, on);
    runs.push({ step: last.step, ground, evidence: last.evidence, found: last.found, program: last.program });
  } while (runsAgain(gate, ground, runs, flaky));
  const { step, counts, found, output } = last;
  return {
    report: {
      gate: gate.id,
      on,
      ...ground,
      step,
      counts,
      found,
      output,
      ...(runs.length > 1 && { runs: runs.length }),
    },
    verdict: judge(gate, ground, runs, flaky),
  };
}
