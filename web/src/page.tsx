import { useEffect, useState } from "react";
import { fetchOverview } from "./daemon.ts";
import { type Connection, useLive } from "./live.ts";
import { shown, useLoaded } from "./loaded.ts";
import { TaskDetail } from "./task-detail.tsx";
import { TaskRows } from "./task-rows.tsx";

/** The whole page: what needs a person first, then all tasks, then the chosen one beside them. */
export function PageView() {
  const { connection, revision } = useLive();
  const overview = useLoaded(fetchOverview, revision);
  const chosen = useChosenTask();
  const now = useNow();

  const listing = shown(overview)?.tasks ?? null;
  const waiting = shown(overview)?.waiting.items ?? [];
  const waitingCount = `${waiting.length}${shown(overview)?.waiting.more ? "+" : ""}`;
  const paused = shown(overview)?.paused ?? null;

  useEffect(() => {
    document.title = waitingCount === "0" ? "AgentOS" : `(${waitingCount}) AgentOS`;
  }, [waitingCount]);

  return (
    <>
      <header className="masthead">
        <h1>
          <a href="#/">AgentOS</a>
        </h1>
        <ConnectionSign connection={connection} />
      </header>
      <main className={chosen === null ? "columns" : "columns with-detail"}>
        <div className="lists">
          {overview.state === "failed" && (
            <p className="trouble" role="alert">
              {overview.sentence}
            </p>
          )}
          {paused !== null && (
            <p className="paused" role="status">
              Everything is paused{paused.by !== null && ` by ${paused.by}`}
              {paused.reason !== null && ` (${paused.reason})`}: no task is taken up until{" "}
              <code>agentos daemon resume</code>.
            </p>
          )}
          {overview.state === "loading" && <p className="quiet">Reading the tasks …</p>}
          {listing !== null && listing.items.length === 0 && <NoTasks />}
          {waiting.length > 0 && (
            <section aria-labelledby="needs-you">
              <h2 id="needs-you">
                Needs you <span className="count">{waitingCount}</span>
              </h2>
              <TaskRows tasks={waiting} chosen={chosen} now={now} withReason />
            </section>
          )}
          {listing !== null && listing.items.length > 0 && (
            <section aria-labelledby="tasks">
              <h2 id="tasks">
                Tasks{" "}
                <span className="count">
                  {listing.items.length}
                  {listing.more && "+"}
                </span>
              </h2>
              <TaskRows tasks={listing.items} chosen={chosen} now={now} withReason={false} />
              {listing.more && (
                <p className="quiet">
                  There are more than fit here: <code>agentos task list --all</code> shows them all, and{" "}
                  <code>agentos task search WORDS</code> finds one.
                </p>
              )}
            </section>
          )}
        </div>
        {chosen !== null && <TaskDetail key={chosen} id={chosen} revision={revision} now={now} />}
      </main>
    </>
  );
}

function NoTasks() {
  return (
    <section className="empty">
      <h2>No tasks yet</h2>
      <p>Go to a git repository of yours and say what you want done:</p>
      <pre>
        <code>agentos task create "Make the failing tests pass"</code>
      </pre>
      <p className="quiet">It appears here at once, and so does every step it takes.</p>
    </section>
  );
}

const CONNECTION_WORDS = {
  connecting: "connecting …",
  live: "live",
  lost: "connection lost, trying again …",
} as const satisfies Record<Connection, string>;

function ConnectionSign({ connection }: { readonly connection: Connection }) {
  return (
    <p className="connection" data-connection={connection} role="status">
      {CONNECTION_WORDS[connection]}
    </p>
  );
}

/** The task in the address (`#/tasks/<id>`), so that a reload, a bookmark and the back button keep it. */
function useChosenTask(): string | null {
  const [hash, setHash] = useState(window.location.hash);
  useEffect(() => {
    const follow = () => setHash(window.location.hash);
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  return /^#\/tasks\/([0-9A-Za-z_-]+)$/.exec(hash)?.[1] ?? null;
}

/** The time, every ten seconds: ages must not stand still on a quiet page. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 10_000);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}
