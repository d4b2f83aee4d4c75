import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import type { Egress, EgressDoor, EgressRecord, EgressTarget } from "../../ports/egress.ts";
import { isAddressLiteral, isLoopback, isPrivateAddress } from "./addresses.ts";

export interface EgressProxyOptions {
  readonly connectTimeoutMs?: number;
  /** A connection over which nothing came for so long is ended. */
  readonly idleTimeoutMs?: number;
  /** How long one connection or request may take altogether. */
  readonly totalTimeoutMs?: number;
  /** Connections and requests of one door at the same time. */
  readonly openMax?: number;
  /** Connections and requests of one door altogether; past it everything is denied. */
  readonly triesMax?: number;
  /** Bytes in both directions of one connection or request. */
  readonly bytesMax?: number;
  /** Addresses of a name; the system's resolver when not given. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** A port of this machine's loopback that no door opens, whoever grants it: where the daemon's own API listens, once it does. */
  readonly ownPort?: () => number | null;
}

/**
 * A door is an HTTP proxy on a unix socket. A target is allowed by name and port; its name is resolved here, once, the
 * addresses are judged, and the connection goes to an address that was judged: what a name resolves to a moment later
 * does not matter. Everything tried is recorded, and nothing a client sends can throw into the daemon.
 *
 * The socket must be reachable for the confined user, who is another one than ours when the daemon is root: then its
 * mode is 0666, else 0600. Who may reach it is decided by the directory, which has to be private (0700): into the
 * sandbox it is bound as a file, so nobody inside walks through that directory.
 */
export const egressProxy = (options: EgressProxyOptions = {}): Egress => {
  const bounds: Bounds = {
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 5 * 60_000,
    totalTimeoutMs: options.totalTimeoutMs ?? 60 * 60_000,
    openMax: options.openMax ?? 128,
    triesMax: options.triesMax ?? 20_000,
    bytesMax: options.bytesMax ?? 4 * 1024 ** 3,
  };
  const resolve = options.resolve ?? resolveBySystem;
  const ownPort = options.ownPort ?? (() => null);
  return {
    open: (socketPath, targets, allowPrivate) =>
      openDoor(socketPath, {
        targets: targets.map(normal),
        allowPrivate: allowPrivate.map(normal),
        resolve,
        ownPort,
        bounds,
      }),
  };
};

interface Bounds {
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly openMax: number;
  readonly triesMax: number;
  readonly bytesMax: number;
}

interface Rules {
  readonly targets: readonly EgressTarget[];
  readonly allowPrivate: readonly EgressTarget[];
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly ownPort: () => number | null;
  readonly bounds: Bounds;
}

/** One thing tried, while it is open. */
interface Attempt {
  readonly target: EgressTarget;
  verdict: EgressRecord["verdict"];
  reason: string | null;
  /** Counts what went over the wire, headers included; null before anything was connected. */
  upstream: Socket | null;
}

/** Headers in bytes and number; a client that sends more is cut off by Node with 431. */
const HEADER_BYTES_MAX = 32 * 1024;
const HEADER_TIMEOUT_MS = 10_000;

