import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { columns, size, some } from "../columns.ts";
import { command, option, positional } from "../command.ts";
import { block, field } from "../escape.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

const names = (artifacts: readonly { readonly name: string }[]): string =>
  artifacts.length === 0
    ? "nothing"
    : some(
        artifacts.map(({ name }) => name),
        NAMES_SHOWN,
      );
const NAMES_SHOWN = 20;

/** What a person can mend is told as such; anything else is no slip of theirs. */
function notWritten(file: string, error: unknown): unknown {
  const why = WHY_NOT[(error as NodeJS.ErrnoException).code ?? ""];
  return why === undefined
    ? error
    : trouble("input/invalid", `${file} cannot be written: ${why}`, { next: "Name another file with --output." });
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EEXIST: "it is there already, and nothing is overwritten",
  ENOENT: "its directory is not there",
  ENOTDIR: "what should be its directory is a file",
  EACCES: "you may not write there",
  EROFS: "the disk there is read-only",
  ENOSPC: "there is no space left",
};

export const taskArtifacts = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    name: positional(z.string().optional(), "NAME", "the artifact to get"),
    output: option(z.string().optional(), "FILE", "write it to this new file"),
  }),
  examples: [
    "agentos task artifacts ID",
    "agentos task artifacts ID report.md",
    "agentos task artifacts ID change.patch --output change.patch",
  ],
  async run({ id: reference, name, output }, { api, out, workingDirectory, stdoutIsTerminal }) {
    const id = await taskNamed(api, reference);
    if (name === undefined) {
      out.result(
        await api.artifacts(id),
        ({ items, from, to }) => [
          ...(items.length === 0
            ? ["no artifacts"]
            : columns([
                ["NAME", "SIZE", "TYPE", "DIGEST"],
                ...items.map((one) => [one.name, size(one.bytes), one.media_type, one.digest]),
              ])),
          ...from.map((one) => `shown of task ${one.task}: ${names(one.artifacts)}`),
          ...to.map((one) => `shown to task ${one.task}: ${names(one.artifacts)}`),
        ],
        ({ items }) => items.map((one) => one.name),
      );
      return;
    }
    const bytes = await api.artifact(id, name);
    // Of the content alone, as any other program computes it: the digest in the journal is over a salt too.
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (output !== undefined) {
      const file = resolve(workingDirectory, output);
      try {
        await writeFile(file, bytes, { flag: "wx" });
      } catch (error) {
        throw notWritten(file, error);
      }
      out.result(
        { name, file, bytes: bytes.length, sha256 },
        () => [`${field(name)} was written to ${field(file)}`, `its SHA-256 is ${sha256}`],
        () => [file],
      );
      return;
    }
    out.result({ name, bytes: bytes.length, base64: bytes.toString("base64"), sha256 }, () =>
      stdoutIsTerminal ? block(bytes.toString()) : [],
    );
    if (!stdoutIsTerminal) out.bytes(bytes);
  },
});
