import { z } from "zod";
import type { Client } from "../client/client.ts";
import { trouble } from "../client/trouble.ts";

/** The newest task, in a word. It is no id: ids have no L. */
const NEWEST = "LAST";

/** A task's id, so much of its beginning that it is the only one, or `last`. Only here, in front of a person: everywhere else an id is whole. */
export const TaskReference = z
  .string()
  .transform((text) => text.toUpperCase())
  .refine(
    (text) => text === NEWEST || /^[0-9A-HJKMNP-TV-Z]{6,26}$/.test(text),
    "must be a task's id, at least its first 6 characters, or the word last",
  );

const ID_LENGTH = 26;
const PAGE = 1_000;
const PAGES_MAX = 20;
const SHOWN_MAX = 10;

/** The whole id. Throws `task/not-found`, or `input/invalid` naming the candidates when several begin so. */
export async function taskNamed(api: Client, reference: string): Promise<string> {
  if (reference.length === ID_LENGTH) return reference;
  if (reference === NEWEST) {
    const [newest] = (await api.tasks({ limit: 1 })).items;
    if (newest === undefined) throw trouble("task/not-found", "there is no task yet");
    return newest.id;
  }
  const found: { readonly id: string; readonly title: string }[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { items, next } = await api.tasks({ search: reference, limit: PAGE, cursor });
    found.push(...items.filter(({ id }) => id.startsWith(reference)));
    if (next === null) break;
    cursor = next;
  }
  const [only, ...others] = found;
  if (only === undefined) throw trouble("task/not-found", `there is no task whose id begins with ${reference}`);
  if (others.length > 0)
    throw trouble(
      "input/invalid",
      `${found.length} tasks begin with ${reference}: ${found
        .slice(0, SHOWN_MAX)
        .map(({ id, title }) => `${id} (${title})`)
        .join(", ")}${found.length > SHOWN_MAX ? " …" : ""}`,
      {
        next: "Give more of the id.",
        facts: { ids: found.map(({ id }) => id) },
      },
    );
  return only.id;
}

/** Each of them; none for none. */
export async function tasksNamed(api: Client, references: readonly string[] = []): Promise<string[]> {
  const ids: string[] = [];
  for (const reference of references) ids.push(await taskNamed(api, reference));
  return ids;
}
