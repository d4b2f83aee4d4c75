import { z } from "zod";
import { Time } from "./first-views.ts";

export const NoteView = z.object({
  id: z.string(),
  project: z.object({ id: z.string(), name: z.string() }),
  /** The repo it is about; null: all of the project. */
  repo: z.string().nullable(),
  /** Null: it was erased. */
  text: z.string().nullable(),
  status: z.enum(["proposed", "approved", "retired"]),
  by: z.string(),
  /** The task whose agent proposed it. */
  task: z.string().nullable(),
  at: Time,
});
export type NoteView = z.infer<typeof NoteView>;
export const NoteListView = z.object({ items: z.array(NoteView) });
export type NoteListView = z.infer<typeof NoteListView>;
