import { resolve } from "node:path";
import { z } from "zod";
import { RepoChangeInput } from "../../../contract/inputs.ts";
import { command, flag, option, positional } from "../command.ts";
import { field } from "../escape.ts";
import { repoLines } from "../project-text.ts";

export const repoSet = command({
  args: z.strictObject({
    id: positional(z.string().min(1), "ID", "the repo"),
    path: option(z.string().min(1).optional(), "PATH", "where it lies by now"),
    branch: option(z.string().optional(), "NAME", "where its tasks begin and what they are delivered to"),
    anyBranch: flag(z.boolean().default(false), "its tasks begin at whatever is checked out then"),
    role: option(RepoChangeInput.shape.role, "ROLE", "what it is"),
    readOnly: flag(z.boolean().default(false), "tasks may read it and change nothing"),
    writable: flag(z.boolean().default(false), "tasks may change it"),
    filter: option(z.array(z.string()).optional(), "GLOB", "paths that tasks are limited to"),
    noFilter: flag(z.boolean().default(false), "tasks are limited by no paths"),
  }),
  examples: ["agentos repo set ID --path ~/src/shop", "agentos repo set ID --branch release --read-only"],
  async run(
    { id, path, branch, anyBranch, role, readOnly, writable, filter, noFilter },
    { api, workingDirectory, out },
  ) {
    const { notes, ...repo } = await api.changeRepo(id, {
      ...(path !== undefined && { path: resolve(workingDirectory, path) }),
      ...(branch !== undefined && { default_branch: branch }),
      ...(anyBranch && { default_branch: null }),
      ...(role !== undefined && { role }),
      ...(writable && { writable: true }),
      ...(readOnly && { writable: false }),
      ...(filter !== undefined && { path_filters: filter }),
      ...(noFilter && { path_filters: [] }),
    });
    out.result({ ...repo, notes }, repoLines, () => [repo.id]);
    out.note(...notes.map(field));
  },
});
