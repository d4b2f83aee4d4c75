import type { Reduced } from "./shell.ts";
import { GIT_VALUED, nameOf, started } from "./shell-programs.ts";

/** So many words of a command are told to policies, each time with those before it. */
const PREFIX_WORDS = 3;

/** A command by its name, and with its first words: what a rule for `git push` is looked up in. Options of git itself are left out. */
export function prefixesOf(argv: readonly string[]): readonly string[] {
  const name = nameOf(argv);
  let from = 1;
  if (name === "git") while (/^-./.test(argv[from] ?? "")) from += GIT_VALUED.includes(argv[from] ?? "") ? 2 : 1;
  const words = [name, ...argv.slice(from, from + PREFIX_WORDS - 1)];
  // A text among the words is what nobody looks for here: what it runs is told by itself.
  const text = words.findIndex((word, at) => at > 0 && /[\s;&|]/.test(word));
  if (text > 0) words.length = text;
  return words.map((_, index) => words.slice(0, index + 1).join(" "));
}

/**
 * Whether all that a command runs was approved by these patterns (`*` stands for anything). What cannot be read, or writes a file by
 * redirection, never is; a shell that only reads a text counts by what the text runs.
 */
export function matchesCommand(patterns: readonly string[], { argvs, writes, opaque }: Reduced): boolean {
  if (patterns.length === 0 || opaque.length > 0 || writes.length > 0) return false;
  const counted = argvs.filter(
    (argv) => !(/^(sh|bash|dash|zsh|ksh)$/.test(nameOf(argv)) && started(argv).texts.length > 0),
  );
  return counted.length > 0 && counted.every((argv) => patterns.some((pattern) => matches(pattern, argv.join(" "))));
}

const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/\*+/g, "*")
      .split("*")
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
    "s",
  ).test(text);
