import type { GateDefinition, PrepareDefinition } from "../domain/gate.ts";
import { partName } from "../domain/gate.ts";
import type { Spec } from "../domain/spec.ts";
import type { Task } from "../domain/task.ts";
import { verdictViews } from "./present.ts";
import type { GateView, OfferedGatesView, PinnedGatesView, PrepareView } from "./views.ts";

interface Offered {
  readonly repo: string;
  readonly root: string;
  readonly commit: string;
  readonly ecosystems: readonly string[];
  readonly gates: readonly GateDefinition[];
  readonly prepare: readonly PrepareDefinition[];
  readonly notes: readonly string[];
}

export const gatesView = ({ repo, root, commit, ecosystems, gates, prepare, notes }: Offered): OfferedGatesView => ({
  repo,
  root,
  commit,
  ecosystems: [...ecosystems],
  gates: gates.map(gateView),
  prepare: prepare.map(prepareView),
  notes: [...notes],
});

/** A draft has frozen nothing yet. */
export const pinnedGatesView = (task: Task, spec: Spec | null): PinnedGatesView => ({
  task: task.id,
  pinned_on: { ...spec?.pinnedOn },
  gates: (spec?.gates ?? []).map(gateView),
  prepare: (spec?.prepare ?? []).map(prepareView),
  verdicts: verdictViews(task),
});

const gateView = (gate: GateDefinition): GateView => ({
  id: gate.id,
  repo: gate.repo,
  argv: [...gate.argv],
  cwd: gate.cwd,
  judgement: gate.judgement,
  runner: gate.runner,
  report: gate.report,
  program: gate.program,
  // By path nothing is looked up: it is the repository's own, or it says itself where it is.
  program_found: gate.argv[0] === undefined || gate.argv[0].includes("/") ? null : gate.program !== null,
  timeout_ms: gate.timeoutMs,
  source: gate.source,
  pinned: gate.definition.filter(({ sha256 }) => sha256 !== null).map(partName),
});

const prepareView = (one: PrepareDefinition): PrepareView => ({
  id: one.id,
  repo: one.repo,
  argv: [...one.argv],
  cwd: one.cwd,
  inputs: one.inputs.filter(({ sha256 }) => sha256 !== null).map(partName),
  fills: [...one.outputs, ...one.stores],
  hosts: [...one.hosts],
  reproducible: one.reproducible,
});
