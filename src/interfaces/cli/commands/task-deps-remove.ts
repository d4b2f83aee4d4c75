import { z } from "zod";
import { command, positional } from "../command.ts";
import { DEPENDENCY_OPTIONS, dependenciesSaid } from "../dependency-options.ts";
import { dependencyTree } from "../dependency-text.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskDepsRemove = command({
  args: z.strictObject({ id: positional(TaskReference, "ID", "the task"), ...DEPENDENCY_OPTIONS }),
  examples: ["agentos task deps remove ID --requires OTHER"],
  async run({ id, ...given }, { api, out }) {
    const task = await taskNamed(api, id);
    for (const said of await dependenciesSaid(api, given))
      out.result(
        await api.removeDependency(task, said),
        (graph) => dependencyTree(task, graph),
        () => [task],
      );
  },
});
