import { z } from "zod";
import { NoteParam } from "../../../contract/note-inputs.ts";
import { command, positional } from "../command.ts";
import { noteLines } from "../note-text.ts";

export const projectNotesRetire = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "its name or id"),
    note: positional(NoteParam.shape.note, "NOTE", "the note's id"),
  }),
  async run({ project, note }, { api, out }) {
    const changed = await api.retireNote(project, note);
    out.result(changed, noteLines, ({ id }) => [id]);
  },
});
