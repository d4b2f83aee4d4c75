import { existsSync, readFileSync } from "node:fs";
import type { Places } from "../places.ts";
import type { Body, Event } from "./journal.ts";
import { linesOf } from "./lines.ts";
import type { Report } from "./report.ts";

/** How far the journal durably was at each death, in order. */
export function heads(places: Places): readonly number[] {
  const lives = linesOf<{ readonly pid: number; readonly position: number }>(places.lives);
  const kills = linesOf<{ readonly pid: number }>(places.kills);
  let next = 0;
  return kills.map(({ pid }) => {
    const at = lives.findIndex((life, index) => index >= next && life.pid === pid);
    // A life that died before it could write down where it began ended where the next one begins.
    if (at >= 0) next = at + 1;
    return lives[next]?.position ?? Number.POSITIVE_INFINITY;
  });
}

/** From where to where the journal grew in each life that was asked to stop: it may end an open step itself, and the next one begins it again. */
export function stopsIn(places: Places): readonly (readonly [from: number, to: number])[] {
  const lives = linesOf<{ readonly pid: number; readonly position: number }>(places.lives);
  return linesOf<{ readonly pid: number }>(places.stops).flatMap(({ pid }) => {
    const at = lives.findIndex((life) => life.pid === pid);
    const life = lives[at];
    return life === undefined ? [] : [[life.position, lives[at + 1]?.position ?? Number.POSITIVE_INFINITY] as const];
  });
}

/** One step whose command was killed while the daemon lived on. */
export interface Struck {
  readonly task: string;
  readonly step: string;
}

export const struckIn = (places: Places): readonly Struck[] => linesOf<Struck>(places.struck);

interface Run {
  readonly run: number;
  readonly from: Event;
  to: Event | null;
}

/** How often each step of a task ran, by the journal and by the witness file that its commands wrote into. */
export function checkSteps(
  task: string,
  events: readonly Event[],
  {
    deaths,
    stops,
    struck,
  }: {
    readonly deaths: readonly number[];
    readonly stops: ReturnType<typeof stopsIn>;
    readonly struck: readonly Struck[];
  },
  witness: readonly string[],
  { found, counted }: Report,
): void {
  const steps = new Map<string, Run[]>();
  const redone = new Map<string, number>();
  for (const event of events) {
    const step = String(event.body["step"]);
    const where = `${event.stream} ${event.seq}`;
    if (event.type === "OUTCOME_SETTLED" && event.body["outcome"] === "redo")
      redone.set(step, (redone.get(step) ?? 0) + 1);
    if (event.type === "STEP_STARTED") {
      const runs = steps.get(step) ?? [];
      steps.set(step, runs);
      if (runs.some(({ to }) => to?.type === "STEP_COMPLETED"))
        found("step begun after its end", where, `${step} is begun again after it was completed`);
      if (runs.some(({ to }) => to === null))
        found("step begun after its end", where, `${step} is begun while it is open`);
      if (event.body["run"] !== runs.length + 1)
        found("runs of a step", where, `${step} has run ${event.body["run"]} after ${runs.length}`);
      runs.push({ run: event.body["run"], from: event, to: null });
    }
    if (["STEP_COMPLETED", "STEP_FAILED", "STEP_LOST"].includes(event.type)) {
      const run = steps.get(step)?.findLast((one) => one.run === event.body["run"] && one.to === null);
      if (run === undefined) found("runs of a step", where, `${step}.${event.body["run"]} ends without being open`);
      else run.to = event;
    }
  }

  const waits = events.flatMap(({ type, body, position }) =>
    type === "BLOCKED" && body["reason"] === "storage_full" ? [position] : [],
  );
  for (const [step, runs] of steps) {
    counted("steps");
    const where = `task/${task} ${step}`;
    const ended = stops.filter(([first, last]) =>
      runs.some(({ from, to }) => from.position > first && to?.type === "STEP_LOST" && to.position <= last),
    ).length;
    // Put down for want of space before its end was written, and begun again when there was some.
    const full = runs.filter(
      ({ from }, at) =>
        at > 0 && waits.some((position) => position > (runs[at - 1]?.from.position ?? 0) && position < from.position),
    ).length;
    const killed =
      ended +
      full +
      struck.filter((one) => one.task === task && one.step === step).length +
      deaths.filter((head) => runs.some(({ from, to }) => from.position <= head && (to === null || to.position > head)))
        .length;
    if (runs.length > 1 + killed)
      found("runs of a step", where, `was begun ${runs.length} times, with ${killed} deaths while it was open`);
    const act = runs[0]?.from.body["act"] as Body;
    if (act["kind"] === "command" && (act["network"]?.length ?? 0) > 0 && runs.length > 1 + (redone.get(step) ?? 0))
      found(
        "outside",
        where,
        `may reach outside and was begun ${runs.length} times, with ${redone.get(step) ?? 0} words of a person to do it again`,
      );
    const cut = struck.some((one) => one.task === task && one.step === step);
    checkWitness(task, step, runs, { killed, cut }, witness, found);
  }
  for (const line of witness) {
    const [of, step = "", run] = line.split(" ");
    if (of === task && !steps.get(step)?.some((one) => String(one.run) === run))
      found(
        "witness",
        `task/${task} ${step}`,
        `a command wrote ${JSON.stringify(line)}, and the journal knows no such run`,
      );
  }
  counted("witness lines", witness.filter((line) => line.startsWith(`${task} `)).length);
}

function checkWitness(
  task: string,
  step: string,
  runs: readonly Run[],
  { killed, cut }: { readonly killed: number; readonly cut: boolean },
  witness: readonly string[],
  found: Report["found"],
): void {
  const where = `task/${task} ${step}`;
  const lines = witness.flatMap((line) => (line.startsWith(`${task} ${step} `) ? [Number(line.split(" ")[2])] : []));
  if (lines.length > 1 + killed)
    found("witness", where, `ran ${lines.length} times, with ${killed} deaths while it was open`);
  for (const [at, run] of lines.entries()) {
    if (lines.indexOf(run) !== at) found("witness", where, `run ${run} wrote its line twice`);
    if (lines.slice(0, at).some((earlier) => earlier > run))
      found("witness", where, `run ${run} wrote its line after a later run`);
  }
  const completed = runs.find(({ to }) => to?.type === "STEP_COMPLETED");
  const says = commandsOf(runs[0]?.from.body["act"]);
  // Settled by a person: then the run that was lost may be the one that took effect, or none was.
  const ran = completed?.to?.body["evidence"].some((one: Body) => one["kind"] === "command");
  // A command that was killed has its end recorded like any other, and may have come to nothing before.
  if (completed !== undefined && ran && says && !cut && !lines.includes(completed.run))
    found("witness", where, `is completed, and its run ${completed.run} wrote no line`);
}

/** Whether the step's command is one that writes a line. */
const commandsOf = (act: Body | undefined): boolean =>
  act !== undefined &&
  (act["kind"] === "gate" || (act["argv"] ?? act["target"] ?? []).some((word: string) => word.includes("/witness")));

export const witnessLines = (places: Places): readonly string[] =>
  existsSync(places.witness)
    ? readFileSync(places.witness, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
