import { z } from "zod";
import { NewTaskInput } from "../../../contract/inputs.ts";
import { trouble } from "../../client/trouble.ts";
import { command, flag, option, positional } from "../command.ts";
import { settle, settledLines } from "../settle.ts";
import { SPEC_OPTIONS, specChange } from "../spec-options.ts";
import { specLines } from "../spec-text.ts";
import { NAME_PROJECT, noRepository, projectHere, startTask } from "../start-task.ts";
import { TaskReference, tasksNamed } from "../task-reference.ts";
import { changedLines, gateLines, nextLines } from "../task-text.ts";
import { seconds, WAIT_OPTIONS } from "../wait-options.ts";

export const taskCreate = command({
  args: z.strictObject({
    title: positional(z.string().min(1), "TITLE", "what is to be done, in one line"),
    ...SPEC_OPTIONS,
    project: option(
      z.string().optional(),
      "PROJECT",
      "name or id; by default the project of the repository you are in",
    ),
    session: option(NewTaskInput.shape.session, "NAME", "the session it belongs to"),
    priority: option(NewTaskInput.shape.priority, "PRIORITY", "how soon it is wanted"),
    requires: option(z.array(TaskReference).optional(), "TASK", "it may begin only once this task succeeded"),
    suggests: option(z.array(TaskReference).optional(), "TASK", "where both could begin, this task is taken first"),
    metadata: option(z.array(z.string()).optional(), "KEY=VALUE", "a fact of your own to keep with it"),
    draft: flag(z.boolean().default(false), "only create it; freeze and ready it yourself"),
    ...WAIT_OPTIONS,
  }),
  examples: [
    'agentos task create "Run tests and generate report"',
    'agentos task create "Mend the parser" --plan mend.yaml --criterion "Empty input is no error => tests" --wait',
    'agentos task create "Bump the version" --plan bump.yaml --gate lint="npm run lint" --mode autonomous --wait',
    'agentos task create "Use the new parser" --plan use.yaml --requires last',
  ],
  async run(given, context) {
    const { api, out, settings, person, workingDirectory } = context;
    const input: z.input<typeof NewTaskInput> = {
      ...(settings.runMode !== null && { run_mode: settings.runMode }),
      ...(await specChange(given, workingDirectory)),
      title: given.title,
      created_by: person,
      ...(given.session !== undefined && { session: given.session }),
      ...(given.priority !== undefined && { priority: given.priority }),
      requires: await tasksNamed(api, given.requires),
      suggests: await tasksNamed(api, given.suggests),
      ...(given.metadata !== undefined && { metadata: Object.fromEntries(given.metadata.map(fact)) }),
    };
    const project = await projectHere(context, given.project);
    if (given.draft) {
      const task = await api.createTask({ ...input, ...(project !== null && { project: project.id }) });
      out.result(
        task,
        ({ id }) => [`task ${id}`],
        ({ id }) => [id],
      );
      out.note(...nextLines(task));
      return;
    }
    if (project === null) throw noRepository(workingDirectory, [NAME_PROJECT, "keep it as a draft (--draft)"]);

    const { task, spec } = await startTask(context, input, project);
    out.result(
      task,
      () => [
        `task ${task.id}`,
        ...(task.template === null ? [] : [`from the shipped template “${task.template}”`]),
        ...specLines(spec),
      ],
      ({ id }) => [id],
    );
    if (!given.wait) {
      out.note(...nextLines(task));
      return;
    }
    const settled = await settle(context, task.id, { after: 0, timeoutMs: seconds(given.timeout) });
    out.result(settled.task, (one) => [...changedLines(one), ...gateLines(one.gates)]);
    out.note(...settledLines(settled.task));
    return settled.exit;
  },
});

function fact(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals < 1)
    throw trouble("input/invalid", `--metadata must be KEY=VALUE, and ${JSON.stringify(text)} is not`, {
      next: "For example: --metadata ticket=4711",
    });
  return [text.slice(0, equals), text.slice(equals + 1)];
}
