import { z } from "zod";
import { command, option } from "../command.ts";
import { repoTable } from "../project-text.ts";

export const repoList = command({
  args: z.strictObject({ project: option(z.string().optional(), "PROJECT", "only of this project") }),
  async run({ project }, { api, out }) {
    const items =
      project === undefined
        ? (await api.projects()).items.flatMap(({ repos }) => repos)
        : (await api.repos(project)).items;
    out.result(
      { items },
      () => (items.length === 0 ? ["no repos"] : repoTable(items)),
      () => items.map(({ id }) => id),
    );
  },
});
