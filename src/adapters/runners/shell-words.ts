import { matchAt } from "./match-at.ts";

/** One command of a script line. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** What follows it: "" at the end. */
  readonly next: "&&" | "||" | ";" | "&" | "|" | "";
}

const NEXT = new Map<string, ShellCommand["next"]>([
  ["&&", "&&"],
  ["||", "||"],
  [";", ";"],
  ["\n", ";"],
  ["&", "&"],
  ["|", "|"],
]);
const OPERATOR = /&&|\|\||[;|&\n]/y;
/** One piece of a word; inside double quotes a variable stays as it is written. */
const PIECE = /[^\s;&|'"\\<>()`$]+|\$(?![({])\w*|\$\{\w+\}|\\.|'[^']*'|"(?:[^"\\`$]|\\.|\$(?![({])\w*|\$\{\w+\})*"/sy;
const REDIRECTION = /\d?(?:>>?|<)(?:&\d|\s*[^\s;&|<>()]+)/y;

/**
 * The commands of a package.json script, as far as a shell would see them without running anything. Null when it uses
 * more than words, quotes, variables, redirections and operators: then nobody can tell what runs from the text.
 */
export function shellCommands(script: string): readonly ShellCommand[] | null {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let word: string | null = null;
  const endWord = () => {
    if (word !== null) words.push(word);
    word = null;
  };
  for (let at = 0; at < script.length; ) {
    const operator = matchAt(OPERATOR, script, at);
    const next = NEXT.get(operator);
    const redirection = next === undefined ? matchAt(REDIRECTION, script, at) : "";
    if (next !== undefined) {
      endWord();
      if (words.length > 0) commands.push({ words, next });
      words = [];
      at += operator.length;
    } else if (redirection !== "") {
      endWord();
      at += redirection.length;
    } else if (/\s/.test(script[at] ?? "")) {
      endWord();
      at += 1;
    } else {
      const piece = matchAt(PIECE, script, at);
      if (piece === "") return null;
      word = (word ?? "") + unquoted(piece);
      at += piece.length;
    }
  }
  endWord();
  if (words.length > 0) commands.push({ words, next: "" });
  return commands;
}

function unquoted(piece: string): string {
  if (piece.startsWith("'")) return piece.slice(1, -1);
  if (piece.startsWith('"')) return piece.slice(1, -1).replace(/\\(.)/gs, "$1");
  return piece.startsWith("\\") ? piece.slice(1) : piece;
}
