import { z } from "zod";
import { NewNoteInput } from "../../../contract/note-inputs.ts";
import { command, option, positional } from "../command.ts";
import { noteLines } from "../note-text.ts";

export const projectNotesAdd = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "its name or id"),
    text: positional(NewNoteInput.shape.text, "TEXT", "a short fact: a command, a convention, a trap"),
    repo: option(NewNoteInput.shape.repo, "REPO", "the repo it is about; by default all of the project"),
  }),
  examples: ['agentos project notes add shop "The tests need the database: make db first"'],
  async run({ project, text, repo }, { api, out }) {
    const note = await api.addNote(project, { text, ...(repo !== undefined && { repo }) });
    out.result(note, noteLines, ({ id }) => [id]);
  },
});
