import { z } from "zod";
import type { BulkInput } from "../../contract/inputs.ts";
import { PROBLEMS } from "../../contract/problems.ts";
import type { BulkView, TaskView } from "../../contract/views.ts";
import { trouble } from "../client/trouble.ts";
import { columns, count } from "./columns.ts";
import { flag, option, positional } from "./command.ts";
import type { Context } from "./context.ts";
import { isSure } from "./sure.ts";
import { TaskReference, taskNamed } from "./task-reference.ts";

/** How a verb names the tasks it is for. */
export const MANY_TASKS = {
  id: positional(z.array(TaskReference).default([]), "ID", "the task, or several"),
  project: option(z.string().optional(), "PROJECT", "all of this project that it is for"),
  session: option(z.string().optional(), "NAME", "all of this session that it is for"),
  status: option(z.string().optional(), "STATUS,…", "all in one of these statuses"),
  all: flag(z.boolean().default(false), "all tasks that it is for"),
  dryRun: flag(z.boolean().default(false), "only say what would come of it"),
  yes: flag(z.boolean().default(false), "do not ask, however many they are"),
};

export type ManyGiven = z.infer<z.ZodObject<typeof MANY_TASKS>>;
type Wanted = z.input<typeof BulkInput>;

/** More than so many are not changed without a question. */
const ASKS_ABOVE = 10;

/** The one task that is meant; null when it is several, or a filter, or a dry run. */
export async function onlyTask({ api }: Context, given: ManyGiven): Promise<string | null> {
  const [reference, ...others] = given.id;
  if (reference === undefined || others.length > 0 || given.dryRun || isFilter(given)) return null;
  return taskNamed(api, reference);
}

/** One verb on many tasks: each says for itself what came of it. The exit code is that of a refused task where one was refused. */
export async function forMany(
  context: Context,
  verb: Wanted["verb"],
  given: ManyGiven,
  said: Pick<Wanted, "reason" | "more_ms" | "more"> = {},
): Promise<number> {
  const { out } = context;
  const wanted: Wanted = { ...(await which(context, given)), verb, ...said };
  const would = await everyPage(context, { ...wanted, dry_run: true });
  if (given.dryRun || would.items.length === 0) return tell(context, would);
  if (would.done > ASKS_ABOVE && !(await isSure(context, given.yes, `This would ${verb} ${would.done} tasks.`)))
    return 1;
  const done = await everyPage(context, wanted);
  const exit = tell(context, done);
  if (done.refused > 0) out.note(`${count(done.refused, "task")} refused; the others were not held up by it`);
  return exit;
}

const isFilter = ({ project, session, status, all }: ManyGiven): boolean =>
  project !== undefined || session !== undefined || status !== undefined || all;

async function which({ api }: Context, given: ManyGiven): Promise<Omit<Wanted, "verb">> {
  const { id, project, session, status, all } = given;
  if (isFilter(given) === id.length > 0)
    throw trouble(
      "input/invalid",
      id.length > 0
        ? "Tasks were named, and a filter too: it would not be clear which are meant."
        : "No task was named.",
      { next: "Name tasks by id; or a filter: --project, --session, --status; or --all." },
    );
  if (id.length > 0) return { ids: await Promise.all(id.map((one) => taskNamed(api, one))) };
  return {
    ...(project !== undefined && { project }),
    ...(session !== undefined && { session }),
    ...(status !== undefined && { status: status.split(",") as TaskView["status"][] }),
    ...(all && { all }),
  };
}

/** A filter may find more than one answer holds. */
async function everyPage({ api, signal }: Context, wanted: Wanted): Promise<BulkView> {
  let page = await api.bulk(wanted);
  const items = [...page.items];
  while (page.next !== null && !signal.aborted) {
    page = await api.bulk({ ...wanted, cursor: page.next });
    items.push(...page.items);
  }
  const refused = items.filter(({ outcome }) => outcome === "refused").length;
  return { ...page, items, done: items.length - refused, refused };
}

function tell({ out }: Context, found: BulkView): number {
  const did = (outcome: string): string =>
    found.dry_run ? (outcome === "done" ? `would ${found.verb}` : "would refuse") : outcome;
  out.result(
    found,
    ({ items }) =>
      items.length === 0
        ? [`no task to ${found.verb}`]
        : columns(items.map((one) => [one.id, one.status ?? "-", did(one.outcome), one.why ?? one.title ?? ""])),
    ({ items }) => items.filter(({ outcome }) => outcome === "done").map(({ id }) => id),
  );
  return found.refused > 0 && !found.dry_run ? PROBLEMS["task/refused"].exit : 0;
}
