import { z } from "zod";
import type { ProbeView } from "../../../contract/views.ts";
import { size } from "../columns.ts";
import { command, positional } from "../command.ts";
import { field } from "../escape.ts";
import { repoNamed } from "../repo-reference.ts";

export const repoProbe = command({
  args: z.strictObject({ repo: positional(z.string().min(1), "REPO", "its id, its name, or PROJECT/NAME") }),
  async run({ repo }, { api, out }) {
    const { id } = await repoNamed(api, repo);
    const seen = await api.probeRepo(id);
    out.result(
      seen,
      () => [
        ...answerLines("Read", seen.read),
        ...answerLines("Write", seen.write),
        `Credentials: ${field(seen.credentials)}`,
        `Default branch: ${seen.branch === null ? "none" : field(seen.branch)}`,
        `Size: ${seen.bytes === null ? "unknown, nothing of it was fetched yet" : size(seen.bytes)}`,
        ...seen.notes.map((note) => `Note: ${field(note)}`),
      ],
      () => [id],
    );
    return seen.read.ok && seen.write.ok ? undefined : 1;
  },
});

const answerLines = (what: string, { ok, says, next }: ProbeView["read"]): readonly string[] => [
  `${what}: ${ok ? "yes" : "no"}, ${field(says)}`,
  ...(next === null ? [] : [`  ${field(next)}`]),
];
