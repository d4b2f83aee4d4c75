import { z } from "zod";
import { columns, short } from "../columns.ts";
import { command, flag, option, positional } from "../command.ts";
import { block, field } from "../escape.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskDiff = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    repo: option(z.string().optional(), "NAME", "only this repo"),
    stat: flag(z.boolean().default(false), "only the files and how many lines"),
  }),
  async run({ id, repo, stat }, { api, out }) {
    out.result(
      await api.diff(await taskNamed(api, id), repo),
      ({ repos }) => {
        if (Object.keys(repos).length === 0) return ["nothing was changed"];
        return Object.entries(repos).flatMap(([name, one]) => [
          `── ${field(name)} ${short(one.from)}..${short(one.to)}`,
          ...columns(
            one.changed.map((file) => [
              file.change,
              `+${file.lines_added ?? "-"}`,
              `-${file.lines_removed ?? "-"}`,
              file.path,
            ]),
          ),
          ...(stat || one.diff === "" ? [] : block(one.diff)),
        ]);
      },
      ({ repos }) => Object.values(repos).flatMap(({ changed }) => changed.map(({ path }) => path)),
    );
  },
});
