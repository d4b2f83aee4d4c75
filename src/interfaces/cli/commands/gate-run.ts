import { z } from "zod";
import { command, flag, option } from "../command.ts";
import { settle, settledLines } from "../settle.ts";
import { SPEC_OPTIONS, specChange } from "../spec-options.ts";
import { NAME_PROJECT, noRepository, projectHere, startTask } from "../start-task.ts";
import { changedLines, gateLines } from "../task-text.ts";
import { seconds, TIMEOUT } from "../wait-options.ts";

export const gateRun = command({
  args: z.strictObject({
    gate: SPEC_OPTIONS.gate,
    rerun: SPEC_OPTIONS.rerun,
    project: option(
      z.string().optional(),
      "PROJECT",
      "name or id; by default the project of the repository you are in",
    ),
    includeChanges: flag(z.boolean().default(false), "with your uncommitted changes"),
    timeout: TIMEOUT,
  }),
  examples: ["agentos gate run", "agentos gate run --gate lint='npm run lint' --json"],
  async run({ gate, rerun, project: named, includeChanges, timeout }, context) {
    const { out, person, workingDirectory } = context;
    const project = await projectHere(context, named);
    if (project === null) throw noRepository(workingDirectory, [NAME_PROJECT]);
    const { task } = await startTask(
      context,
      {
        ...(await specChange(
          { gate, rerun, includeChanges, noChange: true, noPrepare: false, endStalled: false, review: false },
          workingDirectory,
        )),
        title: `Run the gates of ${project.name}`,
        agent: "gates",
        run_mode: "autonomous",
        created_by: person,
      },
      project,
    );
    const settled = await settle(context, task.id, { after: 0, timeoutMs: seconds(timeout) });
    out.result(
      settled.task,
      (one) => [...changedLines(one), ...gateLines(one.gates)],
      ({ id }) => [id],
    );
    out.note(...settledLines(settled.task));
    return settled.exit;
  },
});
