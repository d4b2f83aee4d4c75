import type { ProviderKind, ServerMark, ServerStarted } from "../domain/provider-facts.ts";
import type { Judged } from "../domain/provider-look.ts";
import type { Platform } from "../domain/provider-platforms.ts";

/** A provider with everything said that was left to what is usual. */
export interface ProviderPlace {
  readonly id: string;
  readonly kind: ProviderKind;
  readonly baseUrl: string;
  readonly key: () => Promise<string | null>;
  /** Absolute path; null: none is configured and none was found. */
  readonly executable: string | null;
  readonly modelsDirectory: string | null;
  readonly modelFile: string | null;
  readonly contextTokens: number | null;
}

export interface ProviderModel {
  readonly id: string;
  /** `server`: it lists it. `disk`: a file that a llama-server can be started with; `id` is its path. */
  readonly where: "server" | "disk";
  readonly bytes: number | null;
  readonly loaded: boolean | null;
  /** What the provider says of tool calls; null: nothing. */
  readonly tools: boolean | null;
  readonly contextTokensMax: number | null;
}

/** How large a conversation with a model may be. */
export interface ContextWindow {
  readonly tokens: number | null;
  readonly most: number | null;
}

export interface Program {
  readonly path: string;
  readonly version: string | null;
}

export type Launch =
  | {
      readonly how: "process";
      readonly argv: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
    }
  | { readonly how: "service"; readonly argv: readonly string[] }
  /** The desktop application: a person goes on from there. */
  | { readonly how: "app"; readonly argv: readonly string[]; readonly say: string };

/**
 * Contract: what one platform and its providers are. Nothing here is recorded or remembered, and nothing that AgentOS did not start is
 * ever signalled.
 * - `look` says who answers at an address; it never rejects for a server that is away or odd. All its questions are asked at once, each
 *   gets about half a second, follows no redirect, and reads a bounded answer.
 * - `program` finds the executable: the configured path, or along PATH and in the platform's places. With a configured path that is no
 *   program: `Failure("provider/refused")` that says what is wrong with it.
 * - `start` runs `onMark` when the process exists and before it may begin: when that rejects, or the daemon dies in it, nothing was
 *   started. It resolves when the server answers as what it should be (`look`) and is the process that was started; else the process
 *   is ended, and `Failure("provider/failed")` says why, from its own last words.
 * - `stop` ends the group of the marked process, asking first; false when exactly that process was gone already.
 */
export interface Providers {
  readonly platform: Platform;
  readonly personHome: string;
  look(place: Pick<ProviderPlace, "kind" | "baseUrl" | "key">): Promise<Judged>;
  program(kind: ProviderKind, configured: string | null): Promise<Program | null>;
  modelsDirectory(kind: ProviderKind, configured: string | null): Promise<string | null>;
  /** Where a local kind answers by its own settings on this machine: OLLAMA_HOST, LM Studio's last port. */
  usualUrl(kind: ProviderKind): Promise<string | null>;
  /** Under WSL the address of Windows; null elsewhere. */
  windowsHost(): Promise<string | null>;
  models(place: ProviderPlace): Promise<readonly ProviderModel[]>;
  /** Model files below a directory, at most some hundred. */
  modelFiles(directory: string): Promise<readonly ProviderModel[]>;
  window(place: ProviderPlace, model: string): Promise<ContextWindow>;
  /** Resolves when the provider has it; what it said last. */
  pull(place: ProviderPlace, model: string): Promise<string>;
  /** How it would be started; `Failure("provider/refused")` says what is missing. */
  launch(place: ProviderPlace): Promise<Launch>;
  start(
    place: ProviderPlace,
    launch: Exclude<Launch, { how: "app" }>,
    onStarted: (started: ServerStarted) => Promise<void>,
  ): Promise<Judged>;
  open(launch: Extract<Launch, { how: "app" }>): Promise<void>;
  stop(place: ProviderPlace, started: ServerStarted): Promise<boolean>;
  isAlive(mark: ServerMark): boolean;
  /** The end of what a server that AgentOS started has said; of another one, of its own log where that is known. */
  log(place: ProviderPlace, bytesMax: number): Promise<{ readonly from: string; readonly text: string } | null>;
  /** Names of a directory below one of the roots; `Failure("input/invalid")` for any other path, and for one that goes through a link. */
  browse(path: string, roots: readonly string[]): Promise<Browsed>;
}

export interface Browsed {
  readonly path: string;
  /** Null at a root. */
  readonly parent: string | null;
  readonly entries: readonly { readonly name: string; readonly kind: "directory" | "file" }[];
  /** More were there than are told. */
  readonly more: boolean;
}
