import type { OfferedTool, ToolServer } from "../domain/tool-server.ts";
import type { SandboxSession } from "./sandbox.ts";

/** What a call of a tool gave. `text` is bounded; what was cut or left out says so. */
export interface ToolResult {
  readonly text: string;
  readonly isError: boolean;
}

/**
 * Contract: speaks with a tool server that somebody else started and ends. Whatever the server asks of its client (a model, a person, files)
 * is refused. A server that says nonsense, too much or nothing is a `Failure("agent/failed")`. Aborting makes it settle soon.
 */
export interface ToolProtocol {
  offered(talk: Talk, signal: AbortSignal): Promise<readonly OfferedTool[]>;
  /** Calls the tool once `agreed` has seen what the server offers under its name now (null: nothing). */
  call(talk: Talk, call: ToolAsked, signal: AbortSignal): Promise<ToolResult>;
}

export interface ToolAsked {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly agreed: (offered: OfferedTool | null) => void;
  /** How long the call may take: the library of the protocol has a bound of its own where it is told none. */
  readonly timeoutMs: number;
  /** Takes secrets out of what the server says before any of it is cut: half a secret is none that could be found. */
  readonly redact: (text: string) => string;
}

export type Talk = Pick<SandboxSession, "input" | "output">;

/** Contract: starts a server in the sandbox, with no workspace, asks what it offers, and ends it. */
export interface ToolServers {
  offered(
    toolPath: readonly string[],
    server: Pick<ToolServer, "name" | "argv" | "grants">,
  ): Promise<readonly OfferedTool[]>;
}
