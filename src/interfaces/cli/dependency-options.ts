import { z } from "zod";
import type { DependencyInput } from "../../contract/inputs.ts";
import type { Client } from "../client/client.ts";
import { trouble } from "../client/trouble.ts";
import { option } from "./command.ts";
import { TaskReference, tasksNamed } from "./task-reference.ts";

const many = () => z.array(TaskReference).optional();

/** The three things one task can be to others. */
export const DEPENDENCY_OPTIONS = {
  requires: option(many(), "TASK", "it may begin only once this task succeeded"),
  blocks: option(many(), "TASK", "this task may begin only once it has ended, however"),
  suggests: option(many(), "TASK", "where both could begin, this task is taken first"),
};

type Given = z.infer<z.ZodObject<typeof DEPENDENCY_OPTIONS>>;

/** What was said, in the order of the words' table; at least one. */
export async function dependenciesSaid(api: Client, given: Given): Promise<z.input<typeof DependencyInput>[]> {
  const said: z.input<typeof DependencyInput>[] = [];
  for (const kind of ["requires", "blocks", "suggests"] as const)
    for (const other of await tasksNamed(api, given[kind])) said.push({ kind, other });
  if (said.length === 0)
    throw trouble("input/invalid", "no other task was named", {
      next: "Name it with --requires, --blocks or --suggests.",
    });
  return said;
}
