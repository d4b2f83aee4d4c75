import { createServer, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener, RequestError } from "@hono/node-server";
import { failure, type Problem, problemOf } from "../../contract/problems.ts";

export const HEADERS_BYTES_MAX = 16 * 1024;

/** How long a request may take to arrive, and how often that is looked at. */
export interface Arrival {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly lookMs: number;
}

const ARRIVAL: Arrival = { headersMs: 30_000, requestMs: 5 * 60_000, lookMs: 10_000 };

type Fetch = Parameters<typeof getRequestListener>[0];

/** The surface on Node's HTTP server, not listening yet. What is no request at all is answered with a problem too. */
export function nodeServer(fetch: Fetch, arrival: Arrival = ARRIVAL): Server {
  const listener = getRequestListener(fetch, {
    errorHandler: (error) => {
      if (error instanceof RequestError)
        return new Response(JSON.stringify(BROKEN), {
          status: BROKEN.status,
          headers: { "content-type": PROBLEM_TYPE },
        });
      throw error;
    },
  });
  const server = createServer(
    {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: arrival.headersMs,
      requestTimeout: arrival.requestMs,
      connectionsCheckingInterval: arrival.lookMs,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.on("clientError", answerBroken);
  return server;
}

const PROBLEM_TYPE = "application/problem+json";
const BROKEN: Problem = problemOf(
  failure(
    "input/invalid",
    "the request is not one that HTTP knows",
    "Send a request line, headers and a path from the root, as RFC 9112 has them.",
  ),
);
const HEADERS_TOO_LARGE: Problem = {
  ...problemOf(
    failure(
      "input/too-large",
      `the request line and headers are larger than ${HEADERS_BYTES_MAX} bytes`,
      "Send fewer and shorter parameters and headers.",
    ),
  ),
  status: 431,
};
const TOO_SLOW: Problem = {
  ...problemOf(
    failure(
      "input/invalid",
      `the request did not arrive in time: its headers have ${ARRIVAL.headersMs / 1_000} s, all of it ${ARRIVAL.requestMs / 1_000} s`,
      "Send it again.",
    ),
  ),
  status: 408,
};

/** Node's parser gave up: there is no request to answer, only a socket to write to. */
function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const told =
    error.code === "HPE_HEADER_OVERFLOW"
      ? HEADERS_TOO_LARGE
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? TOO_SLOW
        : BROKEN;
  const body = JSON.stringify(told);
  socket.end(
    `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status]}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
