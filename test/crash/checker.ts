import { checkAcknowledged } from "./checker/acknowledged.ts";
import { checkAllOrNone } from "./checker/all-or-none.ts";
import { checkRepositories } from "./checker/delivered.ts";
import { checkDependencies } from "./checker/dependencies.ts";
import { checkContents, checkEvidence, contents } from "./checker/evidence.ts";
import { type Event, openDatabase, readJournal } from "./checker/journal.ts";
import { checkProcesses } from "./checker/processes.ts";
import { compareWithTables, replay, type State } from "./checker/replay.ts";
import { newReport, type Report } from "./checker/report.ts";
import { checkSteps, heads, stopsIn, struckIn, witnessLines } from "./checker/steps.ts";
import { checkTurns } from "./checker/turns.ts";
import { placesIn } from "./places.ts";

/**
 * Judges a data directory after whatever happened to it. It uses nothing of the product: its own SQL over the database, its own
 * canonical form and hashes, its own fold of the events, the git program, and files. It writes nothing.
 *
 * `stopped`: no daemon is meant to be alive, so no process may be either, and the person's repositories are at rest.
 * Otherwise (between a death and the next life) only what must be true at any instant is checked.
 */
export function check(directory: string, { stopped }: { readonly stopped: boolean }): Report {
  const report = newReport();
  const places = placesIn(directory);
  const database = openDatabase(places.home);
  if (database === null) return report;
  try {
    const events = readJournal(database, report);
    report.counted("events", events.length);
    checkAcknowledged(places, events, report);
    checkDependencies(database, events, report);
    const witness = witnessLines(places);
    const deaths = heads(places);
    report.counted("deaths", deaths.length);
    const read = contents(database, places, report);
    for (const [id, mine] of byTask(events)) {
      report.counted("tasks");
      const state = replay(id, mine);
      compareWithTables(database, state, report);
      if (!stopped) continue;
      checkSteps(id, mine, { deaths, stops: stopsIn(places), struck: struckIn(places) }, witness, report);
      for (const event of mine) checkContents(event, read);
      checkEvidence(id, mine, places, read, report);
      checkTurns(mine, read, report);
      checkWaiting(state, report);
    }
    for (const [id, mine] of byTask(events)) checkAllOrNone(id, mine, events, { stopped }, report);
    if (stopped) {
      checkRepositories(places, events, report);
      checkProcesses(directory, database, report);
    }
    return report;
  } finally {
    database.close();
  }
}

function byTask(events: readonly Event[]): ReadonlyMap<string, readonly Event[]> {
  const tasks = new Map<string, Event[]>();
  for (const event of events) {
    if (!event.stream.startsWith("task/")) continue;
    const id = event.stream.slice("task/".length);
    const there = tasks.get(id);
    if (there === undefined) tasks.set(id, [event]);
    else there.push(event);
  }
  return tasks;
}

const EXITS: Readonly<Record<string, readonly string[]>> = {
  succeeded: ["done", "accepted_unproven"],
  failed: ["gates_failed", "plan_rejected", "dependency_failed", "bug"],
  canceled: ["canceled_by_person", "plan_rejected", "superseded"],
};
const WAITS = [
  "no_model",
  "provider_unavailable",
  "agent_missing",
  "agent_failed",
  "outcome_unknown",
  "question",
  "approval_needed",
  "paused",
  "budget_exhausted",
  "gates_exhausted",
  "findings",
  "prepare_failed",
  "conflict",
  "repo_missing",
  "sandbox_missing",
  "storage_full",
  "integrity",
  "dependency_failed",
  "crash_loop",
];

/** At rest a task has ended, or can be run, or waits for something that has a name; and only a wait may leave a step open. */
function checkWaiting(state: State, { found }: Report): void {
  const where = `task/${state.id} ${state.seq}`;
  const exits = EXITS[state.status];
  if (state.status === "running") found("waiting", where, "is running although nobody runs it");
  if (exits !== undefined && !exits.includes(state.exitReason ?? ""))
    found("waiting", where, `is ${state.status} by ${state.exitReason}`);
  // A crash test gives no reason for a bug: such an end is one.
  if (state.exitReason === "bug") found("waiting", where, "ended by a bug");
  if (state.status === "blocked" && !WAITS.includes(state.reason ?? ""))
    found("waiting", where, `waits for ${state.reason}`);
  // Behind a wait a step may stay open: the next claim closes it before anything else.
  // So may a delivery that a person has to settle; what the journal has to say of it is another check.
  if (state.open !== null && state.status !== "blocked" && state.open.body["act"].kind !== "deliver_together")
    found("waiting", where, `is ${state.status}, and ${state.open.step} is open`);
}
