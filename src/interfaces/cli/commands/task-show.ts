import { z } from "zod";
import type { MovedListView, TaskView } from "../../../contract/views.ts";
import { Trouble } from "../../client/trouble.ts";
import { count, short, some } from "../columns.ts";
import { command, positional } from "../command.ts";
import type { Context } from "../context.ts";
import { field } from "../escape.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";
import { taskLines } from "../task-text.ts";

export const taskShow = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task") }),
  async run({ id }, context) {
    const { api, out } = context;
    const task = await api.task(await taskNamed(api, id));
    // What is delivered or given up no longer cares where the branch is.
    const moved = isOpen(task) ? await movedSince(context, task.id) : [];
    out.result(
      task,
      () => [...taskLines(task), ...moved.flatMap(movedLines)],
      () => [task.id],
    );
  },
});

async function movedSince({ api, out }: Context, task: string): Promise<MovedListView["items"]> {
  try {
    return (await api.moved(task)).items;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    out.note(`not known whether the branches have moved: ${field(error.message)}`);
    return [];
  }
}

const isOpen = (task: TaskView): boolean =>
  Object.keys(task.bases).length > 0 &&
  task.status !== "failed" &&
  task.status !== "canceled" &&
  task.delivered === null;

const CONFLICTS_SHOWN = 8;

function movedLines({ repo, branch, head, commits, conflicts, problem }: MovedListView["items"][number]): string[] {
  const what = `${field(branch)} of ${field(repo)}`;
  if (problem !== null) return [`Not known whether ${what} has moved: ${field(problem)}`];
  if (head === null) return [`Moved: ${what} is gone`];
  if (commits === 0) return [];
  return [
    `Moved: ${what} has ${count(commits, "commit")} more, at ${short(head)}`,
    conflicts.length === 0
      ? "  it merges with this work; delivering proves the merged tree first"
      : `  it conflicts with this work in ${some(conflicts, CONFLICTS_SHOWN)}`,
  ];
}
