import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { UseCases } from "../../app/use-cases.ts";
import { eventView } from "../../contract/present.ts";

const PAGE = 500;
/** A quiet stream says that it is alive this often. */
const ALIVE_MS = 15_000;
/** A reader this far behind is cut off; it comes back with its cursor. */
const WAITING_MAX = 10_000;

/** Where a reader left off: what its browser says by itself when it comes back, else what it asks for. */
export const FollowHeaders = z.object({ "last-event-id": z.coerce.number().int().min(0).optional() });

export const cursorOf = (query: { readonly after: number }, headers: z.infer<typeof FollowHeaders>): number =>
  Math.max(query.after, headers["last-event-id"] ?? 0);

/** Whether the answer is to go on. A HEAD has no body to go on with. */
export const asksToFollow = (c: Context): boolean =>
  c.req.method === "GET" && (c.req.header("accept") ?? "").includes("text/event-stream");

type Look = UseCases["look"];
type Positioned = Parameters<Parameters<Look["onAppended"]>[0]>[0];

/**
 * Everything after a cursor, then what comes, without a gap and without a double: listening begins before the first page is read, and what was
 * read already is left out by its position. `of` narrows to one stream, whose ids are its seqs.
 */
export function follow(c: Context, look: Look, after: number, of: string | null): Response {
  return streamSSE(c, async (stream) => {
    const waiting: Positioned[] = [];
    let wake = (): void => {};
    const stop = look.onAppended((appended) => {
      if (of !== null && appended.stream !== of) return;
      waiting.push(appended);
      if (waiting.length > WAITING_MAX) stream.abort();
      wake();
    });
    stream.onAbort(() => {
      stop();
      wake();
    });
    const tell = async (one: Positioned): Promise<void> => {
      await stream.writeSSE({
        id: String(of === null ? one.position : one.recorded.seq),
        data: JSON.stringify(eventView(one.stream, one.recorded, one.position)),
      });
    };
    try {
      let cursor = after;
      for (;;) {
        const page =
          of === null
            ? await look.since(cursor, PAGE)
            : (await look.events(of.slice(of.indexOf("/") + 1), cursor, PAGE)).map((recorded) => ({
                position: 0,
                stream: of,
                recorded,
              }));
        for (const one of page) {
          if (of === null) await tell(one);
          else
            await stream.writeSSE({ id: String(one.recorded.seq), data: JSON.stringify(eventView(of, one.recorded)) });
          cursor = of === null ? one.position : one.recorded.seq;
        }
        if (page.length < PAGE || stream.aborted) break;
      }
      while (!stream.aborted) {
        const next = waiting.shift();
        if (next === undefined) {
          let timer: NodeJS.Timeout | undefined;
          const quiet = await new Promise<boolean>((resolve) => {
            wake = () => resolve(false);
            timer = setTimeout(() => resolve(true), ALIVE_MS);
          });
          clearTimeout(timer);
          if (quiet) await stream.write(": alive\n\n");
          continue;
        }
        const at = of === null ? next.position : next.recorded.seq;
        if (at <= cursor) continue;
        await tell(next);
        cursor = at;
      }
    } finally {
      stop();
    }
  });
}
