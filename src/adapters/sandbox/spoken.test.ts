import { once } from "node:events";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { spoken } from "./spoken.ts";

const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);

test("what is said before the process can hear is heard by it, in order, and then the end", async () => {
  const { stream, to } = spoken();
  const writer = stream.getWriter();
  const first = writer.write(bytes("one "));
  const stdin = new PassThrough();
  const heard = text(stdin);
  to(stdin);
  await first;
  await writer.write(bytes("two"));
  await writer.close();
  expect(await heard).toBe("one two");
});

test("a process that never came hears nothing: what waits for it is an error", async () => {
  const { stream, gone } = spoken();
  const writer = stream.getWriter();
  const said = writer.write(bytes("one"));
  gone();
  await expect(said).rejects.toThrow("the process is gone");
  await expect(writer.closed).rejects.toThrow("the process is gone");
});

test("a process that is gone hears nothing more", async () => {
  const { stream, to, gone } = spoken();
  const stdin = new PassThrough();
  to(stdin);
  const writer = stream.getWriter();
  await writer.write(bytes("one"));
  gone();
  await expect(writer.write(bytes("two"))).rejects.toThrow("the process is gone");
  await expect(writer.closed).rejects.toThrow("the process is gone");
  expect(String(stdin.read())).toBe("one");
});

test("a process that hears no more is an error of what is said to it", async () => {
  const { stream, to } = spoken();
  const stdin = new PassThrough();
  to(stdin);
  stdin.destroy();
  const writer = stream.getWriter();
  await expect(writer.write(bytes("one"))).rejects.toMatchObject({ code: "ERR_STREAM_DESTROYED" });
  await expect(writer.closed).rejects.toMatchObject({ code: "ERR_STREAM_DESTROYED" });
});

test("who gives up speaking leaves the process without its input", async () => {
  const { stream, to } = spoken();
  const stdin = new PassThrough();
  to(stdin);
  const closed = once(stdin, "close");
  await stream.abort(new Error("never mind"));
  await closed;
  expect(stdin.destroyed).toBe(true);
});
