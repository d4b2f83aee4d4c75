import { z } from "zod";
import type { Client } from "../client/client.ts";
import { flag, option } from "./command.ts";
import type { Context } from "./context.ts";
import { taskListLines } from "./task-text.ts";

const PAGES_MAX = 1_000;
/** One for all options: what a list takes is the making of schemas. */
const text = z.string();

/** What narrows and orders a list of tasks. The values are the daemon's to check: it names what it takes. */
export const LIST_OPTIONS = {
  status: option(
    text.optional(),
    "STATUS,…",
    "only these: draft, queued, running, awaiting_approval, blocked, succeeded, failed, canceled",
  ),
  project: option(text.optional(), "PROJECT", "only of this project"),
  session: option(text.optional(), "NAME", "only of this session"),
  createdBy: option(text.optional(), "NAME", "only created by this one"),
  blockReason: option(text.optional(), "REASON,…", "only blocked for one of these reasons, e.g. gates_exhausted"),
  exitReason: option(text.optional(), "REASON,…", "only ended for one of these reasons, e.g. gates_failed"),
  createdFrom: option(text.optional(), "TIME", "only created then or later, e.g. 2026-01-31 (midnight UTC)"),
  createdBefore: option(text.optional(), "TIME", "only created before then"),
  sort: option(text.optional(), "ORDER", "created, updated, title or status (default: created)"),
  direction: option(text.optional(), "DIRECTION", "desc or asc (default: desc)"),
  limit: option(
    z
      .string()
      .regex(/^[1-9]\d{0,3}$/, "must be a number from 1 to 1000")
      .default("50"),
    "N",
    "so many at once",
  ),
  cursor: option(text.optional(), "CURSOR", "go on where a list ended, with the same order"),
  all: flag(z.boolean().default(false), "all of them"),
};

type Given = z.infer<z.ZodObject<typeof LIST_OPTIONS>> & {
  readonly text?: string | undefined;
  readonly search?: string | undefined;
};

/** Lists what the options leave, one page or all of them. */
export async function listTasks(
  { all, limit, createdBy, blockReason, exitReason, createdFrom, createdBefore, ...query }: Given,
  { api, out, signal }: Pick<Context, "api" | "out" | "signal">,
): Promise<undefined> {
  const wanted: Parameters<Client["tasks"]>[0] = {
    ...query,
    created_by: createdBy,
    block_reason: blockReason,
    exit_reason: exitReason,
    created_from: createdFrom,
    created_before: createdBefore,
    limit: Number(limit),
  };
  let page = await api.tasks(wanted);
  const items = [...page.items];
  for (let pages = 1; all && page.next !== null && pages < PAGES_MAX && !signal.aborted; pages += 1) {
    page = await api.tasks({ ...wanted, cursor: page.next });
    items.push(...page.items);
  }
  const found = { items, next: page.next };
  out.result(found, taskListLines, () => items.map(({ id }) => id));
  if (found.next !== null) out.note(`there are more: --all, or --cursor ${found.next}`);
}
