import { resolve } from "node:path";
import { z } from "zod";
import { NewRepoInput } from "../../../contract/inputs.ts";
import { command, flag, option, positional } from "../command.ts";
import { repoLines } from "../project-text.ts";

export const repoAdd = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "name or id of the project"),
    path: positional(z.string().min(1), "PATH", "where the git repository lies"),
    name: option(NewRepoInput.shape.name, "NAME", "its name in the project; by default its folder's"),
    role: option(NewRepoInput.shape.role, "ROLE", "what it is"),
    readOnly: flag(z.boolean().default(false), "tasks may read it and change nothing"),
    filter: option(z.array(z.string()).optional(), "GLOB", "paths that tasks are limited to"),
  }),
  examples: ["agentos repo add shop ../shop-docs --role docs"],
  async run({ project, path, name, role, readOnly, filter }, { api, settings, workingDirectory, out }) {
    const repo = await api.addRepo(project, {
      path: resolve(workingDirectory, path),
      role,
      writable: !readOnly,
      tool_path: [...settings.toolPath],
      ...(name !== undefined && { name }),
      ...(filter !== undefined && { path_filters: filter }),
    });
    out.result(repo, repoLines, ({ id }) => [id]);
  },
});
