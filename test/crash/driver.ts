import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DieAt, writeDown } from "./boundaries.ts";
import { type Listing, listingOf, unexplainedChanges } from "./checker/repository.ts";
import { beginLife, type Life, type LifeWanted } from "./life.ts";
import { type Places, placesIn } from "./places.ts";

export interface SeenEvent {
  readonly stream: string;
  readonly seq: number;
  readonly position: number;
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a journey knows when it says what to do next. */
export interface Seen {
  readonly events: readonly SeenEvent[];
  count(type: string): number;
  /** The status that the newest events give. */
  readonly status: string;
  /** A command of the task waits in its middle. */
  readonly middle: boolean;
  /** How often the daemon was stopped in good order on the way. */
  readonly stops: number;
  /** Writes of this journey that were answered with 2xx, by name. */
  done(name: string): boolean;
}

export type Move =
  | { readonly do: "write"; readonly name: string; readonly path: string; readonly body: unknown }
  | { readonly do: "release" }
  /** The daemon is asked to stop in good order; the next life goes on. */
  | { readonly do: "stop" }
  | { readonly do: "wait" }
  | { readonly do: "over" };

/** A task from its creation to its end, as its person sees it. */
export interface Journey {
  readonly name: string;
  /** Further repositories of the same project, by name; the first one is called app. */
  readonly beside?: readonly string[];
  /** Makes the person's repository at this path. */
  makeRepository(path: string): void;
  readonly spec: Readonly<Record<string, unknown>>;
  /** What the person does next, once the task is ready. */
  next(seen: Seen): Move;
  /** What the person does to their repository just before they ask for the delivery. */
  readonly beforeDelivery?: (repository: string) => void;
}

export interface Travelled {
  /** How often the daemon was killed on the way. */
  readonly deaths: number;
  readonly findings: readonly string[];
  /** What the task waited for on the way. */
  readonly blocked: readonly string[];
}

/** One data directory and the lives that work on it, one after the other. */
export interface World {
  readonly places: Places;
  /** The daemon that lives now. */
  living(): Life;
  /** One journey with a person who does not notice crashes: what was not answered is sent again under the same key. */
  travel(journey: Journey, label: string, deaths: readonly DieAt[], watchDelivery?: boolean): Promise<Travelled>;
  close(): Promise<void>;
}

export interface WorldOptions extends Pick<LifeWanted, "within" | "env"> {
  readonly codeCache: string;
  /** How a daemon may end by itself, as a death like another: "exit 74". */
  readonly mayEndBy?: string;
  /** Looked at between a death and the next life. */
  readonly afterDeath?: (places: Places) => readonly string[];
}

export function openWorld(directory: string, { codeCache, afterDeath, mayEndBy, ...around }: WorldOptions): World {
  const places = placesIn(directory);
  for (const path of [places.home, places.repos, places.meet]) mkdirSync(path, { recursive: true });
  chmodSync(places.meet, 0o777);
  if (!existsSync(places.witness)) writeFileSync(places.witness, "");
  chmodSync(places.witness, 0o666);

  let life: Life | null = null;
  const events: SeenEvent[] = [];
  let bell = signalling();
  const changed = (): void => {
    const rung = bell;
    bell = signalling();
    rung.ring();
  };

  const begin = async (dieAt: DieAt | null): Promise<Life | null> => {
    const begun = await beginLife(directory, { dieAt, codeCache, changed, ...around });
    if (begun !== null)
      followEvents(
        begun,
        () => events.at(-1)?.position ?? 0,
        (event) => {
          events.push(event);
          changed();
        },
      );
    return begun;
  };

  return {
    places,
    living() {
      if (life === null) throw new Error("no daemon lives");
      return life;
    },
    async travel(journey, label, deaths, watchDelivery = false) {
      const repository = join(places.repos, label);
      const beside = (journey.beside ?? []).map((name) => ({ name, path: besideOf(repository, name) }));
      for (const path of [repository, ...beside.map((one) => one.path)]) journey.makeRepository(path);
      let before: Listing = listingOf(repository);
      const findings: string[] = [];
      const wanted = [...deaths];
      let died = 0;
      let delivering = false;
      const answered = new Map<string, Readonly<Record<string, unknown>>>();
      let sent = 0;
      let stops = 0;
      /** The last resort against a wait for what never comes; nothing is timed by it. */
      const withinBound = async (waited: Promise<unknown>): Promise<void> => {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(
            () =>
              reject(
                new Error(
                  `${label}: nothing happened for ${QUIET_MS_MAX} ms after ${events.at(-1)?.stream} ${events.at(-1)?.seq} ${events.at(-1)?.type} ${JSON.stringify(events.at(-1)?.body)}`,
                ),
              ),
            QUIET_MS_MAX,
          );
        });
        await Promise.race([waited, late]).finally(() => clearTimeout(timer));
      };
      let pending: {
        readonly key: string;
        readonly name: string;
        readonly path: string;
        readonly body: unknown;
      } | null = null;

      const untouched = (when: string): void => {
        if (!delivering)
          for (const change of unexplainedChanges(before, listingOf(repository), null))
            findings.push(`${label}, ${when}: the person's repository: ${change}`);
      };
      const living = async (): Promise<Life> => {
        while (life === null || life.endedBy() !== null) {
          if (life !== null) {
            await life.ended;
            if (life.endedBy() === mayEndBy) writeDown(places.kills, { pid: life.pid, at: mayEndBy });
            else if (life.endedBy() !== "SIGKILL" && life.endedBy() !== "exit 0")
              throw new Error(`${label}: a life ended by itself: ${life.endedBy()}; see ${places.log}`);
            life = null;
          }
          const dieAt = died > 0 ? (wanted.shift() ?? null) : null;
          if (died > 0) {
            untouched(`after death ${died}`);
            findings.push(
              ...(afterDeath?.(places) ?? []).map((finding) => `${label}, after death ${died}: ${finding}`),
            );
          }
          life = await begin(dieAt);
          if (life === null) died += 1;
        }
        return life;
      };
      const write = async (name: string, path: string, body: unknown): Promise<number | null> => {
        if (pending?.name !== name) {
          sent += 1;
          pending = { key: `${label}-${sent}`, name, path, body };
        }
        const { url } = await living();
        const answer = await post(url, pending.key, path, body);
        if (answer === null) return null;
        const { key } = pending;
        if (answer.status >= 500 && answer.status !== 503)
          throw new Error(`${label}: ${path} answered ${answer.status}: ${answer.text}; see ${places.log}`);
        if (answer.status === 503) return answer.status;
        pending = null;
        if (answer.status === 409 && name === "project") {
          // It was made before the death, and the answer was lost with it.
          answered.set(name, {});
          return answer.status;
        }
        if (answer.status < 300) {
          const view = JSON.parse(answer.text) as Readonly<Record<string, unknown>>;
          writeDown(places.acknowledged, { key, name, label, path, view });
          answered.set(name, view);
        }
        return answer.status;
      };

      const first = await living();
      const firstDeath = wanted.shift();
      if (firstDeath !== undefined && !watchDelivery) await first.arm(firstDeath);
      const from = events.at(-1)?.position ?? 0;
      writeDown(places.repositories, { label, repository, before });
      for (const { name, path } of beside)
        writeDown(places.repositories, { label, repo: name, repository: path, before: listingOf(path) });
      for (;;) {
        const now = await living();
        const heard = bell.rung;
        const move = nextMove();
        if (move.do === "over") break;
        if (move.do === "wait") {
          await withinBound(Promise.race([heard, now.ended]));
        } else if (move.do === "stop") {
          stops += 1;
          writeDown(places.stops, { pid: now.pid });
          await withinBound(now.stop());
        } else if (move.do === "release") {
          for (const name of now.middle) now.release(name);
        } else {
          if (move.name === "deliver" && !delivering) {
            untouched("before the delivery");
            journey.beforeDelivery?.(repository);
            before = listingOf(repository);
            writeDown(places.repositories, { label, repository, before });
            delivering = true;
            if (watchDelivery && firstDeath !== undefined) {
              await now.watch(repository);
              await now.arm(firstDeath);
            }
          }
          const status = await write(move.name, move.path, move.body);
          if (status !== null && status >= 400 && status !== 409 && status !== 503)
            throw new Error(`${label}: ${move.path} was refused with ${status}`);
          if (status === null) await withinBound(now.ended);
        }
        if (now.endedBy() === "SIGKILL" || now.endedBy() === mayEndBy) died += 1;
      }
      await life?.arm(null);
      untouched("at its end");
      const task = answered.get("create")?.["id"];
      const blocked = events.flatMap(({ stream, type, body }) =>
        stream === `task/${task}` && type === "BLOCKED" ? [String(body["reason"])] : [],
      );
      return { deaths: died, findings, blocked };

      function nextMove(): Move {
        if (pending !== null) return { do: "write", ...pending };
        const id = answered.get("create")?.["id"];
        if (!answered.has("project"))
          return {
            do: "write",
            name: "project",
            path: "/api/projects",
            body: {
              name: label,
              repos: [{ path: repository, name: "app" }, ...beside].map((one) => ({
                ...one,
                tool_path: ["/usr/bin", "/bin"],
              })),
            },
          };
        if (typeof id !== "string")
          return {
            do: "write",
            name: "create",
            path: "/api/tasks",
            body: { title: label, session: label, created_by: "casey@example.com", ...journey.spec },
          };
        const mine = events.filter((event) => event.position > from && event.stream === `task/${id}`);
        const count = (type: string): number => mine.filter((event) => event.type === type).length;
        const on = (move: Move): Move =>
          move.do === "write" ? { ...move, path: `/api/tasks/${id}/${move.path}` } : move;
        if (count("BOUND") === 0)
          return answered.has("bind")
            ? { do: "wait" }
            : on({ do: "write", name: "bind", path: "bind", body: { project: label } });
        if (count("SPEC_FROZEN") === 0)
          return answered.has("freeze")
            ? { do: "wait" }
            : on({ do: "write", name: "freeze", path: "spec/freeze", body: {} });
        if (count("READY") === 0)
          return answered.has("ready") ? { do: "wait" } : on({ do: "write", name: "ready", path: "ready", body: {} });
        const middle = [...(life?.middle ?? [])].some((name) => name.startsWith(id));
        return on(
          journey.next({
            events: mine,
            count,
            status: statusAfter(mine),
            middle,
            stops,
            done: (name) => answered.has(name),
          }),
        );
      }
    },
    async close() {
      if (life !== null && life.endedBy() === null) await life.stop();
      life = null;
    },
  };
}

