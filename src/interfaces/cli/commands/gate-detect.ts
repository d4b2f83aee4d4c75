import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { command, positional } from "../command.ts";
import { findRepository } from "../find-repository.ts";
import { offeredLines } from "../gate-text.ts";
import { repoNamed } from "../repo-reference.ts";
import { noRepository } from "../start-task.ts";

export const gateDetect = command({
  args: z.strictObject({
    place: positional(
      z.string().min(1).optional(),
      "PATH",
      "a directory, or a repo by id or name; by default where you are",
    ),
  }),
  examples: ["agentos gate detect", "agentos gate detect ../shop --json"],
  async run({ place }, { api, out, settings, workingDirectory }) {
    const directory = resolve(workingDirectory, place ?? ".");
    const isPath = place === undefined || existsSync(directory);
    const path = isPath ? await findRepository(directory) : (await repoNamed(api, place)).path;
    if (path === null) throw noRepository(directory, ["name one (agentos gate detect PATH, or a repo's id or name)"]);
    out.result(
      await api.detectGates({ path, ...(isPath && { tool_path: [...settings.toolPath] }) }),
      offeredLines,
      ({ gates }) => gates.map(({ id }) => id),
    );
  },
});
