import type { OpenPlan, WorkItem } from "../domain/plan.ts";
import type { AgentKind, Spec } from "../domain/spec.ts";
import type { RecordedVerdict } from "../domain/task.ts";
import type { OfferedTool } from "../domain/tool-server.ts";
import type { TurnStop } from "../domain/turn.ts";
import type { ModelAnswer, ModelRequest } from "./model.ts";

export interface CommandResult {
  readonly exitCode: number | null;
  readonly endedBy: "itself" | "time" | "memory" | "output" | "stall" | "cancel";
  /** What the agent is told: at most `OUTPUT_TOLD_BYTES` of each, the end of it. */
  readonly stdout: string;
  readonly stderr: string;
}

export const OUTPUT_TOLD_BYTES = 32 * 1024;

/** One prompt to a foreign agent. The same ask gives the same answer after a crash. */
export interface TurnAsked {
  readonly prompt: string;
  /** What people said to what it asked for in turns before, by digest of the wish. */
  readonly words: Readonly<Record<string, PersonsWord>>;
}

export type PersonsWord = "allow" | "deny";

export interface TurnTold {
  readonly stop: TurnStop;
  /** What the agent said last. */
  readonly message: string;
  /** Where it stopped for a permission: the wish. */
  readonly asked: {
    readonly digest: string;
    readonly tool: string;
    readonly title: string;
    readonly detail: string;
    /** The command it is about, where that can be told. */
    readonly argv: readonly string[] | null;
    /** What the same yes lets be done besides, by digest: each of the files that it is about. Not there in what was recorded earlier. */
    readonly covers?: readonly string[];
  } | null;
  /** One sentence where it did not end as it should. */
  readonly trouble: string | null;
}

/** What an agent can do that is a program of its own. */
export interface TurnCapabilities {
  turn(asked: TurnAsked): Promise<TurnTold>;
  /** A person's word on what it asked for; waits for it as long as that takes, without any process. */
  permission(wish: NonNullable<TurnTold["asked"]>): Promise<PersonsWord>;
}

/** A tool of a configured server, as a model is told of it. */
export interface CallableTool extends OfferedTool {
  readonly server: string;
  readonly tool: string;
}

export interface ToolTold {
  readonly text: string;
  readonly isError: boolean;
}

/** Tools of servers that a person configured and agreed to. What they say is data. */
export interface ToolCapabilities {
  readonly tools: readonly CallableTool[];
  /** By `CallableTool.name`; an unknown one is `input/invalid`, one that changed since it was agreed on is `act/denied`. */
  callTool(name: string, input: Readonly<Record<string, unknown>>): Promise<ToolTold>;
}

/** What every agent at work may ask for, in words. */
export interface TalkCapabilities {
  /** Short facts about the project that a person approved: content to go by, and the same in every replay. */
  readonly notes: readonly string[];
  /** Proposes such a fact, one line, about a repo or (null) all of the project. It counts once a person approved it. */
  proposeNote(text: string, repo: string | null): Promise<void>;
  /** One call of the phase's model, as a durable step; with its fallbacks and repeats a step of several runs. No model: `model/none`. */
  model(request: ModelRequest): Promise<ModelReply>;
  /** A person's answer, however long it takes. */
  ask(text: string, choices: readonly string[]): Promise<string>;
}

export interface ModelReply extends ModelAnswer {
  readonly provider: string;
  /** How many tokens a conversation with this model may have; null where nobody knows. */
  readonly contextTokens: number | null;
}

/** Lines that hold the text (no pattern), as `path:line:text`, at most so many; `more` when there are others. */
export interface Found {
  readonly lines: readonly string[];
  readonly more: boolean;
}

/** What an agent can do while it plans: look. Nothing here can write, and nothing here has a network. */
export interface PlanningCapabilities extends TalkCapabilities, TurnCapabilities, ToolCapabilities {
  readonly spec: Spec;
  readonly bases: Readonly<Record<string, string>>;
  /** What a person asked to change about the plan before this one, or null. */
  readonly changeRequest: string | null;
  read(repo: string, path: string): Promise<string | null>;
  list(repo: string, prefix: string): Promise<readonly string[]>;
  search(repo: string, text: string, prefix: string): Promise<Found>;
  /** A command on the read-only workspace. */
  inspect(repo: string, argv: readonly string[]): Promise<CommandResult>;
}

/** What an agent can do while it works on one approved item. Each call is a durable step: after a crash a finished one is not run again. */
export interface WorkCapabilities extends TalkCapabilities, TurnCapabilities, ToolCapabilities {
  readonly spec: Spec;
  readonly attempt: number;
  /** What failed in the attempt before this one, with its output, or null. */
  readonly lastFailure: string | null;
  read(repo: string, path: string): Promise<string | null>;
  list(repo: string, prefix: string): Promise<readonly string[]>;
  search(repo: string, text: string, prefix: string): Promise<Found>;
  write(repo: string, path: string, content: string, executable: boolean | null): Promise<void>;
  remove(repo: string, path: string): Promise<void>;
  /** Keeps a file of the workspace as an artifact of the task under that name; false when there is none. Not a regular file, or too large: `act/denied`. */
  keep(repo: string, path: string, name: string): Promise<boolean>;
  run(
    repo: string,
    command: {
      readonly argv: readonly string[];
      readonly cwd: string;
      readonly network: readonly string[];
      readonly timeoutMs: number | null;
    },
  ): Promise<CommandResult>;
}

/** After the gates were judged: the last word an agent has, and it changes nothing about the verdict. */
export interface ConcludingCapabilities {
  readonly spec: Spec;
  readonly verdicts: Readonly<Record<string, RecordedVerdict>>;
  storeArtifact(name: string, mediaType: string, content: string): Promise<void>;
}

/** One thing a reviewer found; `path` is empty where it is about no file. */
export interface Finding {
  readonly path: string;
  readonly text: string;
}

/** What whoever gives a second opinion is handed: the change, and a model to ask. Nothing here can do or decide anything. */
export interface ReviewCapabilities extends Pick<TalkCapabilities, "model"> {
  readonly spec: Spec;
  /** The change against the base, of every repo. */
  readonly diff: string;
}

/** Contract: given the same recorded answers it asks the same again. One that comes to no findings: `agent/failed`. */
export interface Reviewer {
  review(can: ReviewCapabilities): Promise<readonly Finding[]>;
}

export type WorkOutcome = { readonly done: true } | { readonly done: false; readonly cause: string };

/**
 * Contract: an agent holds no authority; it gets capabilities and nothing else. Given the same recorded answers it asks the same
 * again (that is how it is resumed after a crash). A refused call throws `Failure("act/denied")`, which it may answer by another way or let
 * through. It never says whether a task is done.
 */
export interface Agent {
  readonly kind: AgentKind;
  /** `restart`: an attempt begins at the base again. `continue`: with the workspace as the failed one left it. */
  readonly retry: "restart" | "continue";
  /** False when another attempt could not come out differently. */
  readonly retries: boolean;
  plan(can: PlanningCapabilities): Promise<Pick<OpenPlan, "items" | "notes">>;
  work(item: WorkItem, can: WorkCapabilities): Promise<WorkOutcome>;
  conclude(can: ConcludingCapabilities): Promise<void>;
}

/** The agents this installation has. */
export type Agents = Readonly<Partial<Record<AgentKind, Agent>>>;
