import type { NoteView } from "./note-views.ts";
import { time } from "./present.ts";

export const noteView = (note: {
  readonly id: string;
  readonly project: { readonly id: string; readonly name: string };
  readonly repo: string | null;
  readonly text: string | null;
  readonly status: NoteView["status"];
  readonly by: string;
  readonly task: string | null;
  readonly atMs: number;
}): NoteView => ({
  id: note.id,
  project: { ...note.project },
  repo: note.repo,
  text: note.text,
  status: note.status,
  by: note.by,
  task: note.task,
  at: time(note.atMs),
});
