import { z } from "zod";
import { DeliverInput } from "../../../contract/inputs.ts";
import { count, short } from "../columns.ts";
import { command, flag, option, positional } from "../command.ts";
import { field } from "../escape.ts";
import { TaskReference, taskNamed } from "../task-reference.ts";

export const taskDeliver = command({
  args: z.strictObject({
    id: positional(TaskReference, "ID", "the task"),
    way: option(
      DeliverInput.shape.way,
      "WAY",
      "into the branch it started from, into a branch of its own, or as a patch",
    ),
    branch: option(z.string().optional(), "NAME", "the branch"),
    push: option(
      z.string().optional(),
      "BRANCH",
      "push to this branch of a remote repository; without it nothing is pushed",
    ),
    leave: flag(z.boolean().default(false), "give up a delivery that stands half-way; its branches stay as they are"),
  }),
  examples: [
    "agentos task deliver ID",
    "agentos task deliver ID --way branch --branch mend-parser",
    "agentos task deliver ID --push mend-parser",
  ],
  async run({ id, way, branch, push, leave }, { api, out }) {
    const task = await taskNamed(api, id);
    const done = await api.deliverTask(task, {
      way,
      ...(branch !== undefined && { branch }),
      ...(push !== undefined && { push }),
      leave,
    });
    out.result(
      done,
      ({ repos }) =>
        Object.entries(repos).map(([repo, to]) =>
          to.way === "patch"
            ? `${field(repo)}: written as a patch (agentos task artifacts ${task})`
            : `${field(repo)}: ${field(to.branch ?? "")} is ${short(to.to)}${to.from === null ? "" : `, was ${short(to.from)}`}${to.checkout_followed ? "; the checkout followed" : ""}`,
        ),
      () => [task],
    );
    out.note(...done.notes.map(field));
    const others = (await api.attemptsOf(task)).tasks.length - 1;
    if (others > 0)
      out.note(
        `${count(others, "other attempt")} at this: agentos task supersede-others ${task} ends what is left of them`,
      );
  },
});
