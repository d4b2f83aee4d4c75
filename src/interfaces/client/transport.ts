import { type IncomingMessage, request } from "node:http";
import { isProblemCode } from "../../contract/problems.ts";
import { CONNECTIONS } from "./connections.ts";
import { Trouble, trouble } from "./trouble.ts";

export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With query, from the root. */
  readonly path: string;
  readonly body?: unknown;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Where the daemon is. Asked again, with `lost`, after a connection broke: it may have been started anew elsewhere. */
export type FindDaemon = (lost: boolean) => Promise<string>;

/** A daemon whose store is locked by someone else holds a write back up to a minute before it says so. */
const ANSWER_MS_MAX = 120_000;
const ANSWER_BYTES_MAX = 256 * 1024 ** 2;

/**
 * One call and its answer. A write carries an Idempotency-Key of its own, so that it can be sent again when the connection
 * broke before the answer came, and is done once. Throws `Trouble` for every answer that is a problem.
 */
export async function exchange(find: FindDaemon, call: Call): Promise<Buffer> {
  const headers = call.method === "GET" ? call.headers : { "idempotency-key": crypto.randomUUID(), ...call.headers };
  const answer = await connected(find, { ...call, headers: headers ?? {} });
  const bytes = await whole(answer, call);
  if (answer.status < 400) return bytes;
  throw problemIn(bytes, answer.status, call);
}

export interface Answer {
  readonly status: number;
  readonly message: IncomingMessage;
}

/** The answer's head; once more on a new connection when the first broke before it. */
export async function connected(find: FindDaemon, call: Call): Promise<Answer> {
  try {
    return await send(await find(false), call);
  } catch (error) {
    if (!isConnectionLoss(error)) throw error;
  }
  const url = await find(true);
  try {
    return await send(url, call);
  } catch (error) {
    if (!isConnectionLoss(error)) throw error;
    throw trouble("daemon/unreachable", `the daemon at ${url} does not answer (${error.code})`, { cause: error });
  }
}

function send(url: string, { method, path, body, accept, headers, timeoutMs, signal }: Call): Promise<Answer> {
  const text = body === undefined ? null : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, url),
      {
        method,
        // What changes something has a connection of its own, that ends with its answer: it may be the end of the daemon.
        agent: method === "GET" ? CONNECTIONS : false,
        signal,
        headers: {
          accept: accept ?? "application/json",
          ...(text !== null && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          ...headers,
        },
      },
      (message) => resolve({ status: message.statusCode ?? 0, message }),
    );
    const most = timeoutMs ?? ANSWER_MS_MAX;
    if (most > 0)
      sent.setTimeout(most, () =>
        sent.destroy(
          trouble(
            "daemon/unreachable",
            `the daemon at ${url} did not answer ${method} ${path} within ${most / 1000} s`,
            { next: "agentos daemon status shows whether it works; its log is logs/daemon.log in the data directory." },
          ),
        ),
      );
    sent.once("error", reject);
    sent.end(text ?? undefined);
  });
}

async function whole({ message }: Answer, { method, path }: Call): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      message.destroy();
      throw trouble("input/too-large", `the answer to ${method} ${path} is larger than ${ANSWER_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export async function problemOfAnswer(answer: Answer, call: Call): Promise<Trouble> {
  return problemIn(await whole(answer, call), answer.status, call);
}

function problemIn(bytes: Buffer, status: number, { method, path }: Call): Trouble {
  let told: unknown;
  try {
    told = JSON.parse(bytes.toString());
  } catch {
    told = null; // Whatever answered is not AgentOS, or broke in the middle: said below.
  }
  if (
    typeof told === "object" &&
    told !== null &&
    "code" in told &&
    isProblemCode(told.code) &&
    "detail" in told &&
    typeof told.detail === "string"
  ) {
    const next = "next" in told && typeof told.next === "string" ? told.next : undefined;
    const facts = "facts" in told && typeof told.facts === "object" && told.facts !== null ? { ...told.facts } : {};
    const known = trouble(told.code, told.detail, { next, facts });
    return new Trouble({ ...known.problem, status });
  }
  return trouble("daemon/unreachable", `what answered ${method} ${path} is not AgentOS (HTTP ${status})`, {
    next: "agentos daemon status shows where the daemon is.",
  });
}

const LOSSES: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTCONN", "ECONNABORTED"]);

export const isConnectionLoss = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && "code" in error && LOSSES.has(error.code);
