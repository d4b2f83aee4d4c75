import { isCancel, select, text } from "@clack/prompts";
import { z } from "zod";
import type { TaskView } from "../../contract/views.ts";
import { problemOf } from "../client/trouble.ts";
import { approveProposal } from "./answer-proposal.ts";
import { askInbox } from "./ask-inbox.ts";
import { moment } from "./columns.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { field } from "./escape.ts";
import { planLines } from "./plan-text.ts";
import { settle } from "./settle.ts";
import { specChange } from "./spec-options.ts";
import { specLines } from "./spec-text.ts";
import { noRepository, projectHere, startTask } from "./start-task.ts";
import { taskLines, taskListLines } from "./task-text.ts";

/** A person looks on for so long; after it the task goes on without them, as it does anyway. */
const LOOK_ON_MS = 60_000;
const TASKS_SHOWN = 20;

const ACTIONS = {
  inbox: "Needs you",
  new: "New task",
  list: "List tasks",
  inspect: "Inspect task",
  resume: "Resume task",
  quit: "Quit",
} as const;
type Action = keyof typeof ACTIONS;
const ACTION_NAMES = Object.keys(ACTIONS) as readonly Action[];

/** `agentos` alone on a terminal. Each choice does what the command of the same name does. */
export const menu = command({
  args: z.strictObject({}),
  async run(_, context) {
    for (;;) {
      // Only to say how many: no daemon is started for it.
      const waiting = (await context.daemon.find())?.health.inbox ?? 0;
      const action = await select<Action>({
        ...context.prompt?.on,
        message: "AgentOS",
        options: ACTION_NAMES.map((value) => ({
          value,
          label: ACTIONS[value],
          ...(value === "inbox" && waiting > 0 && { hint: String(waiting) }),
        })),
        initialValue: "new",
      });
      if (isCancel(action) || action === "quit") return;
      try {
        await DO[action](context);
      } catch (error) {
        const problem = problemOf(error);
        if (problem === null || context.signal.aborted) throw error;
        context.out.note(field(problem.detail), `next: ${field(problem.next)}`);
      }
    }
  },
});

const DO: Readonly<Record<Exclude<Action, "quit">, (context: Context) => Promise<void>>> = {
  inbox: answerInbox,
  new: newTask,
  list: listTasks,
  inspect: inspectTask,
  resume: resumeTask,
};

async function answerInbox(context: Context): Promise<void> {
  const { api, out, prompt } = context;
  const { items } = await api.inbox({ limit: TASKS_SHOWN });
  if (items.length === 0) return out.note("nothing waits for you");
  const chosen = await select({
    ...prompt?.on,
    message: "What first?",
    options: items.map((one) => ({
      value: one.id,
      label: field(one.title),
      hint: `${field(one.sentence)} since ${moment(one.since)}`,
    })),
  });
  if (isCancel(chosen)) return;
  const item = await api.inboxItem(chosen);
  if (item.reason === "no_model") return planByFile(context, await api.task(chosen));
  const said = await askInbox(context, item);
  if (said === null) return;
  const { task } = await api.answerInbox(item.id, { ...said, seq: item.seq });
  if (task !== null) await lookOn(context, item.id, item.seq);
}

async function newTask(context: Context): Promise<void> {
  const { out, prompt, settings, person, workingDirectory } = context;
  const title = await text({
    ...prompt?.on,
    message: "What is to be done?",
    validate: (given) => ((given ?? "").trim() === "" ? "Say it in a few words." : undefined),
  });
  if (isCancel(title)) return;
  const project = (await projectHere(context, undefined)) ?? (await chosenProject(context));
  if (project === undefined) return;
  if (project === null) throw noRepository(workingDirectory, []);
  const { task, spec } = await startTask(
    context,
    { title: title.trim(), created_by: person, ...(settings.runMode !== null && { run_mode: settings.runMode }) },
    project,
  );
  out.result(task, () => [`task ${task.id}`, ...specLines(spec)]);
  await lookOn(context, task.id, 0);
}

