import type { Contents } from "./evidence.ts";
import type { Body, Event } from "./journal.ts";
import type { Report } from "./report.ts";

/** Ends of a turn that the agent meant: only such a turn is a completed step. */
const WHOLE = ["end_turn", "permission"];

/** What agents asked for while their turns were open, and what is said of each turn that ended. */
export function checkTurns(events: readonly Event[], read: Contents, { found, counted }: Report): void {
  let open: { readonly name: string; readonly act: Body; acts: number; terminals: Set<string> } | null = null;
  for (const { type, body, stream, seq } of events) {
    const where = `${stream} ${seq}`;
    const name = `${body["step"]}.${body["run"]}`;
    if (type === "STEP_STARTED") open = { name, act: body["act"], acts: 0, terminals: new Set() };
    if (type === "TURN_ACTED") {
      counted("acts of turns");
      const act: Body = body["act"];
      if (open === null || open.name !== name || open.act["kind"] !== "turn") {
        found("turn", where, `an act of ${name}, which is no open turn`);
        continue;
      }
      open.acts += 1;
      if (body["n"] !== open.acts) found("turn", where, `act ${body["n"]} of ${name} comes after ${open.acts - 1}`);
      if (act["kind"] === "command" && body["decision"] === "allowed") {
        const terminal = String(act["terminal"]);
        if (act["when"] === "begins") open.terminals.add(terminal);
        else if (!open.terminals.delete(terminal))
          found("turn", where, `the command in ${terminal} of ${name} ended, and it never began`);
      }
      if (body["decision"] !== "allowed" && body["evidence"].length > 0)
        found("turn", where, `${name} was not allowed it, and there is evidence that it happened`);
    }
    if (type === "STEP_COMPLETED" || type === "STEP_FAILED") {
      if (open?.act["kind"] === "turn") checkEnd(open, name, type, body, where, read, found);
      open = null;
    }
    if (type === "STEP_LOST") open = null;
  }
}

function checkEnd(
  { act, acts, terminals }: { readonly act: Body; readonly acts: number; readonly terminals: ReadonlySet<string> },
  name: string,
  type: string,
  body: Body,
  where: string,
  read: Contents,
  found: Report["found"],
): void {
  const turns = (body["evidence"] as Body[]).filter((one) => one["kind"] === "turn");
  if (type === "STEP_COMPLETED" && turns.length !== 1)
    found("turn", where, `${name} is completed with ${turns.length} turns as evidence`);
  for (const turn of turns) {
    if (turn["acts"] !== acts) found("turn", where, `${name} says ${turn["acts"]} acts, the journal has ${acts}`);
    if (turn["home"] !== name) found("turn", where, `${name} says that its home is ${turn["home"]}`);
    if (WHOLE.includes(String(turn["stop"])) !== (type === "STEP_COMPLETED"))
      found("turn", where, `${name} stopped by ${turn["stop"]} and is ${type}`);
    const [asked, sent] = [read(act["prompt"], where), read(turn["prompt"], where)];
    if (asked !== null && sent !== null && !asked.equals(sent))
      found("turn", where, `${name} was sent another prompt than it was begun with`);
    read(turn["transcript"], where);
    for (const terminal of terminals)
      found("turn", where, `the command in ${terminal} of ${name} began, and nothing says how it ended`);
  }
}
