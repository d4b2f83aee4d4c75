import dns from "node:dns";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ask, askLines } from "./ask.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that says these bytes to whoever comes, and then hangs up or stays. */
async function saying(bytes: string, then: (caller: Socket) => void = (caller) => caller.end()): Promise<string> {
  const callers = new Set<Socket>();
  const server = createServer((caller) => {
    callers.add(caller);
    caller.on("error", () => {}); // Whoever hangs up first is fine.
    caller.once("data", () => caller.write(bytes, () => then(caller)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    for (const caller of callers) caller.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`;
}

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nserver: s\r\n";
const whole = (text: string) => `${HEAD}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;

/** Of the link-local addresses only such as no connection can be made to without naming a wire: whatever breaks, nobody is asked. */
describe("a link-local address", () => {
  const never = (address: string) => ({
    got: "refused",
    why: `${address} is a link-local address, which is never asked`,
  });

  test.each([
    ["http://[fe80::1]:8080/", "[fe80::1]"],
    ["https://[FEBF:0::2]/latest", "[febf::2]"],
  ])("is not asked as %s", async (url, address) => expect(await ask(url)).toEqual(never(address)));

  test("is not asked by a name that resolves to it", async () => {
    const names: string[] = [];
    const resolver = vi.spyOn(dns, "lookup") as unknown as { mockImplementation(lookup: unknown): void };
    resolver.mockImplementation(
      (name: string, _: unknown, done: (error: null, found: { address: string; family: number }[]) => void) => {
        names.push(name);
        setImmediate(done, null, [{ address: "fe80::1", family: 6 }]);
      },
    );
    expect(await ask("http://metadata.test:8080/")).toEqual(never("fe80::1"));
    expect(names).toEqual(["metadata.test"]);
  });
});

describe("an answer", () => {
  test("is its status, who says it, and its text", async () =>
    expect(await ask(await saying(whole("hällo")))).toEqual({
      got: "answer",
      status: 200,
      server: "s",
      text: "hällo",
    }));

  test("that breaks off is broken, and so is what is no HTTP", async () => {
    expect(await ask(await saying(`${HEAD}content-length: 99\r\n\r\nhalf`))).toMatchObject({ got: "broken" });
    expect(await ask(await saying("220 mail.example ESMTP\r\n"))).toMatchObject({ got: "broken" });
  });

  test("that does not come is silence, after the time that it was given", async () =>
    expect(await ask(await saying("", () => {}), { timeoutMs: 50 })).toEqual({
      got: "silent",
      why: "it did not answer within 50 ms",
    }));

  test("that is too large is broken", async () => {
    const flood = (caller: Socket): void => {
      if (!caller.destroyed) caller.write("x".repeat(1024 ** 2), () => flood(caller));
    };
    expect(await ask(await saying(`${HEAD}\r\n`, flood))).toEqual({
      got: "broken",
      why: `its answer is larger than ${8 * 1024 ** 2} bytes`,
    });
  });
});

describe("an answer in lines", () => {
  const lines = async (url: string) => {
    const said: string[] = [];
    return { ended: await askLines(url, { quietMs: 10_000 }, (line) => said.push(line)), said };
  };

  test("is told line by line, the last one also without an end", async () =>
    expect(await lines(await saying(whole("one\n\n  \ntwö\nthree")))).toEqual({
      ended: { got: "answer", status: 200, server: "", text: "" },
      said: ["one", "twö", "three"],
    }));

  test("of which one does not end is broken", async () =>
    expect(await lines(await saying(whole(`one\n${"x".repeat(70_000)}\ntwo\n`).slice(0, -6), () => {}))).toEqual({
      ended: { got: "broken", why: "a line of its answer does not end" },
      said: ["one"],
    }));
});
