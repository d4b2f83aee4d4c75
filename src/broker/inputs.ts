import { Failure } from "../domain/failure.ts";
import { isPlainPath } from "../domain/scope.ts";
import type { Desk, StepRun } from "../ports/broker.ts";
import type { Mount } from "../ports/sandbox.ts";
import type { BrokerDependencies } from "./deps.ts";

export const INPUTS_INSIDE = "/run/agentos/inputs";
const INDEX = "inputs.json";

/**
 * What the required tasks left, read-only: each file as `<task id>/<name>`, and `inputs.json` that lists them, with the digest by which the
 * journal names each (over a salt too); `AGENTOS_INPUTS` names the place. Written anew for each run of a step from the content that was
 * pinned: what does not have its digest any more is `store/corrupt`.
 */
export async function inputMounts(
  deps: BrokerDependencies,
  desk: Desk,
  { step, run }: Pick<StepRun, "step" | "run">,
): Promise<{ readonly mounts: readonly Mount[]; readonly environment: Readonly<Record<string, string>> }> {
  if (desk.inputs.length === 0) return { mounts: [], environment: {} };
  const index: unknown[] = [];
  const top = await deps.inputDirectory(desk.task, step, run, ".");
  for (const { task, artifacts } of desk.inputs) {
    const directory = await deps.inputDirectory(desk.task, step, run, task);
    for (const { name, mediaType, content } of artifacts) {
      if (!isPlainPath(name) || name.includes("/"))
        throw new Failure(
          "store/corrupt",
          `task ${task} left an artifact called ${JSON.stringify(name)}, which is no file name`,
        );
      const bytes = await deps.blobs.get(content);
      if (bytes === null)
        throw new Failure(
          "store/corrupt",
          `the artifact ${name} of task ${task}, which this task was shown, was erased`,
        );
      await deps.writeText(`${directory}/${name}`, bytes);
      index.push({
        task,
        name,
        media_type: mediaType,
        bytes: content.bytes,
        digest: content.digest,
        path: `${task}/${name}`,
      });
    }
  }
  await deps.writeText(`${top}/${INDEX}`, `${JSON.stringify({ inputs: index }, null, 2)}\n`);
  return {
    mounts: [{ host: top, inside: INPUTS_INSIDE, access: "read" }],
    environment: { AGENTOS_INPUTS: INPUTS_INSIDE },
  };
}