const openDoor = async (socketPath: string, rules: Rules): Promise<EgressDoor> => {
  const attempts: Attempt[] = [];
  const sockets = new Set<Duplex>();
  let open = 0;

  const hold = (socket: Duplex): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", ignoreBroken);
  };
  /** Registers one try; no addresses: it is refused, and the attempt says why. */
  const admit = async (target: EgressTarget): Promise<Admitted> => {
    const attempt: Attempt = { target, verdict: "denied", reason: null, upstream: null };
    // The first one past the bound is recorded, those after it are not: else records would be what fills our memory.
    if (attempts.length <= rules.bounds.triesMax) attempts.push(attempt);
    if (attempts.length > rules.bounds.triesMax)
      attempt.reason = `more than ${rules.bounds.triesMax} connections were tried`;
    else if (open > rules.bounds.openMax) attempt.reason = `more than ${rules.bounds.openMax} connections are open`;
    if (attempt.reason !== null) return { attempt, addresses: [] };
    const { verdict, reason, addresses } = await judge(target, rules);
    Object.assign(attempt, { verdict, reason });
    return { attempt, addresses };
  };

  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADER_TIMEOUT_MS,
    requestTimeout: 0,
  });
  server.maxHeadersCount = 200;
  server.maxConnections = rules.bounds.openMax * 2;
  server.on("connection", hold);
  server.on("clientError", (_, socket) => void refuse(socket, 400, "this is not an HTTP request"));

  server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    open += 1;
    client.once("close", () => (open -= 1));
    tunnel(request, client, head, admit, rules.bounds, hold).catch(() => client.destroy());
  });
  server.on("upgrade", (_, client: Duplex) => void refuse(client, 501, "upgrades need CONNECT"));
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    open += 1;
    response.once("close", () => (open -= 1));
    forward(request, response, admit, rules.bounds, hold).catch(() => response.destroy());
  });

  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => {
      server.off("error", reject);
      server.on("error", ignoreBroken);
      resolve();
    });
  });
  await chmod(socketPath, process.getuid?.() === 0 ? 0o666 : 0o600);

  return {
    socket: socketPath,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      // With an error, so that whoever waits for a connection hears of it.
      for (const socket of sockets) socket.destroy(new Error("the door is closed"));
      await closed;
      await rm(socketPath, { force: true });
      return attempts.map(({ target, verdict, reason, upstream }) => ({
        host: target.host,
        port: target.port,
        verdict,
        bytesUp: upstream?.bytesWritten ?? 0,
        bytesDown: upstream?.bytesRead ?? 0,
        reason,
      }));
    },
  };
};

/** Addresses that may be connected to, in the resolver's order. */
interface Admitted {
  readonly attempt: Attempt;
  readonly addresses: readonly string[];
}
type Admit = (target: EgressTarget) => Promise<Admitted>;
type Hold = (socket: Duplex) => void;

/** CONNECT host:port: bytes in both directions until one side ends or a bound is reached. */
const tunnel = async (
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  admit: Admit,
  bounds: Bounds,
  hold: Hold,
): Promise<void> => {
  const target = parseAuthority(request.url ?? "");
  if (target === null) return refuse(client, 400, "CONNECT needs host:port");
  const { attempt, addresses } = await admit(target);
  if (addresses.length === 0)
    return refuse(client, attempt.verdict === "failed" ? 502 : 403, attempt.reason ?? "denied");
  const upstream = await reach(addresses, attempt, bounds, hold);
  if (upstream === null) return refuse(client, 502, attempt.reason ?? "failed");
  if (client.destroyed) return void upstream.destroy();

  client.write("HTTP/1.1 200 Connection established\r\n\r\n");
  const stop = (reason: string): void => {
    attempt.reason ??= reason;
    client.destroy();
    upstream.destroy();
  };
  watch(upstream, client, bounds, stop);
  if (head.length > 0) upstream.write(head);
  client.pipe(upstream);
  upstream.pipe(client);
  client.once("close", () => upstream.destroySoon());
  // Not destroy: what upstream said last may still be on its way to the client.
  upstream.once("close", (broken: boolean) => (broken ? client.destroy() : client.end()));
};

/** Counts both directions and ends the pair at the bounds of size and time. */
const watch = (upstream: Socket, client: Readable, bounds: Bounds, stop: (reason: string) => void): void => {
  const check = (): void => {
    if (upstream.bytesWritten + upstream.bytesRead > bounds.bytesMax) stop(`ended after ${bounds.bytesMax} bytes`);
  };
  client.on("data", check);
  upstream.on("data", check);
  upstream.setTimeout(bounds.idleTimeoutMs, () => stop(`ended after ${bounds.idleTimeoutMs} ms without a byte`));
  const total = setTimeout(() => stop(`ended after ${bounds.totalTimeoutMs} ms`), bounds.totalTimeoutMs);
  upstream.once("close", () => clearTimeout(total));
};

