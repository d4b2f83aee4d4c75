import type { Places } from "../places.ts";
import type { Body, Event } from "./journal.ts";
import { linesOf } from "./lines.ts";
import type { Report } from "./report.ts";

interface Acknowledged {
  readonly key: string;
  readonly name: string;
  readonly label: string;
  readonly path: string;
  readonly view: Body;
}

/** What a write that was answered with 2xx must have put into the journal. */
const EVENT_OF: Readonly<Record<string, readonly string[]>> = {
  bind: ["BOUND"],
  "spec/freeze": ["SPEC_FROZEN"],
  ready: ["READY"],
  approve: ["PLAN_APPROVED", "WORK_ITEM_APPROVED"],
  "request-changes": ["CHANGES_REQUESTED"],
  reject: ["PLAN_REJECTED"],
  pause: ["PAUSE_REQUESTED"],
  resume: ["RESUMED"],
  cancel: ["CANCEL_REQUESTED", "CANCELED"],
  retry: ["RETRIED"],
  deliver: ["DELIVERED"],
};

/** Every write that was answered with 2xx is in the journal, and none of them twice. */
export function checkAcknowledged(places: Places, events: readonly Event[], { found, counted }: Report): void {
  const answered = linesOf<Acknowledged>(places.acknowledged);
  const owed = new Map<string, number>();
  for (const { name, path, view, key, label } of answered) {
    counted("acknowledged writes");
    const where = `${label}, ${name} (${key})`;
    if (path === "/api/projects") {
      if (!events.some((event) => event.stream === `project/${view["id"]}` && event.type === "PROJECT_CREATED"))
        found("acknowledged", where, `the project ${view["id"]} is not in the journal`);
      continue;
    }
    const id = path === "/api/tasks" ? view["id"] : path.split("/")[3];
    const mine = events.filter(({ stream }) => stream === `task/${id}`);
    if (path === "/api/tasks") {
      if (mine[0]?.type !== "CREATED") found("acknowledged", where, `the task ${id} is not in the journal`);
      continue;
    }
    const verb = path.split("/").slice(4).join("/");
    const types = EVENT_OF[verb] ?? [];
    const slot = `${id} ${verb}`;
    owed.set(slot, (owed.get(slot) ?? 0) + 1);
    const done = mine.filter(
      ({ type, seq, actor }) =>
        types.includes(type) &&
        // A delivery that a death interrupted is finished by the next daemon, which says so in its own name.
        (actor.startsWith("person") || type === "DELIVERED") &&
        (typeof view["seq"] !== "number" || seq <= view["seq"]),
    ).length;
    if (done < (owed.get(slot) ?? 0))
      found(
        "acknowledged",
        where,
        `was answered with 2xx, and the journal has ${done} of ${owed.get(slot)} ${types.join(" or ")}`,
      );
    if (typeof view["seq"] === "number" && (mine.at(-1)?.seq ?? 0) < view["seq"])
      found(
        "acknowledged",
        where,
        `was answered with seq ${view["seq"]}, and the journal ends at ${mine.at(-1)?.seq ?? 0}`,
      );
  }

  // One journey creates one project and one task: a second one comes from a repeated request under the same key.
  const tasks = new Map<string, string[]>();
  for (const event of events) {
    if (event.type !== "CREATED") continue;
    tasks.set(event.body["session"], [...(tasks.get(event.body["session"]) ?? []), event.stream]);
  }
  for (const [session, streams] of tasks)
    if (streams.length > 1)
      found(
        "once per key",
        session,
        `one create under one Idempotency-Key made ${streams.length} tasks: ${streams.join(", ")}`,
      );
}
