import type { Body, Database, Event } from "./journal.ts";
import type { Report } from "./report.ts";

const ENDED: readonly string[] = ["COMPLETED", "FAILED", "CANCELED"];

/**
 * What comes before what: the table says what the events say; no task was claimed before what it required had succeeded and what blocked
 * it had ended; and what it was shown of another is what that one had stored by then. A wait for another task is a queued task's own.
 */
export function checkDependencies(database: Database, events: readonly Event[], { found, counted }: Report): void {
  const before = new Map<string, Map<string, string>>();
  const happened = new Map<string, Set<string>>();
  const stored = new Map<string, Set<string>>();
  for (const { stream, seq, type, body } of events) {
    if (!stream.startsWith("task/")) continue;
    const task = stream.slice("task/".length);
    const where = `${stream} ${seq}`;
    const mine = before.get(task) ?? new Map<string, string>();
    before.set(task, mine);
    if (type === "DEPENDENCY_ADDED") mine.set(body["on"], body["kind"]);
    if (type === "DEPENDENCY_REMOVED") mine.delete(body["on"]);
    if (ENDED.includes(type)) happened.set(task, (happened.get(task) ?? new Set()).add(type));
    if (type === "ARTIFACT_STORED") stored.set(task, (stored.get(task) ?? new Set()).add(artifactText(body)));
    if (type === "CLAIMED" && body["takeover"] !== true)
      for (const [on, kind] of mine) {
        counted("dependencies met");
        const ends = happened.get(on) ?? new Set();
        if (kind === "requires" && !ends.has("COMPLETED"))
          found("waiting", where, `was claimed, and task ${on}, which it requires, had not succeeded`);
        if (kind === "blocks" && ends.size === 0)
          found("waiting", where, `was claimed, and task ${on}, which blocks it, had not ended`);
      }
    if (type === "INPUTS_PINNED")
      for (const input of body["inputs"] as Body[]) {
        if (mine.get(input["task"]) !== "requires")
          found("replay", where, `is shown artifacts of task ${input["task"]}, which it does not require`);
        for (const artifact of input["artifacts"] as Body[])
          if (stored.get(input["task"])?.has(artifactText(artifact)) !== true)
            found("replay", where, `is shown ${artifact["name"]}, which task ${input["task"]} had not stored so`);
      }
  }
  const rows = database.rows("SELECT task, on_task, kind FROM task_dependencies");
  const told = rows.map((row) => `${row["task"]} ${row["kind"]} ${row["on_task"]}`).sort();
  const replayed = [...before].flatMap(([task, mine]) => [...mine].map(([on, kind]) => `${task} ${kind} ${on}`)).sort();
  for (const one of told)
    if (!replayed.includes(one)) found("replay", one, "stands in the table, and no event explains it");
  for (const one of replayed) if (!told.includes(one)) found("replay", one, "is recorded and not in the table");
}

const artifactText = ({ name, content }: Body): string => `${name} ${content["digest"]} ${content["bytes"]}`;
