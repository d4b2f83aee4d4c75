import { nameOf, started, steering } from "./shell-programs.ts";
import { parseShell, type SimpleCommand, type Word } from "./shell-text.ts";

/** What a command runs, as far as its words and the texts in them say. */
export interface Reduced {
  /**
   * The words of every program it starts: its own, what a shell in it runs, and what wrappers start. Where something is opaque these are
   * still those that could be seen.
   */
  readonly argvs: readonly (readonly string[])[];
  /** Files that its texts write by redirection. */
  readonly writes: readonly string[];
  /** Why it may run or write more than that, one reason each; empty: it does not. */
  readonly opaque: readonly string[];
}

/** Texts within texts: nobody means more, and each costs a reading. */
const DEPTH_MAX = 8;
/** Words and texts of one command that are looked at; one with more is opaque. Commands joined by `&&` are not counted. */
const TEXT_MAX = 128 * 1024;

/** Programs of the shell that write what they are given and nothing else: with a redirection, the shell makes the file itself. */
const SAYS_ONLY: ReadonlySet<string> = new Set([
  ":",
  "true",
  "false",
  "echo",
  "printf",
  "cat",
  "exec",
  "",
  "read",
  "yes",
  "head",
  "tail",
]);

/**
 * Reduces a command to the literal words of what it runs, or says why it cannot: conservative, so that what is not opaque here runs exactly
 * these programs with these words. Paths of programs are kept as they are given.
 */
export function reduceCommand(argv: readonly string[]): Reduced {
  const found = { argvs: [] as (readonly string[])[], writes: [] as string[], opaque: new Set<string>() };
  if (argv.reduce((sum, word) => sum + word.length, 0) > TEXT_MAX) {
    found.opaque.add("it is too long to be read");
    return { argvs: [argv], writes: [], opaque: [...found.opaque] };
  }

  const words = (one: readonly string[], depth: number): void => {
    if (one.length === 0) return;
    found.argvs.push(one);
    if (depth > DEPTH_MAX) {
      found.opaque.add("commands within commands, too deep");
      return;
    }
    const { argvs, texts, opaque } = started(one);
    for (const why of opaque) found.opaque.add(why);
    for (const inner of argvs) words(inner, depth + 1);
    for (const inner of texts) text(inner, depth + 1);
  };

  const read = new Set<string>();
  const text = (source: string, depth: number): void => {
    // Two readings of a text mostly hold the same texts again.
    if (read.has(source)) return;
    read.add(source);
    const { commands, opaque } = parseShell(source);
    for (const why of opaque) found.opaque.add(why);
    for (const command of commands) simple(command, depth);
  };

  const simple = (command: SimpleCommand, depth: number): void => {
    for (const { text: assignment } of command.assignments) {
      const why = steering(assignment);
      if (why !== null) found.opaque.add(why);
    }
    const one = command.words.map((word) => word.text);
    for (const why of [...namesUnknown(command.words), ...namesUnknownWithin(command.words)]) found.opaque.add(why);
    for (const { target, clobbers } of command.writes) {
      found.writes.push(target.text);
      if (clobbers || SAYS_ONLY.has(nameOf(one))) found.opaque.add("the shell itself writes a file");
    }
    words(one, depth);
  };

  words(argv, 0);
  // Whoever joins words for a shell later means them so; a program of that name there is none.
  const assigned = argv.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  if (assigned > 0) words(argv.slice(assigned), 1);
  return { argvs: found.argvs, writes: found.writes, opaque: [...found.opaque] };
}

/** A program that is found by a pattern, and words that could become options of a program that starts others. */
function namesUnknown([program, ...rest]: readonly Word[]): readonly string[] {
  if (program === undefined) return [];
  if (program.glob || (program.bare && program.text.startsWith("~"))) return ["a program that is named by a pattern"];
  const leading = rest.find((word) => word.glob && /^[*?[]/.test(word.text));
  return leading !== undefined && /^(find|env|xargs|tar|sort|git|sed|awk|rsync|zip)$/.test(nameOf([program.text]))
    ? ["names of files that could be options"]
    : [];
}

/** The same of what it starts: a pattern that stands for the program, for the text, or before them, where it may become any of these. */
function namesUnknownWithin(words: readonly Word[]): readonly string[] {
  const patterns = words.map(({ glob, bare, text }) => glob || (bare && text.startsWith("~")));
  if (!patterns.includes(true)) return [];
  const look = (argv: readonly string[], matching: readonly boolean[], depth: number): boolean => {
    const { argvs, texts } = started(argv);
    if (texts.length > 0) return matching.includes(true);
    return argvs.some((inner) => {
      // Words of its own are not those of the text any more, unless they are its last.
      const from = argv.length - inner.length;
      const last = from > 0 && inner.every((word, index) => word === argv[from + index]);
      if (!last)
        return matching.some((one, index) => one && (argv[index] === inner[0] || /^[*?[]/.test(argv[index] ?? "")));
      return (
        matching.slice(0, from + 1).includes(true) ||
        (depth < DEPTH_MAX && look(inner, matching.slice(from), depth + 1))
      );
    });
  };
  return look(
    words.map(({ text }) => text),
    patterns,
    0,
  )
    ? ["a program that is named by a pattern"]
    : [];
}
