import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { StringDecoder } from "node:string_decoder";
import { isLinkLocal } from "../../domain/link-local.ts";

/** A server on this machine takes a connection at once, or is not there. */
const CONNECT_MS = 500;
const LOOK_MS = 1_500;
const BYTES_MAX = 8 * 1024 ** 2;

export interface Question {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Until the answer is whole. */
  readonly timeoutMs?: number;
  readonly connectMs?: number;
}

export type Answer =
  | { readonly got: "answer"; readonly status: number; readonly server: string; readonly text: string }
  /** `refused`: nobody listens. `silent`: no whole answer in time. `broken`: an answer that is no HTTP, breaks off, or is too large. */
  | { readonly got: "refused" | "silent" | "broken"; readonly why: string };

/** One question to a server that may be anything at all. Never rejects; follows no redirect; asks no link-local address; reads a bounded answer. */
export function ask(url: string, question: Question = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    exchange(url, question, {
      onHead: () => {},
      onData: (part, end) => {
        bytes += part.length;
        if (bytes > BYTES_MAX) end({ got: "broken", why: `its answer is larger than ${BYTES_MAX} bytes` });
        else parts.push(part);
      },
      onEnd: (head) =>
        resolve({
          got: "answer",
          status: head.statusCode ?? 0,
          server: String(head.headers.server ?? ""),
          text: Buffer.concat(parts).toString("utf8"),
        }),
      onTrouble: resolve,
    });
  });
}

/** The lines of an answer as they come, to `onLine`; resolves at its end. What is too long for a line is not one. */
export function askLines(
  url: string,
  question: Question & { readonly quietMs: number },
  onLine: (line: string) => void,
): Promise<Answer> {
  return new Promise((resolve) => {
    const decoder = new StringDecoder("utf8");
    let rest = "";
    exchange(url, question, {
      onHead: () => {},
      onData: (part, end) => {
        const lines = (rest + decoder.write(part)).split("\n");
        rest = lines.pop() ?? "";
        if (rest.length > LINE_CHARACTERS_MAX) return end({ got: "broken", why: "a line of its answer does not end" });
        for (const line of lines) if (line.trim() !== "") onLine(line);
      },
      onEnd: (head) => {
        if (rest.trim() !== "") onLine(rest);
        resolve({ got: "answer", status: head.statusCode ?? 0, server: "", text: "" });
      },
      onTrouble: resolve,
    });
  });
}

const LINE_CHARACTERS_MAX = 65_536;

interface Listening {
  onHead(head: IncomingMessage): void;
  onData(part: Buffer, end: (trouble: Exclude<Answer, { got: "answer" }>) => void): void;
  onEnd(head: IncomingMessage): void;
  onTrouble(trouble: Exclude<Answer, { got: "answer" }>): void;
}

function exchange(
  url: string,
  question: Question & { readonly quietMs?: number },
  { onHead, onData, onEnd, onTrouble }: Listening,
): void {
  const body = question.body === undefined ? null : JSON.stringify(question.body);
  const target = new URL(url);
  // What was configured was looked at then; variables and names are known only now.
  if (isLinkLocal(target.hostname)) {
    onTrouble(nearestWire(target.hostname));
    return;
  }
  const sent = (target.protocol === "https:" ? tlsRequest : plainRequest)(target, {
    method: question.method ?? "GET",
    agent: false,
    headers: {
      accept: "application/json, text/plain",
      ...(body !== null && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...question.headers,
    },
  });
  let over = false;
  const end = (trouble: Exclude<Answer, { got: "answer" }>): void => {
    if (over) return;
    finish();
    onTrouble(trouble);
  };
  const finish = (): void => {
    over = true;
    clearTimeout(whole);
    clearTimeout(connecting);
    sent.destroy();
  };
  const silent = (ms: number) => () => end({ got: "silent", why: `it did not answer within ${ms} ms` });
  const wholeMs = question.timeoutMs ?? LOOK_MS;
  const whole = setTimeout(silent(wholeMs), wholeMs);
  const connecting = setTimeout(silent(question.connectMs ?? CONNECT_MS), question.connectMs ?? CONNECT_MS);
  sent.once("socket", (socket) => {
    const connected = (): void => clearTimeout(connecting);
    socket.once(target.protocol === "https:" ? "secureConnect" : "connect", connected);
    // Said of each address before it is connected to; what is ended here never is.
    socket.on("lookup", (_, address) => {
      if (isLinkLocal(address)) end(nearestWire(address));
    });
  });
  if (question.quietMs !== undefined) sent.setTimeout(question.quietMs, silent(question.quietMs));
  sent.once("error", (error: NodeJS.ErrnoException) =>
    end({ got: REFUSALS.has(error.code ?? "") ? "refused" : "broken", why: error.code ?? error.message }),
  );
  sent.once("response", (head) => {
    clearTimeout(connecting);
    onHead(head);
    head.on("data", (part: Buffer) => {
      if (!over) onData(part, end);
    });
    head.once("error", (error) => end({ got: "broken", why: error.message }));
    head.once("aborted", () => end({ got: "broken", why: "its answer broke off" }));
    head.once("end", () => {
      if (over) return;
      finish();
      onEnd(head);
    });
  });
  sent.end(body ?? undefined);
}

const nearestWire = (address: string): Exclude<Answer, { got: "answer" }> => ({
  got: "refused",
  why: `${address} is a link-local address, which is never asked`,
});

const REFUSALS: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EADDRNOTAVAIL",
]);
