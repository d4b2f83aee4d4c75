import { resolve } from "node:path";
import { z } from "zod";
import { RepoChangeInput } from "../../../contract/inputs.ts";
import { trouble } from "../../client/trouble.ts";
import { command, flag, option, positional } from "../command.ts";
import { field } from "../escape.ts";
import { repoLines } from "../project-text.ts";
import { repoNamed } from "../repo-reference.ts";

export const repoSet = command({
  args: z.strictObject({
    repo: positional(z.string().min(1), "REPO", "its id, its name, or PROJECT/NAME"),
    path: option(z.string().min(1).optional(), "PATH", "where it lies by now"),
    branch: option(z.string().optional(), "NAME", "where its tasks begin and what they are delivered to"),
    anyBranch: flag(z.boolean().default(false), "its tasks begin at whatever is checked out then"),
    role: option(RepoChangeInput.shape.role, "ROLE", "what it is"),
    readOnly: flag(z.boolean().default(false), "tasks may read it and change nothing"),
    writable: flag(z.boolean().default(false), "tasks may change it"),
    filter: option(z.array(z.string()).optional(), "GLOB", "paths that tasks are limited to, e.g. src/**"),
    noFilter: flag(z.boolean().default(false), "tasks are limited by no paths"),
  }),
  examples: ["agentos repo set ID --path ~/src/shop", "agentos repo set shop/app --branch release --read-only"],
  async run(
    { repo, path, branch, anyBranch, role, readOnly, writable, filter, noFilter },
    { api, workingDirectory, out },
  ) {
    const change = {
      ...(path !== undefined && { path: resolve(workingDirectory, path) }),
      ...(branch !== undefined && { default_branch: branch }),
      ...(anyBranch && { default_branch: null }),
      ...(role !== undefined && { role }),
      ...(writable && { writable: true }),
      ...(readOnly && { writable: false }),
      ...(filter !== undefined && { path_filters: filter }),
      ...(noFilter && { path_filters: [] }),
    };
    if (Object.keys(change).length === 0)
      throw trouble("input/invalid", "nothing was named that should change", {
        next: "agentos repo set --help shows what can.",
      });
    const { notes, ...changed } = await api.changeRepo((await repoNamed(api, repo)).id, change);
    out.result({ ...changed, notes }, repoLines, () => [changed.id]);
    out.note(...notes.map(field));
  },
});
