/** One word of a shell's text. */
export interface Word {
  /** What it says with its quotes taken off; where a shell would put something else in, the source as it stands. */
  readonly text: string;
  /** Why its value is not known before it runs; null: it is what `text` says. */
  readonly unknown: string | null;
  /** It may become several words: names of files that match. */
  readonly glob: boolean;
  /** None of it was quoted: only such a word can be one of the shell's own. */
  readonly bare: boolean;
  /** It gives a value to a variable when it stands before the program. */
  readonly assigns: boolean;
}

/** A program and what it is started with, as written. */
export interface SimpleCommand {
  readonly assignments: readonly Word[];
  readonly words: readonly Word[];
  /** Files it is told to write by redirection; `>|` and numbered ones of `exec` included. */
  readonly writes: readonly { readonly target: Word; readonly clobbers: boolean }[];
}

export interface ShellText {
  readonly commands: readonly SimpleCommand[];
  /** Why not all that it runs is known; empty: it is. */
  readonly opaque: readonly string[];
}

/** Words after which a command begins. They change when it runs, not what. */
const LEADS: ReadonlySet<string> = new Set(["if", "then", "elif", "else", "while", "until", "do", "!", "{"]);
const ENDS: ReadonlySet<string> = new Set(["fi", "done", "}"]);
const TOO_MUCH: ReadonlySet<string> = new Set(["case", "esac", "select", "function", "coproc", "[["]);
const NAME = /^[A-Za-z_]\w*\+?$/;
/** Places of redirection that are no file of anybody's. */
const NO_FILE = /^\/dev\/(null|stdout|stderr|fd\/[12])$/;
const BLANK = " \t";
const META = " \t\n;&|()<>";

/**
 * Splits what is given to a POSIX shell (or bash) into simple commands, by quotes, operators, control words, subshells, redirections and
 * here-documents. Everything it does not know for certain goes into `opaque`, and it still reads on, so that what can be seen is seen.
 */
