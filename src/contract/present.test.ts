import { describe, expect, it } from "vitest";
import { agentView } from "./present.ts";

describe("an agent as it is shown", () => {
  it("is one word where a name says all, and its command where a person gave one", () => {
    expect([
      agentView("builtin"),
      agentView({ kind: "acp", agent: "codex", argv: null }),
      agentView({ kind: "acp", agent: "custom", argv: ["my-agent", "--acp"] }),
      agentView({ kind: "command", argv: ["do-it", "{prompt}"] }),
    ]).toEqual([
      "builtin",
      "acp:codex",
      { kind: "acp", agent: "custom", command: ["my-agent", "--acp"] },
      { kind: "command", agent: null, command: ["do-it", "{prompt}"] },
    ]);
  });
});
