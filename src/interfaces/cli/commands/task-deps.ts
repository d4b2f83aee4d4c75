import { z } from "zod";
import { command, positional } from "../command.ts";
import { dependencyTree } from "../dependency-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskDeps = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task") }),
  examples: ["agentos task deps ID", "agentos task deps add ID --requires OTHER"],
  async run({ id }, { api, out }) {
    const task = await taskNamed(api, id);
    out.result(
      await api.dependenciesOf(task),
      (graph) => dependencyTree(task, graph),
      (graph) => graph.tasks.map((one) => one.id),
    );
  },
});
