import { waitingFor } from "../domain/sentence.ts";
import { EVERY_TASK } from "../ports/store.ts";
import type { ChatReading, ChatTool } from "./chat/access.ts";
import { CHAT } from "./chat/chat.ts";
import { createTask } from "./create-task.ts";
import type { AppDependencies } from "./deps.ts";
import { looks } from "./look.ts";

/** All a chat can do: look at projects and tasks, and leave a draft. A draft is nothing until a person freezes it and lets it run. */
export function chatTools(deps: AppDependencies, read: ChatReading): readonly ChatTool[] {
  const look = looks(deps);
  return [
    {
      name: "list_projects",
      description: "The projects there are, with their repositories",
      parameters: read.schemas.nothing,
      async run(written) {
        read.nothing(written);
        return (await look.projects()).map(({ name, id, repos }) => ({
          name,
          id,
          repos: repos.map((repo) => repo.name),
        }));
      },
    },
    {
      name: "list_tasks",
      description: "Tasks, newest first: id, title, status, and why one waits",
      parameters: read.schemas.tasks,
      async run(written) {
        const { rows } = await look.tasks({ ...EVERY_TASK, ...read.tasks(written), after: null });
        return rows.map(({ row, state, before, paused }) => ({
          id: row.id,
          title: row.title,
          status: row.status,
          project: row.project?.name ?? null,
          waits: state === null ? null : (waitingFor(state, before, paused)?.sentence ?? null),
        }));
      },
    },
    {
      name: "show_task",
      description: "One task: what it is to do, where it stands, what its gates said, what it waits for",
      parameters: read.schemas.task,
      async run(written) {
        const id = read.task(written);
        const { task, row, before, paused } = await look.task(id);
        const { value } = await look.spec(id);
        return {
          id,
          title: row.title,
          status: row.status,
          phase: row.phase,
          project: row.project?.name ?? null,
          intent: value.intent,
          criteria: value.criteria.map(({ text }) => text),
          constraints: value.constraints,
          work_items: (task.plan?.items ?? []).map((item) => ({
            id: item.id,
            status: task.items[item.id]?.status ?? "pending",
          })),
          gates: Object.entries(task.verdicts).map(([gate, { verdict, findings }]) => ({ gate, verdict, findings })),
          waits: waitingFor(task, before, paused)?.sentence ?? null,
        };
      },
    },
    {
      name: "draft_task",
      description: "Leave a draft of a task for the person to look at, freeze and let run. Starts nothing.",
      parameters: read.schemas.draft,
      async run(written, { session, takeCreation, drafted }) {
        const { draft, project } = read.draft(written);
        await takeCreation();
        const { task } = await createTask(deps, CHAT, {
          id: null,
          draft,
          createdBy: "chat",
          session,
          metadata: null,
          priority: null,
          project,
          dependencies: [],
        });
        await drafted(task.id, draft.title);
        return { draft: task.id, next: `A person runs: agentos task freeze ${task.id}; agentos task ready ${task.id}` };
      },
    },
  ];
}
