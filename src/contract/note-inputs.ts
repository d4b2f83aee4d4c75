import { z } from "zod";
import { NOTE_CHARACTERS_MAX } from "../domain/project-note.ts";
import { Id, Slug } from "./inputs.ts";

/** A short fact about a project, in one line. */
export const NewNoteInput = z.strictObject({
  text: z
    .string()
    .max(NOTE_CHARACTERS_MAX)
    .refine((text) => !/\p{Cc}/u.test(text) && text.isWellFormed(), "must be one line of plain text")
    .refine((text) => text.trim() !== "", "must not be empty"),
  /** The repo it is about; without one, all of the project. */
  repo: Slug.optional(),
});
export const NoteQuery = z.strictObject({ all: z.enum(["true", "false"]).default("false") });
export const NotesParam = z.object({ id: z.string().min(1).max(200) });
export const NoteParam = z.object({ id: z.string().min(1).max(200), note: Id });
