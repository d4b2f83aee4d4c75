/**
 * Reads the imports out of TypeScript source without a TypeScript parser (the compiler in use has no JavaScript API).
 * It splits the text into tokens, so that what stands in comments, strings and templates is never taken for an import.
 */
export interface Token {
  /** `text` of a string is its content. */
  readonly kind: "word" | "string" | "mark";
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export interface Import {
  /** What is imported from; null when it is no literal: `import(name)`. */
  readonly from: string | null;
  /** The words between `import` and `from`: imported names, and `type`, `as`, … */
  readonly names: readonly string[];
  readonly line: number;
}

/** Static, type-only, side-effect and dynamic imports, re-exports, `import("…").Type`, and `require`, in their order. */
export function importsOf(tokens: readonly Token[]): readonly Import[] {
  const found: Import[] = [];
  tokens.forEach((token, index) => {
    const before = tokens[index - 1]?.text;
    if (token.kind !== "word" || before === "." || before === "?.") return;
    const next = tokens[index + 1];
    if (token.text === "import" && next?.kind === "string")
      found.push({ from: next.text, names: [], line: token.line });
    else if ((token.text === "import" || token.text === "require") && next?.text === "(" && next.kind === "mark")
      found.push(called(tokens, index));
    else if (token.text === "import" || token.text === "export") {
      const clause = clauseAfter(tokens, index);
      if (clause !== null) found.push({ ...clause, line: token.line });
    }
  });
  return found;
}

function called(tokens: readonly Token[], index: number): Import {
  const argument = tokens[index + 2];
  const after = tokens[index + 3]?.text;
  const literal = argument?.kind === "string" && (after === ")" || after === ",");
  return { from: literal ? argument.text : null, names: [], line: tokens[index]?.line ?? 0 };
}

/** `type { a, b as c } from "x"`, `* as x from "y"`, `x, { y } from "z"`; null when what follows is none of these. */
function clauseAfter(tokens: readonly Token[], index: number): Omit<Import, "line"> | null {
  const names: string[] = [];
  for (let at = index + 1; at < tokens.length; at += 1) {
    const token = tokens[at];
    const source = tokens[at + 1];
    if (token === undefined) return null;
    if (token.text === "from" && token.kind === "word" && source?.kind === "string")
      return { from: source.text, names };
    if (token.kind === "word") names.push(token.text);
    // Names of a clause may be strings too: `import { "odd name" as x }`.
    else if (token.kind === "mark" && !"{},*".includes(token.text)) return null;
  }
  return null;
}

/** Splits source into words, strings and marks; comments, whitespace and regular expressions leave nothing. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  // Depth of `{` inside each open `${`: its closing brace leads back into the template.
  const templates: number[] = [];
  let line = 1;
  let at = 0;

  const put = (kind: Token["kind"], text: string) => tokens.push({ kind, text, line });
  const skip = (length: number) => {
    for (const character of source.slice(at, at + length)) if (character === "\n") line += 1;
    at += length;
  };
  const template = () => {
    const chunk = /^(?:\\[\s\S]|\$(?!\{)|[^\\`$])*/.exec(source.slice(at))?.[0] ?? "";
    const began = line;
    skip(chunk.length);
    if (source.startsWith("${", at)) {
      templates.push(0);
      tokens.push({ kind: "mark", text: "${", line: began });
      at += 2;
    } else {
      // A whole template without parts is as good as a string; one with parts is none.
      const whole = tokens.at(-1)?.text === "`" && source[at] === "`";
      if (whole) tokens.pop();
      tokens.push({ kind: whole ? "string" : "mark", text: whole ? chunk : "`", line: began });
      at += 1;
    }
  };

  while (at < source.length) {
    const rest = source.slice(at, at + 2);
    const character = rest[0] ?? "";
    const word = WORD.exec(peek(source, at))?.[0];
    if (/\s/.test(character)) skip(1);
    else if (rest === "//" || (at === 0 && rest === "#!")) skip(lengthTo(source, at, "\n"));
    else if (rest === "/*") skip(lengthTo(source, at, "*/") + 2);
    else if (character === '"' || character === "'") {
      const content = quoted(source, at);
      put("string", content);
      skip(content.length + 2);
    } else if (character === "`") {
      put("mark", "`");
      at += 1;
      template();
    } else if (character === "/" && regexMayStart(tokens.at(-1))) {
      put("mark", "/");
      skip(regexLength(source, at));
    } else if (word !== undefined) {
      put("word", word);
      at += word.length;
    } else {
      const depth = templates.at(-1);
      if (character === "}" && depth === 0) {
        templates.pop();
        at += 1;
        template();
        continue;
      }
      if (depth !== undefined && character === "{") templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && character === "}") templates[templates.length - 1] = depth - 1;
      const mark = rest === "?." ? rest : character;
      put("mark", mark);
      at += mark.length;
    }
  }
  return tokens;
}

const WORD = /^[\p{ID_Start}$_\d][\p{ID_Continue}$\u200c\u200d]*/u;

/** No word is longer than this; slicing the whole rest for each would make reading a file quadratic. */
const peek = (source: string, at: number): string => source.slice(at, at + 200);

function lengthTo(source: string, at: number, end: string): number {
  const found = source.indexOf(end, at);
  return (found === -1 ? source.length : found) - at;
}

/** A string ends at its quote, or at the line's end: then it was none (an apostrophe in JSX text). */
function quoted(source: string, at: number): string {
  const quote = source[at];
  let end = at + 1;
  while (end < source.length && source[end] !== quote && source[end] !== "\n") end += source[end] === "\\" ? 2 : 1;
  return source.slice(at + 1, end);
}

/** After a value a slash divides; anywhere else it begins a regular expression. */
function regexMayStart(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === "string") return false;
  if (before.kind === "word")
    return ["return", "typeof", "case", "in", "of", "await", "yield", "void"].includes(before.text);
  // `<` begins no expression that matters here, but `</p>` in JSX would look like one.
  return !")]}`<".includes(before.text);
}

function regexLength(source: string, at: number): number {
  const found = /^\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/.exec(
    source.slice(at, lengthTo(source, at, "\n") + at),
  );
  return found?.[0].length ?? 1;
}