export function parseShell(source: string): ShellText {
  const text = source.replace(/\\\n/g, "");
  const commands: SimpleCommand[] = [];
  const opaque: string[] = [];
  const unsure = (why: string): void => {
    if (!opaque.includes(why)) opaque.push(why);
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(text)) unsure("control characters");
  // Where quotes or here-documents keep it, it does not continue a line.
  if (text !== source && /'|<</.test(source)) unsure("a continued line among quotations");

  let at = 0;
  let words: Word[] = [];
  let assignments: Word[] = [];
  let writes: { target: Word; clobbers: boolean }[] = [];
  let heredocs: { end: string; quoted: boolean; stripped: boolean }[] = [];
  /** Words of `for NAME in …`, which are data until `do` or the end of the line. */
  let listing = false;

  const finish = (): void => {
    if (!listing && (words.length > 0 || assignments.length > 0 || writes.length > 0))
      commands.push({ assignments, words, writes });
    for (const word of [...assignments, ...words, ...writes.map(({ target }) => target)])
      if (word.unknown !== null) unsure(word.unknown);
    [words, assignments, writes, listing] = [[], [], [], false];
  };

  const inside = (inner: string): void => {
    const found = parseShell(inner);
    commands.push(...found.commands);
    for (const why of found.opaque) unsure(why);
  };

  /** From after `$(` to its `)`; quotes are respected. */
  const closing = (from: number): number => {
    let depth = 1;
    for (let i = from; i < text.length; i += 1) {
      const c = text[i];
      if (c === "\\") i += 1;
      else if (c === "'") {
        const next = text.indexOf("'", i + 1);
        if (next < 0) return text.length;
        i = next;
      } else if (c === "(") depth += 1;
      else if (c === ")") {
        depth -= 1;
        if (depth === 0) return i;
      }
    }
    return text.length;
  };

  /** A `$…` or backquote at `at`; leaves `at` after it and gives its source. */
  const expansion = (): { readonly raw: string; readonly why: string | null } => {
    const from = at;
    const next = text[at + 1] ?? "";
    if (text[at] === "`") {
      const end = text.indexOf("`", at + 1);
      const stop = end < 0 ? text.length : end;
      inside(text.slice(at + 1, stop));
      at = stop + 1;
      return { raw: text.slice(from, at), why: "a command substitution" };
    }
    if (next === "(") {
      const arithmetic = text[at + 2] === "(";
      const end = closing(at + 2);
      if (!arithmetic) inside(text.slice(at + 2, end));
      at = end + 1;
      return { raw: text.slice(from, at), why: arithmetic ? "an arithmetic expansion" : "a command substitution" };
    }
    if (next === "{") {
      const end = text.indexOf("}", at);
      const stop = end < 0 ? text.length : end;
      // A default may hold commands of its own.
      if (/[$`]/.test(text.slice(at + 2, stop))) inside(text.slice(at + 2, stop));
      at = stop + 1;
      return { raw: text.slice(from, at), why: "a variable" };
    }
    const name = /^\$([A-Za-z_]\w*|[0-9@*#?$!-])/.exec(text.slice(at, at + 256));
    if (name !== null) {
      at += name[0].length;
      return { raw: name[0], why: "a variable" };
    }
    at += 1;
    return next === "'" || next === '"' ? { raw: "$", why: "a quotation of bash's own" } : { raw: "$", why: null };
  };

  const readWord = (): Word => {
    let value = "";
    let unknown: string | null = null;
    let glob = false;
    let bare = true;
    let assigns = false;
    const from = at;
    const expand = (): void => {
      const { raw, why } = expansion();
      value += raw;
      unknown ??= why;
    };
    while (at < text.length) {
      const c = text[at] ?? "";
      if (c === "'") {
        const end = text.indexOf("'", at + 1);
        if (end < 0) unknown ??= "a quotation without its end";
        const stop = end < 0 ? text.length : end;
        value += text.slice(at + 1, stop);
        at = stop + 1;
        bare = false;
      } else if (c === '"') {
        at += 1;
        bare = false;
        while (at < text.length && text[at] !== '"') {
          const inner = text[at] ?? "";
          if (inner === "\\" && /[$`"\\]/.test(text[at + 1] ?? "")) {
            value += text[at + 1] ?? "";
            at += 2;
          } else if (inner === "`" || (inner === "$" && /[A-Za-z_0-9({@*#?$!-]/.test(text[at + 1] ?? ""))) expand();
          else {
            value += inner;
            at += 1;
          }
        }
        if (at >= text.length) unknown ??= "a quotation without its end";
        at += 1;
      } else if (c === "\\") {
        if (at + 1 >= text.length) unknown ??= "a backslash with nothing after it";
        value += text[at + 1] ?? "";
        at += 2;
        bare = false;
      } else if (c === "$" || c === "`") expand();
      else if (META.includes(c)) break;
      else {
        if (c === "*" || c === "?" || c === "[") glob = true;
        if (c === "{" && /^\{[^{}\s;|&<>]*(,|\.\.)[^\s;|&<>]*\}/.test(text.slice(at, at + 4096))) unknown ??= "braces";
        if (c === "=" && bare && unknown === null && NAME.test(value)) assigns = true;
        value += c;
        at += 1;
      }
    }
    // `[` alone is a program.
    if (text.slice(from, at) === "[") glob = false;
    return { text: value, unknown, glob, bare, assigns };
  };

  const skipBlank = (): void => {
    while (BLANK.includes(text[at] ?? "\n")) at += 1;
  };

  const redirect = (operator: string): void => {
    at += operator.length;
    skipBlank();
    if (text[at] === "(" || (/^[<>]/.test(text[at] ?? "") && text[at + 1] === "(")) {
      processSubstitution();
      return;
    }
    const target = readWord();
    if (target.text === "" && target.bare) unsure("a redirection to nothing");
    if (operator.startsWith("<<") && operator !== "<<<") {
      heredocs.push({ end: target.text, quoted: !target.bare, stripped: operator === "<<-" });
      return;
    }
    if (target.glob) unsure("a redirection to names that match");
    const writing = operator.includes(">") && !(operator.endsWith("&") && /^[0-9-]$/.test(target.text));
    if (target.unknown !== null) unsure(target.unknown);
    if (writing && !NO_FILE.test(target.text)) writes.push({ target, clobbers: operator.endsWith("|") });
  };

  const processSubstitution = (): void => {
    unsure("a process substitution");
    at = text.indexOf("(", at) + 1;
    const end = closing(at);
    inside(text.slice(at, end));
    at = end + 1;
  };

  const skipHeredocs = (): void => {
    for (const { end, quoted, stripped } of heredocs) {
      let found = false;
      while (at < text.length && !found) {
        const newline = text.indexOf("\n", at);
        const stop = newline < 0 ? text.length : newline;
        const line = text.slice(at, stop);
        found = (stripped ? line.replace(/^\t+/, "") : line) === end;
        if (!found && !quoted && /[$`]/.test(line)) {
          unsure("an expansion in a here-document");
          for (const [, inner] of line.matchAll(/\$\(([^)]*)\)|`[^`]*`/g)) if (inner !== undefined) inside(inner);
        }
        at = stop + 1;
      }
      if (!found) unsure("a here-document without its end");
    }
    heredocs = [];
  };

  while (at < text.length) {
    const c = text[at] ?? "";
    if (BLANK.includes(c)) {
      at += 1;
      continue;
    }
    if (c === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
      continue;
    }
    if (c === "\n") {
      finish();
      at += 1;
      skipHeredocs();
      continue;
    }
    const numbered = /^(\d+|&)?(<<<|<<-|<<|<>|<&|>>|>\||>&|<|>)/.exec(text.slice(at, at + 64));
    if (numbered !== null && (numbered[1] !== "&" || (numbered[2] ?? "").startsWith(">"))) {
      at += (numbered[1] ?? "").length;
      redirect(numbered[2] ?? "");
      continue;
    }
    if (c === ";" || c === "|" || c === "&") {
      finish();
      at += 1;
      continue;
    }
    if (c === "(" || c === ")") {
      if (c === "(" && text[at + 1] === "(") unsure("arithmetic");
      if (c === "(" && (words.length > 0 || assignments.length > 0)) unsure("a function or a list of bash");
      finish();
      at += 1;
      continue;
    }
    const word = readWord();
    const own = word.bare && word.unknown === null && words.length === 0;
    if (listing) words.push(word);
    else if (own && assignments.length === 0 && TOO_MUCH.has(word.text)) {
      unsure(`\`${word.text}\``);
      finish();
    } else if (own && assignments.length === 0 && word.text === "for") listing = true;
    else if (own && assignments.length === 0 && (LEADS.has(word.text) || ENDS.has(word.text))) finish();
    else if (words.length === 0 && word.assigns) assignments.push(word);
    else words.push(word);
  }
  finish();
  if (heredocs.length > 0) unsure("a here-document without its end");
  return { commands, opaque };
}
