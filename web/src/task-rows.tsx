import { age } from "./age.ts";
import { hasEnded, type Task, words } from "./wire.ts";

interface TaskRowsProps {
  readonly tasks: readonly Task[];
  /** Id of the task whose detail is open. */
  readonly chosen: string | null;
  readonly now: number;
  /** Whether each row also tells why the task waits and what to do. */
  readonly withReason: boolean;
}

export function TaskRows({ tasks, chosen, now, withReason }: TaskRowsProps) {
  return (
    <ul className="rows">
      {tasks.map((task) => (
        <li key={task.id}>
          <a className="row" href={`#/tasks/${task.id}`} aria-current={task.id === chosen ? "true" : undefined}>
            <span className="row-title">{task.title}</span>
            <StatusSign task={task} />
            <span className="row-facts">{facts(task, withReason).join(" · ")}</span>
            <Age at={task.updatedAt} now={now} />
            {withReason && task.waiting !== null && (
              <span className="row-waiting">
                {task.waiting.sentence}{" "}
                {task.waiting.next !== null && <span className="next">{task.waiting.next}</span>}
              </span>
            )}
          </a>
        </li>
      ))}
    </ul>
  );
}

function facts(task: Task, withReason: boolean): readonly string[] {
  const phase = hasEnded(task) ? null : task.phase;
  const reason = withReason ? null : task.waiting?.sentence;
  return [task.project?.name, phase, reason].filter((fact) => typeof fact === "string");
}

/** The status in words; how a task ended or what it waits for is part of it, so that no colour has to be known. */
export function StatusSign({ task }: { readonly task: Task }) {
  const why = task.exitReason ?? (task.status === "blocked" ? task.waiting?.reason : undefined);
  const label = why === undefined || why === "done" ? words(task.status) : `${words(task.status)}: ${words(why)}`;
  return (
    <span className="status" data-status={task.status} data-unproven={task.exitReason === "accepted_unproven"}>
      {label}
    </span>
  );
}

export function Age({ at, now }: { readonly at: number | null; readonly now: number }) {
  if (at === null) return <span className="age">–</span>;
  const date = new Date(at);
  return (
    <time className="age" dateTime={date.toISOString()} title={date.toLocaleString()}>
      {age(at, now)}
    </time>
  );
}
