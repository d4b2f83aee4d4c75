import {
  NEEDS_PERSON,
  type Page,
  type Paused,
  readEvent,
  readPage,
  readPaused,
  readProblem,
  readTask,
  type Task,
  type TaskEvent,
} from "./wire.ts";

/** Tasks of one view, each of which is asked for again with every news. Beyond that the page says that there is more, and where. */
const TASKS_SHOWN = 100;
/** Most events of one answer, and most answers for one task's history. */
const EVENTS_ITEMS = 500;
const EVENTS_PAGES_MAX = 20;

export interface Listing<Item> {
  readonly items: readonly Item[];
  /** The daemon has more than was read. */
  readonly more: boolean;
}

export interface Overview {
  /** The newest tasks that wait for a person. */
  readonly waiting: Listing<Task>;
  /** The first tasks in the daemon's order. */
  readonly tasks: Listing<Task>;
  /** Since when and by whom everything is paused; null while it is not, or while the daemon does not say. */
  readonly paused: Paused | null;
}

/** @throws Error with a sentence for people. */
export async function fetchOverview(signal: AbortSignal): Promise<Overview> {
  const [waiting, tasks, paused] = await Promise.all([
    fetchPages("/api/tasks", { status: NEEDS_PERSON.join(",") }, "cursor", readTask, TASKS_SHOWN, 1, signal),
    fetchPages("/api/tasks", {}, "cursor", readTask, TASKS_SHOWN, 1, signal),
    fetchJson("/api/health", signal).then(readPaused),
  ]);
  return { waiting, tasks, paused };
}

/** One task. @throws Error with a sentence for people. */
export async function fetchTask(id: string, signal: AbortSignal): Promise<Task> {
  const task = readTask(await fetchJson(`/api/tasks/${encodeURIComponent(id)}`, signal));
  if (task === null) throw new Error("The daemon answered with something that is no task.");
  return task;
}

/** A task's history, oldest first. @throws Error with a sentence for people. */
export const fetchEvents = (id: string, signal: AbortSignal): Promise<Listing<TaskEvent>> =>
  fetchPages(
    `/api/tasks/${encodeURIComponent(id)}/events`,
    {},
    "after",
    readEvent,
    EVENTS_ITEMS,
    EVENTS_PAGES_MAX,
    signal,
  );

/** Follows `next` through the pages; `cursor` is the parameter that carries it back. */
async function fetchPages<Item>(
  path: string,
  filter: Readonly<Record<string, string>>,
  cursor: "cursor" | "after",
  readItem: (value: unknown) => Item | null,
  itemsMax: number,
  pagesMax: number,
  signal: AbortSignal,
): Promise<Listing<Item>> {
  const items: Item[] = [];
  const query = new URLSearchParams({ ...filter, limit: String(itemsMax) });
  for (let page = 0; page < pagesMax; page += 1) {
    const answer: Page<Item> = readPage(await fetchJson(`${path}?${query}`, signal), readItem);
    items.push(...answer.items);
    if (answer.next === null || answer.next === query.get(cursor)) return { items, more: false };
    query.set(cursor, answer.next);
  }
  return { items, more: true };
}

async function fetchJson(path: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(path, { signal, headers: { accept: "application/json" }, cache: "no-store" }).catch(
    (cause: unknown) => {
      if (signal.aborted) throw cause;
      throw new Error("The daemon does not answer. Is it running? agentos daemon status tells.", { cause });
    },
  );
  // A body that is no JSON is told by its status below.
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Error(readProblem(body) ?? `The daemon answered ${response.status} for ${path}.`);
  return body;
}
