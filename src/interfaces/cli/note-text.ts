import type { NoteListView, NoteView } from "../../contract/views.ts";
import { columns } from "./columns.ts";
import { field } from "./escape.ts";

export const notesLines = ({ items }: NoteListView): readonly string[] =>
  items.length === 0
    ? ["no notes"]
    : columns([
        ["ID", "STATUS", "BY", "ABOUT", "NOTE"],
        ...items.map(({ id, status, by, repo, text }) => [id, status, by, repo ?? "all of it", text ?? "(erased)"]),
      ]);

export const noteLines = ({ id, status, text }: NoteView): readonly string[] => [
  `note ${id}: ${status}: ${field(text ?? "(erased)")}`,
];