/** Where a further repository of the same project lies. */
export const besideOf = (repository: string, name: string): string => `${repository}-${name}`;

const QUIET_MS_MAX = 90_000;

const STATUS_AFTER: Readonly<Record<string, string>> = {
  CREATED: "draft",
  QUEUED: "queued",
  CLAIMED: "running",
  PLAN_PROPOSED: "awaiting_approval",
  WORK_ITEM_PROPOSED: "awaiting_approval",
  BLOCKED: "blocked",
  COMPLETED: "succeeded",
  FAILED: "failed",
  CANCELED: "canceled",
};

export const statusAfter = (events: readonly SeenEvent[]): string =>
  STATUS_AFTER[events.findLast(({ type }) => STATUS_AFTER[type] !== undefined)?.type ?? ""] ?? "draft";

export function signalling(): { readonly rung: Promise<void>; readonly ring: () => void } {
  let ring = (): void => {};
  const rung = new Promise<void>((resolve) => {
    ring = resolve;
  });
  return { rung, ring };
}

/** Null: the daemon died before it answered. */
export async function post(
  url: string,
  key: string,
  path: string,
  body: unknown,
): Promise<{ readonly status: number; readonly text: string } | null> {
  try {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}

/** Tells every event after the cursor, as the live stream brings them, for as long as the life lasts. */
export function followEvents(life: Life, after: () => number, tell: (event: SeenEvent) => void): void {
  const follow = async (): Promise<void> => {
    const response = await fetch(`${life.url}/api/events?after=${after()}`, {
      headers: { accept: "text/event-stream" },
    });
    if (response.body === null) throw new Error("the stream of events has no body");
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) {
        const data = /^data: (.*)$/m.exec(message)?.[1];
        if (data === undefined) continue;
        const event = JSON.parse(data) as SeenEvent;
        if (event.position > after()) tell(event);
      }
    }
  };
  follow().catch(() => undefined); // It ends with the life; the next one is followed from where this one was.
}