/** Null: there is none. Left by the person: `undefined`. */
async function chosenProject({ api, prompt }: Context) {
  const { items } = await api.projects();
  if (items.length === 0) return null;
  const chosen = await select({
    ...prompt?.on,
    message: "In which project?",
    options: items.map((project) => ({ value: project.id, label: field(project.name) })),
  });
  return isCancel(chosen) ? undefined : (items.find(({ id }) => id === chosen) ?? null);
}

async function listTasks({ api, out }: Context): Promise<void> {
  out.result(await api.tasks({ limit: TASKS_SHOWN }), taskListLines);
}

async function inspectTask(context: Context): Promise<void> {
  const task = await chosenTask(context, "Which task?", undefined);
  if (task !== null) await show(context, task);
}

async function resumeTask(context: Context): Promise<void> {
  const { api, prompt } = context;
  const task = await chosenTask(context, "Which of those that wait for you?", "awaiting_approval,blocked");
  if (task === null || prompt === null) return;
  if (task.status === "awaiting_approval") {
    const approved = await approveProposal(context, task, { hash: null, yes: false, reason: null });
    return approved === null ? undefined : lookOn(context, task.id, task.seq);
  }
  if (task.block_reason === "no_model") return planByFile(context, task);
  if (task.block_reason === "outcome_unknown") {
    const outcome = await select<"done" | "redo" | "abort">({
      ...prompt.on,
      message: `${field(task.waiting?.sentence ?? "")} What became of it?`,
      options: [
        { value: "done", label: "It took effect; go on after it" },
        { value: "redo", label: "It did not; do it again" },
        { value: "abort", label: "Do not go on with it" },
      ],
    });
    if (isCancel(outcome)) return;
    await api.resumeTask(task.id, { outcome });
  } else {
    if (!(await prompt.confirm(`${task.waiting?.sentence ?? ""} Let it go on?`))) return;
    await api.resumeTask(task.id, {});
  }
  await lookOn(context, task.id, task.seq);
}

/** Nobody could do the work: a person can, with a plan file of their own. */
async function planByFile(context: Context, task: TaskView): Promise<void> {
  const { api, out, prompt, workingDirectory } = context;
  out.note(field(task.waiting?.sentence ?? ""));
  const file = await text({
    ...prompt?.on,
    message: "A plan file that says what to do (leave it empty to let the task wait)",
  });
  if (isCancel(file) || file.trim() === "") return;
  await api.reviseTask(
    task.id,
    await specChange(
      { plan: file.trim(), includeChanges: false, noChange: false, noPrepare: false, endStalled: false, review: false },
      workingDirectory,
    ),
  );
  await api.freezeTask(task.id);
  await api.readyTask(task.id);
  await lookOn(context, task.id, task.seq);
}

async function lookOn(context: Context, id: string, after: number): Promise<void> {
  const { task } = await settle(context, id, { after, timeoutMs: LOOK_ON_MS });
  if (!context.signal.aborted) await show(context, task);
}

async function show({ api, out }: Context, task: TaskView): Promise<void> {
  out.result(task, taskLines);
  if (task.status !== "awaiting_approval") return;
  out.result(await api.plan(task.id), planLines);
  out.note("“Resume task” asks whether you approve it.");
}

async function chosenTask(
  { api, out, prompt }: Context,
  message: string,
  status: string | undefined,
): Promise<TaskView | null> {
  const { items } = await api.tasks({ status, limit: TASKS_SHOWN });
  if (items.length === 0) {
    out.note(status === undefined ? "there are no tasks yet" : "no task waits for you");
    return null;
  }
  const chosen = await select({
    ...prompt?.on,
    message,
    options: items.map((task) => ({
      value: task.id,
      label: `${task.id}  ${field(task.title)}`,
      hint: `${task.status}, ${moment(task.created_at)}`,
    })),
  });
  return isCancel(chosen) ? null : api.task(chosen);
}
