import { z } from "zod";
import { command, flag, option } from "../command.ts";
import { taskListLines } from "../task-text.ts";

const PAGES_MAX = 1_000;

export const taskList = command({
  args: z.strictObject({
    status: option(
      z.string().optional(),
      "STATUS,…",
      "only these: draft, queued, running, awaiting_approval, blocked, succeeded, failed, canceled",
    ),
    project: option(z.string().optional(), "PROJECT", "only of this project"),
    session: option(z.string().optional(), "NAME", "only of this session"),
    text: option(z.string().optional(), "TEXT", "only with this in the title"),
    limit: option(
      z
        .string()
        .regex(/^[1-9]\d{0,3}$/, "must be a number from 1 to 1000")
        .default("50"),
      "N",
      "so many at once",
    ),
    cursor: option(z.string().optional(), "CURSOR", "go on where a list ended"),
    all: flag(z.boolean().default(false), "all of them"),
  }),
  examples: ["agentos task list --status awaiting_approval,blocked", "agentos task list --quiet --all"],
  async run({ all, limit, cursor, ...query }, { api, out, signal }) {
    let page = await api.tasks({ ...query, cursor, limit: Number(limit) });
    const items = [...page.items];
    for (let pages = 1; all && page.next !== null && pages < PAGES_MAX && !signal.aborted; pages += 1) {
      page = await api.tasks({ ...query, cursor: page.next, limit: Number(limit) });
      items.push(...page.items);
    }
    const found = { items, next: page.next };
    out.result(found, taskListLines, () => items.map(({ id }) => id));
    if (found.next !== null) out.note(`there are more: --all, or --cursor ${found.next}`);
  },
});
