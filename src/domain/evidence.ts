import type { BlobRef } from "./blob.ts";
import type { TestCounts } from "./test-counts.ts";
import type { TurnStop } from "./turn.ts";

export interface TurnUsage {
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly totalTokens: number | null;
  readonly cost: Cost | null;
}

export interface Cost {
  readonly amount: number;
  readonly currency: string;
}

/**
 * What the system itself gathered about an effect. Never what an agent says. Output and reports are blobs; everything else
 * stands in the event, so that it can be re-checked against git, files and blobs without AgentOS.
 */
export type Evidence =
  /** What let the step begin: the policy that decided, and what all policies in force hash to. `ask`: a person's yes stands before it. */
  | {
      readonly kind: "decision";
      readonly verdict: "allow" | "ask" | "deny";
      readonly rule: string;
      readonly policy: string;
      readonly set: string;
    }
  | {
      readonly kind: "command";
      readonly argv: readonly string[];
      readonly cwd: string;
      /** Hex SHA-256 over variables, mounts and limits as seen inside. */
      readonly environment: string;
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly endedBy: "itself" | "time" | "memory" | "output" | "stall" | "cancel";
      readonly stdout: BlobRef;
      readonly stderr: BlobRef;
      readonly durationMs: number;
    }
  /** SHA-256 of one file before and after; null where there was none. */
  | {
      readonly kind: "file";
      readonly repo: string;
      readonly path: string;
      readonly before: string | null;
      readonly after: string | null;
    }
  /** Workspace ids before and after. */
  | { readonly kind: "tree"; readonly repo: string; readonly before: string; readonly after: string }
  /** The mount table's own line for the workspace, as seen inside the sandbox. */
  | { readonly kind: "mount"; readonly repo: string; readonly line: string; readonly readOnly: boolean }
  | { readonly kind: "tests"; readonly runner: string; readonly counts: TestCounts; readonly report: BlobRef }
  | { readonly kind: "artifact"; readonly name: string; readonly mediaType: string; readonly content: BlobRef }
  | {
      readonly kind: "egress";
      readonly host: string;
      readonly port: number;
      readonly verdict: "allowed" | "denied" | "failed";
      readonly bytesUp: number;
      readonly bytesDown: number;
    }
  /**
   * One prompt to a foreign agent until it stopped. The transcript is every message both ways, as we recorded it; tokens and cost are what
   * the agent itself says of them, null where it says nothing.
   */
  | {
      readonly kind: "turn";
      readonly agent: string;
      readonly version: string | null;
      readonly argv: readonly string[];
      readonly environment: string;
      readonly exitCode: number | null;
      readonly signal: string | null;
      /** `closed`: by us, after its turn was over. */
      readonly endedBy: "itself" | "closed" | "time" | "memory" | "output" | "stall" | "cancel";
      readonly stderr: BlobRef;
      readonly durationMs: number;
      readonly prompt: BlobRef;
      readonly transcript: BlobRef;
      readonly stop: TurnStop;
      /** The agent's own session, and which home it lies in. */
      readonly session: string | null;
      readonly home: string;
      /** Whether it went on in the session of the turn before. */
      readonly resumed: boolean;
      readonly usage: TurnUsage;
      /** All that its session has cost so far, as the agent says: `usage.cost` is what this turn added. Absent: it never said. */
      readonly sessionCost?: Cost;
      readonly toolCalls: number;
      /** What it asked its client for; zero with tool calls means that nothing but mounts and egress governed it. */
      readonly acts: number;
      /** How many messages were not what the protocol says. */
      readonly invalidMessages: number;
      /** How often secrets were taken out of the transcript. */
      readonly redactions: number;
    }
  /** One call of a tool of a configured server, which had offered exactly what was agreed on. */
  | {
      readonly kind: "tool";
      readonly server: string;
      readonly tool: string;
      readonly digest: string;
      readonly argv: readonly string[];
      readonly environment: string;
      readonly answer: BlobRef;
      readonly stderr: BlobRef;
      readonly isError: boolean;
      readonly durationMs: number;
    }
  /** A commit the system made or checked out. */
  | { readonly kind: "commit"; readonly repo: string; readonly commit: string; readonly tree: string }
  /** Where a program resolved inside the sandbox. */
  | { readonly kind: "program"; readonly name: string; readonly path: string | null }
  /** A dependency layer: what it was keyed by and a digest of its file list. */
  | {
      readonly kind: "layer";
      readonly repo: string;
      readonly key: string;
      readonly files: number;
      readonly listing: string;
      readonly reused: boolean;
    }
  /** One call of a model: what was sent and what came back lie in the blobs. */
  | {
      readonly kind: "model";
      readonly provider: string;
      readonly model: string;
      /** What the provider said answered. */
      readonly answeredBy: string;
      readonly request: BlobRef;
      readonly response: BlobRef;
      readonly inputTokens: number;
      readonly outputTokens: number;
      /** The provider did not count. */
      readonly estimated: boolean;
      /** Millionths of a US dollar; null where no price is known. */
      readonly microdollars: number | null;
      readonly durationMs: number;
    };

export type EvidenceKind = Evidence["kind"];
export type OfKind<K extends EvidenceKind> = Extract<Evidence, { readonly kind: K }>;
