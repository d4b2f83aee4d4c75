import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isProblemCode } from "../../contract/problems.ts";
import { nodeServer } from "./node-server.ts";

const server = nodeServer(() => new Response("reached"));
let port = 0;

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Everything it answers to these bytes until it closes, head and body. */
async function answer(sent: string): Promise<{ readonly head: string; readonly body: string }> {
  const socket = connect(port, "127.0.0.1", () => socket.write(sent));
  let said = "";
  socket.setEncoding("utf8").on("data", (more: string) => {
    said += more;
  });
  await once(socket, "close");
  const [head = "", body = ""] = said.split("\r\n\r\n");
  return { head, body };
}

const REST = "Host: localhost\r\nConnection: close\r\n\r\n";

test("a request reaches the surface", async () =>
  expect((await answer(`GET /x HTTP/1.1\r\n${REST}`)).body).toContain("reached"));

test.each([
  ["noise", "hello\r\n\r\n", 400],
  ["a backslash in the path", `GET /a\\b HTTP/1.1\r\n${REST}`, 400],
  ["a path that does not begin at the root", `GET a HTTP/1.1\r\n${REST}`, 400],
  ["no Host", "GET / HTTP/1.0\r\n\r\n", 400],
  ["a Host that is no name", "GET / HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n", 400],
  ["two lengths", `POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n${REST}`, 400],
  ["64 KB of headers", `GET / HTTP/1.1\r\nX: ${"x".repeat(65_536)}\r\n${REST}`, 431],
  ["ten thousand parameters", `GET /?${"a=1&".repeat(10_000)} HTTP/1.1\r\n${REST}`, 431],
])("%s is answered with a problem", async (_, sent, status) => {
  const { head, body } = await answer(sent);
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).toMatch(/content-type: application\/problem\+json/i);
  const json = body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1);
  const problem = JSON.parse(json) as { readonly code: string; readonly next: string; readonly status: number };
  expect(isProblemCode(problem.code)).toBe(true);
  expect(problem.status).toBe(status);
  expect(problem.next).toMatch(/\S/);
  expect(body).not.toContain("reached");
});
