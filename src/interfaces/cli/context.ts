import type { Client } from "../client/client.ts";
import type { DaemonProcess } from "./daemon-process.ts";
import type { Output } from "./output.ts";
import type { Prompt } from "./prompt.ts";
import type { Shell } from "./shells.ts";

/** What a person set, by flag, environment, file or default. */
export interface Settings {
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly runMode: "interactive" | "assisted" | "autonomous" | null;
  readonly toolPath: readonly string[];
  readonly display: boolean;
}

export interface Finding {
  readonly stream: string;
  readonly seq: number | null;
  readonly problem: string;
}

export interface AuditResult {
  readonly streams: number;
  readonly events: number;
  readonly blobs: number;
  readonly findings: readonly Finding[];
  /** Events dated before the one before them: a clock was set back. */
  readonly backwards: readonly { readonly stream: string; readonly seq: number; readonly ms: number }[];
}

export interface DoctorResult {
  readonly ready: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly required: boolean;
    readonly detail: string;
    readonly next: string | null;
    readonly fixed: boolean;
  }[];
}

/** Commands that open the data directory themselves, read-only, and never start a daemon. */
export interface Offline {
  auditVerify(home: string): Promise<AuditResult>;
  doctor(home: string, wanted: { readonly fix: boolean; readonly dryRun: boolean }): Promise<DoctorResult>;
  init(home: string): Promise<{ readonly home: string; readonly created: boolean }>;
}

/** What a command works with. */
export interface Context {
  readonly version: string;
  /** Starts the daemon at the first call, when none runs. */
  readonly api: Client;
  readonly daemon: DaemonProcess;
  readonly settings: Settings;
  readonly offline: Offline;
  readonly out: Output;
  /** Null where there is nobody to ask: no terminal, or `--json`. */
  readonly prompt: Prompt | null;
  /** What was piped into the command, to its end; for what must not stand in a command line. */
  stdin(): Promise<string>;
  /** Aborted when the person interrupts. */
  readonly signal: AbortSignal;
  readonly workingDirectory: string;
  /** Name of the person at the operating system. */
  readonly person: string;
  /** Becomes the daemon, until it is stopped. */
  serve(): Promise<void>;
  readonly stdoutIsTerminal: boolean;
  /** A script that completes commands in the shell. */
  completion(shell: Shell): Promise<string>;
}
