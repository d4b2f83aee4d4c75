import type { BlobRef } from "./blob.ts";

/** What an agent asked its client for while its turn was open. Governed like a step, undone with the turn. */
export type TurnAct =
  | { readonly kind: "read"; readonly repo: string; readonly path: string }
  | { readonly kind: "edit"; readonly repo: string; readonly path: string; readonly after: string }
  /** Once when it begins and once when it has ended, by the same terminal. */
  | {
      readonly kind: "command";
      readonly repo: string;
      readonly argv: readonly string[];
      readonly cwd: string;
      readonly terminal: string;
      readonly when: "begins" | "ended";
    }
  | {
      readonly kind: "permission";
      /** The same wish has the same, however it is put: of the files to be changed, of the command, else of all that was said of it. */
      readonly digest: string;
      readonly tool: string;
      readonly title: string;
      readonly request: BlobRef;
    };

export type TurnDecision = "allowed" | "denied" | "asked";

/** Why a turn ended: the agent's own stop reason, or what ended it. */
export const TURN_STOPS = [
  "end_turn",
  "max_tokens",
  "max_turn_requests",
  "refusal",
  "cancelled",
  /** It asked for what only a person can allow. */
  "permission",
  "time",
  "memory",
  "output",
  "stall",
  /** Its process ended before its turn did. */
  "died",
  /** It spoke, but not the protocol. */
  "protocol",
  /** It answered the prompt with an error. */
  "error",
] as const;
export type TurnStop = (typeof TURN_STOPS)[number];

/** A turn that ended as the agent meant it to: what it did counts. */
export const isWholeTurn = (stop: TurnStop): boolean => stop === "end_turn" || stop === "permission";
