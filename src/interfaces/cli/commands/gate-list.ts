import { z } from "zod";
import type { Client } from "../../client/client.ts";
import { problemOf } from "../../client/trouble.ts";
import { command, positional } from "../command.ts";
import { offeredLines, pinnedLines } from "../gate-text.ts";
import { projectHere } from "../start-task.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const gateList = command({
  args: z.strictObject({
    of: positional(z.string().min(1).optional(), "TASK|PROJECT", "by default the project of the repository you are in"),
  }),
  examples: ["agentos gate list last", "agentos gate list shop"],
  async run({ of }, context) {
    const { api, out } = context;
    const id = of === undefined ? null : await taskCalled(api, of);
    if (id !== null) {
      out.result(await api.taskGates(id), pinnedLines, ({ gates }) => gates.map((gate) => gate.id));
      return;
    }
    const project = of ?? (await projectHere(context, undefined))?.id;
    const items = project === undefined ? [] : (await api.projectGates(project)).items;
    out.result(
      { items },
      () => items.flatMap(offeredLines),
      () => items.flatMap(({ gates }) => gates.map((gate) => gate.id)),
    );
  },
});

/** Null where no task is called so: a project may be. */
async function taskCalled(api: Client, name: string): Promise<string | null> {
  const reference = TaskReference.safeParse(name);
  if (!reference.success) return null;
  try {
    return await taskNamed(api, reference.data);
  } catch (error) {
    if (problemOf(error)?.code === "task/not-found") return null;
    throw error;
  }
}
