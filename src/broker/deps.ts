import type { Seal } from "../domain/seal.ts";
import type { Act } from "../domain/step.ts";
import type { Ask, Effect, Opened, StepRun } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import type { BytesDigest } from "../ports/digest.ts";
import type { Egress, EgressTarget } from "../ports/egress.ts";
import type { AgentHomes, AgentPrograms, ForeignProtocol, Granted } from "../ports/foreign.ts";
import type { Layers } from "../ports/layers.ts";
import type { Models } from "../ports/model.ts";
import type { Policy } from "../ports/policy.ts";
import type { Runners } from "../ports/runners.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { Blobs, StagedBlob } from "../ports/store.ts";
import type { ToolProtocol } from "../ports/tool-protocol.ts";
import type { Workspaces } from "../ports/workspaces.ts";

export interface BrokerDependencies {
  readonly sandbox: Sandbox;
  readonly workspaces: Workspaces;
  readonly egress: Egress;
  readonly layers: Layers;
  readonly policy: Policy;
  readonly runners: Runners;
  readonly blobs: Blobs;
  readonly seal: Seal;
  readonly digest: BytesDigest;
  /** Argv that prints the mount table's lines for a place inside, and the reading of its output. */
  readonly mountWitness: {
    argv(inside: string): readonly string[];
    parse(stdout: string, inside: string): { readonly line: string; readonly readOnly: boolean } | null;
  };
  /** Host directory for what one run of a step needs beside the workspace (sockets, reports); made by the caller, private. */
  readonly runDirectory: (task: string, step: string, run: number) => Promise<string>;
  /** Like it, but writable for confined commands; what they leave there is read through `readReport` only. */
  readonly reportDirectory: (task: string, step: string, run: number) => Promise<string>;
  /** Host directory for what one run of a step is shown of another task, readable for confined commands; `place` is a plain name. */
  readonly inputDirectory: (task: string, step: string, run: number, place: string) => Promise<string>;
  /** A regular file directly in the directory, no link followed; null when absent or larger. */
  readonly readReport: (directory: string, name: string, bytesMax: number) => Promise<Uint8Array | null>;
  /**
   * Regular files of a checkout whose path matches (source of a regular expression, whole path), by path, no link followed; all of them, or
   * none when they are larger together. `remove` takes them away and gives none.
   */
  readonly reportsIn: (
    checkout: string,
    pattern: string,
    bytesMax: number,
    then: "read" | "remove",
  ) => Promise<readonly Uint8Array[]>;
  readonly protocols: Readonly<Record<"acp", ForeignProtocol>>;
  readonly agentPrograms: AgentPrograms;
  readonly agentHomes: AgentHomes;
  readonly granted: Granted;
  readonly toolProtocol: ToolProtocol;
  readonly writeText: (path: string, text: string | Uint8Array) => Promise<void>;
  /** Operating system, architecture and C library: what binary dependencies are built for. */
  readonly platform: () => string;
  /** Versions of the program and of what runs it, for the key of a layer. */
  readonly toolchain: (toolPath: readonly string[], program: string) => Promise<readonly string[]>;
  readonly dropRunDirectory: (task: string, step: string, run: number) => Promise<void>;
  /** Hosts on private addresses a person allowed by name (a registry in the own network). */
  readonly allowPrivate: () => Promise<readonly EgressTarget[]>;
  /** Whether there is no space left in the data directory. */
  readonly noRoom: () => Promise<boolean>;
  readonly models: Models;
  /** Adds to a run's live output. */
  readonly appendOutput: (outputFile: string, text: string) => void;
  readonly clock: Clock;
}

/**
 * One act through policy, then through the durable bracket. Every effect of the product passes here. `open` gives the act in full and is
 * called only when the step has to be begun; `input` is what was asked for, the same in every replay.
 */
export type Pass = (
  input: unknown,
  open: () => Promise<Opened>,
  effect: (run: StepRun) => Promise<Effect>,
  again?: Ask["again"],
) => Promise<unknown>;

/** An act that is known before looking at anything. */
export const plainly =
  (act: Act): (() => Promise<{ readonly act: Act; readonly blobs: readonly StagedBlob[] }>) =>
  async () => ({ act, blobs: [] });
