import { z } from "zod";
import { argvText } from "../argv-text.ts";
import { short } from "../columns.ts";
import { command, positional } from "../command.ts";
import { field } from "../escape.ts";
import { repoNamed } from "../repo-reference.ts";

export const repoScan = command({
  args: z.strictObject({ repo: positional(z.string().min(1), "REPO", "its id, its name, or PROJECT/NAME") }),
  async run({ repo }, { api, out }) {
    const { id } = await repoNamed(api, repo);
    out.result(
      await api.scanRepo(id),
      (seen) => [
        `${field(seen.root)}${seen.head === null ? ", no commit yet" : ` at ${short(seen.head)}`}${seen.branch === null ? "" : ` on ${field(seen.branch)}`}`,
        `Kind: ${seen.ecosystems.length === 0 ? "nothing AgentOS knows" : seen.ecosystems.map(field).join(", ")}`,
        ...seen.gates.map(
          (gate) =>
            `Gate ${field(gate.id)}: ${gate.argv.length === 0 ? "no command" : field(argvText(gate.argv))}, judged by ${gate.judgement === "tests" ? "its tests" : "its exit code"}`,
        ),
        ...(seen.prepare.length === 0 ? ["Prepared with: nothing"] : []),
        ...seen.prepare.map((argv) => `Prepared with: ${field(argvText(argv))}`),
        ...seen.unsupported.map((one) => `Not supported: ${field(one)}`),
        ...(seen.dirty.length === 0
          ? ["No uncommitted files"]
          : ["Uncommitted files:", ...seen.dirty.map((path) => `  ${field(path)}`)]),
        ...seen.notes.map((note) => `Note: ${field(note)}`),
      ],
      () => [id],
    );
  },
});