/** `GET http://host/path`: sent on as an ordinary request of one connection of its own. */
const forward = async (
  request: IncomingMessage,
  response: ServerResponse,
  admit: Admit,
  bounds: Bounds,
  hold: Hold,
): Promise<void> => {
  response.on("error", ignoreBroken);
  request.on("error", ignoreBroken);
  const url = parseAbsolute(request.url ?? "");
  if (url === null) return answer(response, 400, "the request needs an absolute http:// address");
  const { attempt, addresses } = await admit(url.target);
  if (addresses.length === 0)
    return answer(response, attempt.verdict === "failed" ? 502 : 403, attempt.reason ?? "denied");
  const upstream = await reach(addresses, attempt, bounds, hold);
  if (upstream === null) return answer(response, 502, attempt.reason ?? "failed");
  if (response.destroyed) return void upstream.destroy();

  const stop = (reason: string): void => {
    attempt.reason ??= reason;
    upstream.destroy();
    response.destroy();
  };
  watch(upstream, request, bounds, stop);
  response.once("close", () => upstream.destroy());
  const onward = httpRequest({
    createConnection: () => upstream,
    method: request.method ?? "GET",
    path: url.path,
    headers: onwardHeaders(request.rawHeaders, url.target),
    setHost: false,
  });
  onward.once("error", (error) => {
    if (attempt.reason === null) fail(attempt, error);
    if (response.headersSent) response.destroy();
    else answer(response, 502, attempt.reason ?? "failed");
  });
  onward.once("response", (reply) => {
    reply.on("error", () => response.destroy());
    try {
      response.writeHead(reply.statusCode ?? 502, reply.statusMessage, endToEnd(reply.rawHeaders));
    } catch {
      return stop(`${url.target.host}:${url.target.port} answered with headers that cannot be passed on`);
    }
    reply.pipe(response);
  });
  request.pipe(onward);
};

interface Judgement {
  readonly verdict: EgressRecord["verdict"];
  readonly reason: string | null;
  readonly addresses: readonly string[];
}

/** By name and port, then by what the name resolves to; what leads to AgentOS itself is refused whoever granted it. */
const judge = async ({ host, port }: EgressTarget, rules: Rules): Promise<Judgement> => {
  const name = `${host}:${port}`;
  const no = (verdict: "denied" | "failed", reason: string): Judgement => ({ verdict, reason, addresses: [] });
  if (isAddressLiteral(host)) return no("denied", `${name} is an address, not a name`);
  if (!rules.targets.some(same({ host, port }))) return no("denied", `${name} is not among the allowed targets`);
  let found: readonly string[];
  try {
    found = await withinMs(rules.resolve(host), rules.bounds.connectTimeoutMs);
  } catch (error) {
    return no("failed", `${host} could not be resolved: ${codeOf(error)}`);
  }
  if (rules.ownPort() === port && found.some(isLoopback))
    return no("denied", `${name} is AgentOS itself, which nothing inside a sandbox may reach`);
  const mayBePrivate = rules.allowPrivate.some(same({ host, port }));
  const addresses = found.filter((address) => mayBePrivate || !isPrivateAddress(address));
  if (addresses.length > 0) return { verdict: "allowed", reason: null, addresses };
  if (found.length === 0) return no("failed", `${host} has no address`);
  return no("denied", `${name} resolves to ${found.join(", ")}, which is not on the internet`);
};

const same = (wanted: EgressTarget) => (target: EgressTarget) =>
  target.host === wanted.host && target.port === wanted.port;

const normal = ({ host, port }: EgressTarget): EgressTarget => ({ host: host.toLowerCase().replace(/\.$/, ""), port });

