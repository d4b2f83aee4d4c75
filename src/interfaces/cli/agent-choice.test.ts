import { expect, test } from "vitest";
import { problemOf } from "../client/trouble.ts";
import { agentOnWire } from "./agent-choice.ts";

const chosen = (...given: Parameters<typeof agentOnWire>) => {
  try {
    return agentOnWire(...given);
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

test("two at once, and a word about a command that was not given, are refused", () => {
  expect(chosen("gates", "my-agent", false)).toBe("name either --agent or --agent-command");
  expect(chosen("gates", undefined, true)).toBe("--agent-plain says of --agent-command that it speaks no protocol");
});
