import type { TurnUsage } from "../domain/evidence.ts";
import type { Unusable } from "../domain/found-program.ts";
import type { TurnStop } from "../domain/turn.ts";
import type { SandboxSession } from "./sandbox.ts";

/** What an agent wants a permission for, as it says it. */
export interface AskedPermission {
  readonly tool: string;
  readonly title: string;
  readonly rawInput: unknown;
  /** Absolute paths inside the sandbox. */
  readonly locations: readonly string[];
}

export interface TerminalAsked {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string | null;
  readonly outputBytesMax: number | null;
}

export interface TerminalExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A command that the agent of a turn had started. */
export interface TurnTerminal {
  output(): Promise<{ readonly text: string; readonly truncated: boolean; readonly exit: TerminalExit | null }>;
  /** Settles when all of it is gone and that is recorded. */
  readonly ended: Promise<TerminalExit>;
  kill(): void;
}

/** A text that comes in pieces, without secrets, though one is spread over several of them. */
export interface Pieces {
  /** What can be told of it now: what may be the beginning of a secret waits for what comes after it. */
  add(piece: string): string;
  /** What still waited, once nothing comes after it. */
  rest(): string;
}

/**
 * Who answers an agent during its turn. What is refused is thrown as `act/denied`, and the agent is told why. `ask` as the answer to a
 * permission: only a person can say, and the turn has to end.
 */
export interface TurnClient {
  read(path: string, line: number | null, limit: number | null): Promise<string>;
  write(path: string, content: string): Promise<void>;
  permit(asked: AskedPermission): Promise<"allow" | "deny" | "ask">;
  /** Settles when it wants something that only a person can allow: then the turn is to end. */
  readonly needsPerson: Promise<void>;
  startTerminal(asked: TerminalAsked): Promise<TurnTerminal>;
  /** One message as it passed, for the transcript. `invalid`: it was not what the protocol says, and in which way. */
  hear(from: "agent" | "client", message: unknown, invalid: string | null): void;
  /** Something for a person who looks on. False: there was more of it than is kept, and the rest is told to nobody. */
  tell(text: string): boolean;
  /** Takes secrets out of a text. What is to be cut goes through it first: half a secret is none that could be found. */
  redact(text: string): string;
  pieces(): Pieces;
}

export interface TurnWanted {
  readonly prompt: string;
  /** Told at the beginning when the agent does not go on in its session: what happened before. */
  readonly background: string;
  /** Told first in any case; empty: nothing. */
  readonly notice: string;
  /** Inside the sandbox. */
  readonly cwd: string;
  readonly directories: readonly string[];
  /** Id of the mode to set, where the agent has one of that name. */
  readonly mode: string | null;
  /** The session to go on in, where the agent can load one. */
  readonly session: string | null;
}

/** What an agent said and did in a turn, for a person: read from the record of everything that was heard in it. */
export type TranscriptText = (transcript: Uint8Array) => string;

export interface TurnReport {
  readonly stop: TurnStop;
  readonly agent: string | null;
  readonly version: string | null;
  readonly session: string | null;
  readonly resumed: boolean;
  /** What the agent said last, as text. */
  readonly message: string;
  /** Its cost is that of the whole session so far, as the protocol has it. */
  readonly usage: TurnUsage;
  readonly toolCalls: number;
  readonly invalidMessages: number;
  /** One sentence where the turn did not end as it should. */
  readonly trouble: string | null;
}

export interface ProbeReport {
  readonly protocol: number;
  readonly agent: string | null;
  readonly version: string | null;
  readonly canLoadSession: boolean;
  readonly authMethods: readonly string[];
  /** Modes a session offers; empty when none could be begun, and `trouble` says why. */
  readonly modes: readonly string[];
  readonly trouble: string | null;
}

/**
 * Contract: speaks an agent's protocol over a process that somebody else started and ends. A `turn` is one prompt until its stop reason;
 * it resolves for everything the agent can do, its death and its nonsense included, and rejects only for what the client throws other
 * than refusals. After it the process may still live. Aborting makes it settle soon.
 */
export interface ForeignProtocol {
  turn(
    talk: Pick<SandboxSession, "input" | "output">,
    wanted: TurnWanted,
    client: TurnClient,
    signal: AbortSignal,
  ): Promise<TurnReport>;
  probe(talk: Pick<SandboxSession, "input" | "output">, cwd: string, signal: AbortSignal): Promise<ProbeReport>;
}

/** Where an agent's program lies, and what it needs to be seen of. */
export interface AgentProgram {
  readonly path: string;
  /** Directories of the host, to be seen read-only at the same place. */
  readonly directories: readonly string[];
}

export interface AgentPrograms {
  /**
   * The first of the names that is found on the PATH, or the file of an absolute path; null: there is none, `Unusable`: only one that
   * can not be started in a sandbox. `words` are what it is started with: where one is the absolute path of a file (a script, say), that
   * is seen too.
   */
  find(toolPath: readonly string[], names: readonly string[], words: readonly string[]): AgentProgram | Unusable | null;
}

/** Homes of agents: one copy per turn, so that a turn that died leaves none behind. */
export interface AgentHomes {
  /**
   * A fresh copy of `from` (null or gone: an empty one) under the name `to`, with these directories in it; what lay there is dropped. Its
   * path on the host. A link where a directory is wanted: `act/denied`.
   */
  begin(task: string, from: string | null, to: string, directories: readonly string[]): Promise<string>;
  /** Whether a home of that name is there. */
  exists(task: string, name: string): Promise<boolean>;
  /** Removes all homes of the task but these. */
  keepOnly(task: string, names: readonly string[]): Promise<void>;
  /** Removes all that agents kept for a task. */
  drop(task: string): Promise<void>;
  /** What the homes of each task take, in bytes on disk. */
  use(): Promise<readonly { readonly task: string; readonly bytes: number }[]>;
}

/** What a person's grants name, at the time it is asked for. */
export interface Granted {
  readonly variable: (name: string) => string | undefined;
  /** A regular file below the person's home, no link followed; null: there is none. */
  readonly file: (path: string) => Promise<Uint8Array | null>;
}
