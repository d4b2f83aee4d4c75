import { expect, test } from "vitest";
import type { CallableTool, ToolCapabilities } from "../../ports/agent.ts";
import { serverTools } from "./server-tools.ts";

const LOOK: CallableTool = {
  name: "files__look",
  server: "files",
  tool: "look",
  description: "Looks at a file.",
  schema: { type: "object", properties: { at: { type: "string" } } },
};

/** What a model is told after it called the tool with these arguments, and how the server was called. */
async function called(args: unknown, answer: Awaited<ReturnType<ToolCapabilities["callTool"]>>) {
  const calls: unknown[] = [];
  const callTool: ToolCapabilities["callTool"] = async (...call) => {
    calls.push(call);
    return answer;
  };
  const read = serverTools([LOOK])[0]?.parse(args);
  if (read === undefined || "wrong" in read) return { read, calls };
  return { told: await read.act({ tools: [LOOK], callTool }), calls };
}

test("a server's tool is told with whose it is and what the server says of it", () => {
  expect(serverTools([LOOK]).map(({ told }) => told)).toEqual([
    {
      name: "files__look",
      description: "A tool of the server files, which says of it: Looks at a file.",
      parameters: LOOK.schema,
    },
  ]);
});

test("it is called with what the model gave, without the nulls that stand for nothing", async () => {
  expect(await called({ at: "a.txt", lines: null }, { text: "one", isError: false })).toEqual({
    told: "one",
    calls: [["files__look", { at: "a.txt" }]],
  });
});

test("the model hears that a tool failed, with what it said", async () => {
  expect((await called({}, { text: "no such file", isError: true })).told).toBe(
    "The tool says that it failed:\nno such file",
  );
});

test.each([["a word"], [["a", "list"]], [7]])(
  "arguments that are %j are wrong, and nothing is called",
  async (args) => {
    expect(await called(args, { text: "", isError: false })).toEqual({
      read: { wrong: expect.stringMatching(/^the arguments: .*expected record/) },
      calls: [],
    });
  },
);