const resolveBySystem = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** `host:port` as CONNECT writes it; null when it is not that. */
export const parseAuthority = (authority: string): EgressTarget | null => {
  const [, host, port] = /^(\[[0-9a-f:.%]+\]|[^\s:/@?#\\[\]]+):(\d{1,5})$/i.exec(authority) ?? [];
  const number = Number(port);
  return host === undefined || number < 1 || number > 65_535 ? null : normal({ host, port: number });
};

/** `http://host[:port]/path`; other schemes and addresses with a user in them are refused. */
const parseAbsolute = (address: string): { readonly target: EgressTarget; readonly path: string } | null => {
  const [, authority, path] = /^http:\/\/([^/?#]+)([/?][^#]*)?$/i.exec(address) ?? [];
  if (authority === undefined) return null;
  const target = parseAuthority(/:\d+$/.test(authority) ? authority : `${authority}:80`);
  if (target === null) return null;
  return { target, path: path === undefined ? "/" : path.startsWith("?") ? `/${path}` : path };
};

/** What concerns one connection only and must not be passed on, besides the names listed in `connection`. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const endToEnd = (raw: readonly string[]): string[] => {
  const pairs = pairsOf(raw);
  const named = pairs
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(/\s*,\s*/));
  return pairs.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && !named.includes(name.toLowerCase())).flat();
};

/** The target decides the Host, whatever the client wrote: a shared front would else serve another site. */
const onwardHeaders = (raw: readonly string[], { host, port }: EgressTarget): string[] => {
  const kept = pairsOf(endToEnd(raw)).filter(([name]) => name.toLowerCase() !== "host");
  const chunked = pairsOf(raw).some(
    ([name, value]) => name.toLowerCase() === "transfer-encoding" && /chunked/i.test(value),
  );
  return [
    ...["Host", port === 80 ? host : `${host}:${port}`],
    ...kept.flat(),
    ...(chunked ? ["Transfer-Encoding", "chunked"] : []),
    ...["Connection", "close"],
  ];
};

const pairsOf = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, raw[index + 1] ?? ""]] : []));

/** Connects to the first address that answers; null when none does, and the attempt says why. */
const reach = async (
  addresses: readonly string[],
  attempt: Attempt,
  bounds: Bounds,
  hold: Hold,
): Promise<Socket | null> => {
  for (const address of addresses) {
    try {
      const upstream = await dial(address, attempt.target.port, bounds.connectTimeoutMs, hold);
      Object.assign(attempt, { verdict: "allowed", reason: null, upstream });
      return upstream;
    } catch (error) {
      fail(attempt, error);
    }
  }
  return null;
};

const dial = async (host: string, port: number, timeoutMs: number, hold: Hold): Promise<Socket> => {
  const socket = connect({ host, port, autoSelectFamily: false });
  hold(socket);
  const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
  try {
    await once(socket, "connect");
    return socket;
  } finally {
    clearTimeout(timer);
  }
};

const fail = (attempt: Attempt, error: unknown): void => {
  attempt.verdict = "failed";
  attempt.reason = `${attempt.target.host}:${attempt.target.port} could not be reached: ${codeOf(error)}`;
};

const codeOf = (error: unknown): string => {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
};

const withinMs = async <T>(promise: Promise<T>, ms: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

const answer = (response: ServerResponse, status: number, reason: string): void => {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" });
  response.end(`${oneLine(reason)}\n`);
};

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  501: "Not Implemented",
  502: "Bad Gateway",
};

const refuse = (client: Duplex, status: number, reason: string): void => {
  if (client.destroyed || !client.writable) return;
  const body = `${oneLine(reason)}\n`;
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  client.end(head + body, () => client.destroy());
};

/** The name in a reason came from the client. */
const oneLine = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 500);

const ignoreBroken = (): void => {
  // A connection broke: its close event ends the other half, and what was tried is recorded already.
};
