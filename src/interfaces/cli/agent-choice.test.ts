import { expect, test } from "vitest";
import { problemOf } from "../client/trouble.ts";
import { agentOnWire } from "./agent-choice.ts";

type Given = Parameters<typeof agentOnWire>;
const chosen = (name: Given[0], ownCommand: Given[1], plain: boolean) => {
  try {
    return agentOnWire(name, ownCommand, plain, "/here/below");
  } catch (error) {
    return problemOf(error)?.detail;
  }
};

test("who works is an agent of AgentOS, a foreign one by its name, or a command of one's own", () => {
  expect(chosen(undefined, undefined, false)).toBeUndefined();
  expect(chosen("gates", undefined, false)).toBe("gates");
  expect(chosen("opencode", undefined, false)).toBe("acp:opencode");
  expect(chosen(undefined, "  my-agent  --acp ", false)).toEqual({ kind: "acp", command: ["my-agent", "--acp"] });
  expect(chosen(undefined, "my-agent run", true)).toEqual({ kind: "command", command: ["my-agent", "run"] });
});

test.each<[string, readonly string[]]>([
  ["sh -c 'cat > f'", ["sh", "-c", "cat > f"]],
  ["sh -c \"cat \\\"\\$f\\\" 'b'\" c\\ d ''", ["sh", "-c", "cat \"$f\" 'b'", "c d", ""]],
  ["--a='b c'd", ["--a=b cd"]],
  ["./ag.sh ./plan", ["/here/below/ag.sh", "./plan"]],
  ["../tools/ag.sh", ["/here/tools/ag.sh"]],
  ["/opt/ag.sh", ["/opt/ag.sh"]],
])("a command is taken apart as a shell would, and its program found from where the person is: %s", (typed, command) =>
  expect(chosen(undefined, typed, true)).toEqual({ kind: "command", command }),
);

test.each(["sh -c 'cat > f", 'sh -c "cat', "sh \\"])(
  "a command with a quote that is not closed is refused: %s",
  (typed) =>
    expect(chosen(undefined, typed, true)).toBe(`a quote in --agent-command ${JSON.stringify(typed)} is not closed`),
);

test("two at once, and a word about a command that was not given, are refused", () => {
  expect(chosen("gates", "my-agent", false)).toBe("name either --agent or --agent-command");
  expect(chosen("gates", undefined, true)).toBe("--agent-plain says of --agent-command that it speaks no protocol");
});
