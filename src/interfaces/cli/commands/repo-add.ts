import { resolve } from "node:path";
import { z } from "zod";
import { NewRepoInput } from "../../../contract/inputs.ts";
import { command, flag, option, positional } from "../command.ts";
import { repoLines } from "../project-text.ts";

export const repoAdd = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "name or id of the project"),
    path: positional(z.string().min(1), "PATH", "where the git repository lies: a path, or a url"),
    name: option(NewRepoInput.shape.name, "NAME", "its name in the project; by default its folder's"),
    role: option(NewRepoInput.shape.role, "ROLE", "what it is"),
    readOnly: flag(z.boolean().default(false), "tasks may read it and change nothing"),
    branch: option(z.string().optional(), "NAME", "where its tasks begin; by default the branch that is checked out"),
    filter: option(z.array(z.string()).optional(), "GLOB", "paths that tasks are limited to, e.g. src/**"),
  }),
  examples: [
    "agentos repo add shop ../shop-docs --role docs",
    "agentos repo add shop https://git.example.com/team/shop.git",
  ],
  async run({ project, path, name, role, readOnly, branch, filter }, { api, settings, workingDirectory, out }) {
    const repo = await api.addRepo(project, {
      ...(isUrl(path) ? { url: path } : { path: resolve(workingDirectory, path) }),
      role,
      writable: !readOnly,
      tool_path: [...settings.toolPath],
      ...(name !== undefined && { name }),
      ...(branch !== undefined && { default_branch: branch }),
      ...(filter !== undefined && { path_filters: filter }),
    });
    out.result(repo, repoLines, ({ id }) => [id]);
  },
});

/** Git's own rule: a colon before the first slash makes a url; a path with one is written ./like:this. */
const isUrl = (text: string): boolean => /^[^/]+:/.test(text);
