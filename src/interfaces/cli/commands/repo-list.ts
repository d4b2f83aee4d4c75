import { z } from "zod";
import { command, option } from "../command.ts";
import { repoTableOf } from "../project-text.ts";

export const repoList = command({
  args: z.strictObject({ project: option(z.string().optional(), "PROJECT", "only of this project") }),
  async run({ project }, { api, out }) {
    const projects = project === undefined ? (await api.projects()).items : [await api.project(project)];
    const items = projects.flatMap(({ repos }) => repos);
    out.result(
      { items },
      () => (items.length === 0 ? ["no repos"] : repoTableOf(projects)),
      () => items.map(({ id }) => id),
    );
  },
});
