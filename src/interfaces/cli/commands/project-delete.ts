import { z } from "zod";
import { count } from "../columns.ts";
import { command, flag, positional } from "../command.ts";
import { field } from "../escape.ts";
import { isSure } from "../sure.ts";

export const projectDelete = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "its name or id"),
    yes: flag(z.boolean().default(false), "do not ask"),
  }),
  async run({ project, yes }, context) {
    const { api, out } = context;
    const found = await api.project(project);
    const sure = await isSure(
      context,
      yes,
      `This takes project ${found.name} (${count(found.repos.length, "repo")}) out of AgentOS; the repositories, its tasks and its history stay as they are.`,
    );
    if (!sure) return 1;
    out.result(
      await api.deleteProject(found.id),
      ({ name }) => [`project ${field(name)} was deleted; its history stays`],
      ({ id }) => [id],
    );
  },
});
