import type { BlobRef } from "./blob.ts";
import { Failure } from "./failure.ts";
import type { Seal } from "./seal.ts";

/** A short fact about a project: a command, a convention, a trap. What is not approved is told to nobody. */
export interface ProjectNote {
  readonly id: string;
  readonly text: BlobRef;
  /** The repo it is about; null: all of the project. */
  readonly repo: string | null;
  /** The task whose agent proposed it; null: a person wrote it. */
  readonly task: string | null;
  readonly by: string;
  readonly atMs: number;
  readonly status: "proposed" | "approved" | "retired";
}

/** Which notes a task is told, pinned when its planning begins. `digest` is over what they say, in that order. */
export interface PinnedNotes {
  readonly digest: string;
  readonly ids: readonly string[];
}

export const NOTE_CHARACTERS_MAX = 500;
/** Proposed and approved ones together: more would be no short facts any more. */
export const NOTES_MAX = 100;
export const PROPOSALS_OF_ONE_TASK_MAX = 10;

/** A note as it is kept. Throws `act/denied` for what is none: it comes from an agent, and stands before other agents once it is approved. */
export function noteText(text: string): string {
  const plain = text.trim();
  const refuse = (why: string): never => {
    throw new Failure("act/denied", `a note ${why}`);
  };
  if (plain === "") refuse("has words");
  if (plain.length > NOTE_CHARACTERS_MAX)
    refuse(`has at most ${NOTE_CHARACTERS_MAX} characters, this one ${plain.length}`);
  if (/\p{Cc}/u.test(plain) || !plain.isWellFormed()) refuse("is one line of plain text");
  return plain;
}

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ID_LENGTH = 26;

/** The same note of the same task has the same id, so that what is told again after a crash is not proposed twice. */
export function noteId(seal: Seal, task: string, text: string): string {
  const { sha256 } = seal({ note: text, task });
  return Array.from({ length: ID_LENGTH }, (_, at) =>
    ALPHABET.charAt(Number.parseInt(sha256.slice(2 * at, 2 * at + 2), 16) % ALPHABET.length),
  ).join("");
}

export const approvedNotes = (notes: readonly ProjectNote[]): readonly ProjectNote[] =>
  notes.filter(({ status }) => status === "approved");

/** What pins these texts. */
export const notesDigest = (seal: Seal, texts: readonly string[]): string => seal(texts).sha256;
