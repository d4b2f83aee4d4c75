import { useCallback } from "react";
import { fetchEvents, fetchTask } from "./daemon.ts";
import { shown, useLoaded } from "./loaded.ts";
import { Age, StatusSign } from "./task-rows.tsx";
import { type Task, type TaskEvent, words } from "./wire.ts";

interface TaskDetailProps {
  readonly id: string;
  readonly revision: number;
  readonly now: number;
}

/** One task: its facts, why it waits, and its history as the journal tells it. */
export function TaskDetail({ id, revision, now }: TaskDetailProps) {
  const load = useCallback(
    async (signal: AbortSignal) => {
      const [task, events] = await Promise.all([fetchTask(id, signal), fetchEvents(id, signal)]);
      return { task, events };
    },
    [id],
  );
  const loaded = useLoaded(load, revision);
  const detail = shown(loaded);

  return (
    <article className="detail" aria-label="The chosen task">
      <a className="close" href="#/" aria-label="Close this task">
        ×
      </a>
      {loaded.state === "failed" && (
        <p className="trouble" role="alert">
          {loaded.sentence}
        </p>
      )}
      {loaded.state === "loading" && <p className="quiet">Reading the task …</p>}
      {detail !== null && (
        <>
          <h2>{detail.task.title}</h2>
          <p>
            <StatusSign task={detail.task} />
          </p>
          {detail.task.waiting !== null && (
            <div className="waiting">
              <p>{detail.task.waiting.sentence}</p>
              {detail.task.waiting.next !== null && <p className="next">{detail.task.waiting.next}</p>}
            </div>
          )}
          <Facts task={detail.task} />
          <History events={detail.events.items} more={detail.events.more} id={id} now={now} />
        </>
      )}
    </article>
  );
}

function Facts({ task }: { readonly task: Task }) {
  const facts: readonly (readonly [string, string | null])[] = [
    ["Project", task.project?.name ?? "none yet"],
    ["Phase", task.phase],
    ["Ended", task.exitReason === null ? null : words(task.exitReason)],
    ["Asked by", task.createdBy],
    ["Created", task.createdAt === null ? null : new Date(task.createdAt).toLocaleString()],
    ["Id", task.id],
  ];
  return (
    <dl className="facts">
      {facts.map(
        ([name, fact]) =>
          fact !== null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{fact}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

interface HistoryProps {
  readonly events: readonly TaskEvent[];
  readonly more: boolean;
  readonly id: string;
  readonly now: number;
}

function History({ events, more, id, now }: HistoryProps) {
  return (
    <section aria-labelledby="history">
      <h3 id="history">What happened</h3>
      <ol className="history">
        {events.map((event) => (
          <li className="history-entry" key={event.seq} data-type={event.type}>
            <span className="history-sentence">{event.sentence}</span>
            <span className="history-facts">
              {event.actor !== null && <>{event.actor} · </>}
              <Age at={event.at} now={now} /> ·{" "}
              <span title="type and position in the journal">{`${event.type} ${event.seq}`}</span>
            </span>
          </li>
        ))}
      </ol>
      {more && (
        <p className="quiet">
          There is more: <code>agentos task logs {id}</code>
        </p>
      )}
    </section>
  );
}
