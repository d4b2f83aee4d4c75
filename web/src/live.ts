import { useEffect, useState } from "react";

export type Connection = "connecting" | "live" | "lost";

/** News come in bursts (one per journal event); the page asks again once per burst, and during a long one twice a second. */
const SETTLE_MS = 120;
const BURST_MAX_MS = 500;
/** EventSource gives up for good after an HTTP error; a daemon that restarts needs a few seconds. */
const RETRY_MS = 2_000;

/**
 * Follows `/api/events` while mounted. `revision` grows whenever something may have changed: after news, and after a
 * (re)connection, because what happened in between was missed.
 */
export function useLive(): { readonly connection: Connection; readonly revision: number } {
  const [connection, setConnection] = useState<Connection>("connecting");
  const [revision, setRevision] = useState(0);

  useEffect(() => {
    let source: EventSource | undefined;
    let retry: number | undefined;
    let settle: number | undefined;
    let burstBegan: number | undefined;

    const tell = () => {
      settle = undefined;
      burstBegan = undefined;
      setRevision((before) => before + 1);
    };
    const news = () => {
      const now = performance.now();
      burstBegan ??= now;
      window.clearTimeout(settle);
      settle = window.setTimeout(tell, Math.max(0, Math.min(SETTLE_MS, burstBegan + BURST_MAX_MS - now)));
    };
    const connect = () => {
      const opened = new EventSource("/api/events?after=now");
      source = opened;
      opened.addEventListener("open", () => {
        setConnection("live");
        news();
      });
      opened.addEventListener("message", news);
      opened.addEventListener("error", () => {
        setConnection("lost");
        if (opened.readyState !== EventSource.CLOSED) return; // The browser itself tries again.
        window.clearTimeout(retry);
        retry = window.setTimeout(connect, RETRY_MS);
      });
    };

    connect();
    return () => {
      source?.close();
      window.clearTimeout(retry);
      window.clearTimeout(settle);
    };
  }, []);

  return { connection, revision };
}
