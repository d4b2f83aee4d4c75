import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll } from "vitest";

/*
 * A real git server on 127.0.0.1 over HTTP: git's own http-backend behind Basic authentication. What it holds are bare repositories below
 * one directory; what was asked of it is in its log.
 */

export interface GitServer {
  readonly url: string;
  readonly root: string;
  /** `GET /app.git/info/refs?service=git-upload-pack 200`, in order. */
  readonly log: readonly string[];
  /** Pushes that brought something: POSTs of git-receive-pack with an answer of 200. */
  pushes(): number;
  /** Called when a push has been taken and before its answer is sent. */
  onPushed: (() => Promise<void>) | null;
  close(): Promise<void>;
}

export interface GitServerWanted {
  readonly root: string;
  /** Needed as `username:password`; null lets everybody in. */
  readonly credentials: string | null;
  /** May read, may not push: such a push is answered 403. */
  readonly readOnly?: boolean;
}

const servers: GitServer[] = [];
afterAll(async () => {
  for (const server of servers.splice(0)) await server.close();
});

export async function gitServer({ root, credentials, readOnly = false }: GitServerWanted): Promise<GitServer> {
  const log: string[] = [];
  const expected = credentials === null ? null : `Basic ${Buffer.from(credentials).toString("base64")}`;
  const server = createServer((request, response) => {
    const end = (status: number, headers: Record<string, string> = {}): void => {
      log.push(`${request.method} ${request.url} ${status}`);
      request.resume();
      response.writeHead(status, headers).end();
    };
    if (expected !== null && request.headers.authorization !== expected)
      return end(401, { "www-authenticate": 'Basic realm="git"' });
    if (readOnly && request.url?.includes("git-receive-pack")) return end(403);
    void backend(request, response, root, log, made);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const made: GitServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    root,
    log,
    pushes: () => log.filter((line) => /^POST \S+\/git-receive-pack 200$/.test(line)).length,
    onPushed: null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  servers.push(made);
  return made;
}

/** CGI, as RFC 3875 has it: the request in variables and on stdin, headers and body on stdout. */
async function backend(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  log: string[],
  server: GitServer,
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? "/", "http://git");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_COUNT: "2",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      GIT_CONFIG_KEY_1: "http.receivepack",
      GIT_CONFIG_VALUE_1: "true",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method ?? "GET",
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      ...(request.headers["content-encoding"] === undefined
        ? {}
        : { HTTP_CONTENT_ENCODING: request.headers["content-encoding"] }),
      REMOTE_USER: "ada",
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => {}); // it may end before it has read everything
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const answer = Buffer.concat(chunks);
  const split = answer.indexOf("\r\n\r\n");
  const headers = answer.subarray(0, split).toString("latin1").split("\r\n");
  const status = Number(/^Status: (\d+)/m.exec(headers.join("\n"))?.[1] ?? 200);
  log.push(`${request.method} ${request.url} ${status}`);
  if (request.method === "POST" && pathname.endsWith("/git-receive-pack")) await server.onPushed?.();
  response.writeHead(
    status,
    Object.fromEntries(
      headers.flatMap((line) => {
        const colon = line.indexOf(":");
        return colon < 0 || line.startsWith("Status:") ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
      }),
    ),
  );
  response.end(answer.subarray(split + 4));
}

/** A bare repository with the history of a local one; its path. */
export function served(root: string, name: string, from: string): string {
  const path = join(root, name);
  execFileSync("git", ["clone", "-q", "--bare", "--no-hardlinks", from, path], { stdio: "ignore" });
  return path;
}
