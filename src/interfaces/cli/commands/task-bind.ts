import { z } from "zod";
import { command, option, positional } from "../command.ts";
import { NAME_PROJECT, noRepository, projectHere } from "../start-task.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { changedLines, nextLines } from "../task-text.ts";

export const taskBind = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    project: option(
      z.string().optional(),
      "PROJECT",
      "name or id; by default the project of the repository you are in",
    ),
  }),
  async run({ id: reference, project: named }, context) {
    const { api, out, workingDirectory } = context;
    const id = await taskNamed(api, reference);
    const project = await projectHere(context, named);
    if (project === null) throw noRepository(workingDirectory, [NAME_PROJECT]);
    const task = await api.bindTask(id, { project: project.id });
    out.result(task, changedLines, (one) => [one.id]);
    out.note(...nextLines(task));
  },
});
