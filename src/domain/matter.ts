import type { BlobRef } from "./blob.ts";

/**
 * What a person is asked in the middle of the work. It is asked at a boundary, no effect being open: the task gives its place away and
 * waits, for as long as it takes, and the answer is found again under the same name when the work is told once more.
 */
export type Matter =
  /** `choices`: what it may be answered with; none: anything. */
  | { readonly kind: "question"; readonly text: BlobRef; readonly choices: readonly string[] }
  /** One act that nobody agreed on. `digest` binds a yes to exactly this act on exactly this state of the workspaces. */
  | {
      readonly kind: "permission";
      /** The act whole, as a person reads it. */
      readonly text: BlobRef;
      readonly digest: string;
      readonly rule: string;
      readonly reason: string;
      /** What would have to be granted so that the like of it is not asked again in this task; null: nothing can be. */
      readonly grant: string | null;
    };

/** A person's word on it. Denied: the agent is told, and may try another way. */
export interface Word {
  readonly decision: "answered" | "allowed" | "denied";
  /** What was answered, or why. */
  readonly text: BlobRef | null;
}

/** A matter that was answered, as the work finds it again. */
export interface SettledMatter extends Word {
  readonly kind: Matter["kind"];
  /** Of a permission: what exactly it was given for. */
  readonly digest: string | null;
}

/**
 * Whether a grant covers an argv: word by word, `*` as the last word standing for any further ones. What it would take to cover this
 * argv and its like is the program, with the first word after it where that names what the program does.
 */
export function covers(grant: string, argv: readonly string[]): boolean {
  const words = grant.split(" ");
  const open = words.at(-1) === "*";
  const fixed = open ? words.slice(0, -1) : words;
  return (
    fixed.length > 0 &&
    (open ? argv.length >= fixed.length : argv.length === fixed.length) &&
    fixed.every((word, at) => word === argv[at])
  );
}

/** The grant that would cover this command and its like; null where its words cannot be told apart in one line. */
export function grantFor(argv: readonly string[]): string | null {
  if (argv.length === 0 || argv.some((word) => word === "" || /[\s*]/.test(word))) return null;
  const [program = "", verb] = argv;
  return verb !== undefined && /^[a-z][a-z0-9:-]*$/.test(verb) ? `${program} ${verb} *` : `${program} *`;
}
