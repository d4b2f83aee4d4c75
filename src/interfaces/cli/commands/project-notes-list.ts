import { z } from "zod";
import { command, flag, positional } from "../command.ts";
import { notesLines } from "../note-text.ts";

export const projectNotesList = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "its name or id"),
    all: flag(z.boolean().default(false), "retired ones too"),
  }),
  async run({ project, all }, { api, out }) {
    const found = await api.notes(project, all);
    out.result(found, notesLines, ({ items }) => items.map(({ id }) => id));
    if (found.items.some(({ status }) => status === "proposed"))
      out.note(`next: agentos project notes approve ${project} NOTE, or agentos project notes retire ${project} NOTE`);
  },
});
