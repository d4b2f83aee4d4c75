import type { EventListView, EventView } from "../../contract/views.ts";

const PAGE = 1_000;
const PAGES_MAX = 1_000;

/** Every event of a paged list, oldest first, up to a million. */
export async function allEvents(
  page: (after: number, limit: number) => Promise<EventListView>,
): Promise<readonly EventView[]> {
  const events: EventView[] = [];
  let after = 0;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const { items, next } = await page(after, PAGE);
    events.push(...items);
    if (next === null) break;
    after = next;
  }
  return events;
}
