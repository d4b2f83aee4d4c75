import { z } from "zod";
import { command, positional } from "../command.ts";
import { repoLines } from "../project-text.ts";
import { repoNamed } from "../repo-reference.ts";

export const repoShow = command({
  args: z.strictObject({ repo: positional(z.string().min(1), "REPO", "its id, its name, or PROJECT/NAME") }),
  async run({ repo }, { api, out }) {
    out.result(await repoNamed(api, repo), repoLines, ({ id }) => [id]);
  },
});
