import { expect, test } from "vitest";
import { wire } from "./wire.ts";

/** A conversation with an agent that says these chunks, and nothing more when it `ends`. */
async function hearing(chunks: readonly string[], ends = true) {
  const odd: unknown[] = [];
  const output = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      if (ends) controller.close();
    },
  });
  const lines = wire(
    new WritableStream(),
    output,
    (_, message, invalid) => void (invalid !== null && odd.push([message, invalid])),
    () => true,
  );
  const messages: unknown[] = [];
  for await (const message of lines.stream.readable) messages.push(message);
  return { messages, odd, invalid: lines.invalid(), ended: await lines.ended };
}

const asking = { jsonrpc: "2.0", id: 1, method: "fs/read_text_file", params: { path: "ü" } };

test("a message is whole wherever the chunks are cut, at the end of all also without a line's end", async () => {
  const text = JSON.stringify(asking);
  expect(await hearing([`${text.slice(0, 9)}`, `${text.slice(9)}\n\n  \n${text}\n`, text])).toEqual({
    messages: [asking, asking, asking],
    odd: [],
    invalid: 0,
    ended: null,
  });
});

test("half of a surrogate pair is in no message that gets through", async () => {
  const line = '{"jsonrpc": "2.0", "id": 1, "method": "fs/read_text_file", "params": {"path": "a\\ud83d"}}\n';
  expect((await hearing([line])).messages).toEqual([{ ...asking, params: { path: "a\ufffd" } }]);
});

test("notifications are heard and asked of nobody", async () => {
  const update = { jsonrpc: "2.0", method: "session/update", params: {} };
  expect(await hearing([`${JSON.stringify(update)}\n`])).toMatchObject({ messages: [], odd: [], invalid: 0 });
});

test("some chatter between the messages is counted, and ends nothing", async () => {
  const chatter = Array.from({ length: 1_000 }, (_, line) => `loading ${line}\n`);
  const heard = await hearing([...chatter, `${JSON.stringify(asking)}\n`]);
  expect([heard.messages, heard.invalid, heard.ended]).toEqual([[asking], 1_000, null]);
  expect(heard.odd[0]).toEqual(["loading 0", "no JSON"]);
});

test("nothing but chatter is no conversation", async () => {
  const heard = await hearing([`${"loading\n".repeat(1_001)}${JSON.stringify(asking)}\n`], false);
  expect([heard.messages, heard.ended]).toEqual([[], "it said 1001 things that are no messages of the protocol"]);
});

test("a message that is too large ends the conversation", async () => {
  const megabyte = "x".repeat(1024 ** 2);
  const heard = await hearing([`${JSON.stringify(asking)}\n`, ...Array.from({ length: 17 }, () => megabyte)], false);
  expect([heard.messages, heard.ended]).toEqual([[asking], "it sent a message of more than 16777216 bytes"]);
});
