import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { extname, join } from "node:path";
import type { EventView, TaskListView } from "../../src/contract/views.ts";

export type StubTask = TaskListView["items"][number];
export type StubEvent = EventView;

export interface StubDaemon {
  readonly url: string;
  tasks: readonly StubTask[];
  /** The history of every task. */
  events: readonly StubEvent[];
  /** What `/api/health` says of a pause of everything. */
  paused: { readonly since: string; readonly by: string; readonly reason: string | null } | null;
  readonly listRequests: number;
  /** One piece of news to everyone who follows the event stream. */
  announce(): void;
  /** Cuts every connection, and each new one, as a daemon that died does. */
  goDown(): void;
  comeBack(): void;
  stop(): Promise<void>;
}

const DIST = join(import.meta.dirname, "..", "dist");
const PAGE_SIZE = 50;
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** Serves the built page, under the policy the daemon sets, and the part of the API that the page uses. */
export async function startStubDaemon(): Promise<StubDaemon> {
  const followers = new Set<ServerResponse>();
  let isDown = false;
  let position = 0;
  let listRequests = 0;

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://stub");
    const [, id, below] = /^\/api\/tasks\/([^/]+)(\/events)?$/.exec(url.pathname) ?? [];
    if (isDown) request.socket.destroy();
    else if (url.pathname === "/api/events") follow(response);
    else if (url.pathname === "/api/health") answer(response, 200, { ok: true, paused: stub.paused });
    else if (url.pathname === "/api/tasks") {
      listRequests += 1;
      const statuses = url.searchParams.get("status")?.split(",");
      const tasks = stub.tasks.filter((each) => statuses?.includes(each.status) ?? true);
      const start = Number(url.searchParams.get("cursor") ?? 0);
      const end = start + PAGE_SIZE;
      answer(response, 200, { items: tasks.slice(start, end), next: end < tasks.length ? String(end) : null });
    } else if (id !== undefined) {
      const task = stub.tasks.find((each) => each.id === id);
      if (below !== undefined) {
        const later = stub.events.filter((event) => event.seq > Number(url.searchParams.get("after") ?? 0));
        const items = later.slice(0, PAGE_SIZE);
        answer(response, 200, { items, next: later.length > items.length ? items.at(-1)?.seq : null });
      } else if (task !== undefined) answer(response, 200, task);
      else
        answer(response, 404, {
          code: "task/not-found",
          detail: `There is no task ${id}.`,
          next: "agentos task list shows the tasks that exist.",
        });
    } else void serveFile(response, url.pathname);
  });

  const follow = (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("retry: 200\n\n");
    followers.add(response);
    response.once("close", () => followers.delete(response));
  };

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the stub listens on no port");

  const stub: StubDaemon = {
    url: `http://127.0.0.1:${address.port}/`,
    tasks: [],
    events: [],
    paused: null,
    get listRequests() {
      return listRequests;
    },
    announce: () => {
      position += 1;
      for (const follower of followers) follower.write(`id: ${position}\ndata: {"position":${position}}\n\n`);
    },
    goDown: () => {
      isDown = true;
      server.closeAllConnections();
    },
    comeBack: () => {
      isDown = false;
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return stub;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function serveFile(response: ServerResponse, path: string): Promise<void> {
  const name = path === "/" ? "/index.html" : path;
  const content = await readFile(join(DIST, name)).catch(() => null);
  const mediaType = MEDIA_TYPES[extname(name)];
  if (content === null || mediaType === undefined)
    return answer(response, 404, { detail: `There is no file ${name}.` });
  response.writeHead(200, { "content-type": mediaType, "content-security-policy": "default-src 'self'" });
  response.end(content);
}
