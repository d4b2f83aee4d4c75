import { z } from "zod";
import { allEvents } from "../all-events.ts";
import { command, flag, option } from "../command.ts";
import { field } from "../escape.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { eventLine } from "../task-text.ts";

export const auditLog = command({
  args: z.strictObject({
    task: option(TaskReference.optional(), "ID", "only of this task"),
    actor: option(z.string().optional(), "TEXT", "only what an actor with this in its name did, e.g. person"),
    follow: flag(z.boolean().default(false), "go on as things happen, until interrupted"),
  }),
  async run({ task, actor, follow }, { api, out, signal }) {
    const id = task === undefined ? null : await taskNamed(api, task);
    const wanted = (who: string): boolean => actor === undefined || who.includes(actor);
    const everything = await allEvents((after, limit) =>
      id === null ? api.events(after, limit) : api.audits(id, after, limit),
    );
    const items = everything.filter((event) => wanted(event.actor));
    out.result(
      { items },
      () => items.map((event) => `${id === null ? `${field(event.stream)} ` : ""}${eventLine(event)}`),
      () => items.map(({ stream, seq }) => `${stream}#${seq}`),
    );
    if (!follow || out.json) return;
    const last = everything.at(-1);
    const events =
      id === null ? api.followEvents(last?.position ?? 0, signal) : api.followTask(id, last?.seq ?? 0, signal);
    for await (const { event } of events)
      if (wanted(event.actor))
        out.result({ items: [event] }, () => [`${id === null ? `${field(event.stream)} ` : ""}${eventLine(event)}`]);
  },
});
