import { resolve } from "node:path";
import { z } from "zod";
import { NewProjectInput, type ProjectSettingsInput } from "../../../contract/inputs.ts";
import { command, option, positional } from "../command.ts";
import { projectLines } from "../project-text.ts";

export const projectCreate = command({
  args: z.strictObject({
    name: positional(NewProjectInput.shape.name, "NAME", "its name: lower-case letters, digits, dot, dash, underscore"),
    repo: option(z.array(z.string()).default([]), "PATH", "a git repository that belongs to it"),
    agent: option(z.enum(["gates", "builtin"]).optional(), "AGENT", "who works on its tasks that name nobody"),
    mode: option(
      z.enum(["interactive", "assisted", "autonomous"]).optional(),
      "MODE",
      "the run mode of its tasks that name none",
    ),
    packageHost: option(
      z.array(z.string()).optional(),
      "HOST:PORT",
      "a package host its tasks may prepare dependencies from",
    ),
  }),
  examples: ["agentos project create shop --repo . --agent gates"],
  async run({ name, repo, agent, mode, packageHost }, { api, settings, workingDirectory, out }) {
    const wanted: z.input<typeof ProjectSettingsInput> = {
      ...(agent !== undefined && { agent }),
      ...(mode !== undefined && { run_mode: mode }),
      ...(packageHost !== undefined && { package_hosts: packageHost }),
    };
    const project = await api.createProject({
      name,
      settings: wanted,
      repos: repo.map((path) => ({ path: resolve(workingDirectory, path), tool_path: [...settings.toolPath] })),
    });
    out.result(project, projectLines, ({ id }) => [id]);
  },
});
