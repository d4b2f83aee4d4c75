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
const REDIRECTIONS = ["<<<", "<<-", "<<", "<>", "<&", ">>", ">|", ">&", "<", ">"];
/** Substitutions within substitutions: nobody means more, and each is a call of this reader. */
const NESTING_MAX = 20;

/** Two parentheses that turned out to be no arithmetic: each look goes to the end of the text, and it is opaque in any case. */
const LOOKS_MAX = 4;

/** Shells differ in what a sign means: bash knows more of them than POSIX does, and reads those of POSIX as POSIX does. */
type Dialect = "bash" | "posix";

/**
 * Splits what is given to a shell into simple commands, by quotes, operators, control words, subshells, redirections and here-documents.
 * Which shell it will be is not known, so it is read as bash and as the others read it, and what any of them would run is told. Everything
 * that is not known for certain goes into `opaque`, and it still reads on, so that what can be seen is seen.
 */
export function parseShell(source: string): ShellText {
  const bash = read(source, "bash", false, 0);
  const posix = read(source, "posix", false, 0);
  const known = new Set(bash.commands.map(keyOf));
  const written = new Set(bash.commands.map(({ writes }) => JSON.stringify(writes)));
  // `a &> f` is `a & > f` to the others: the same file is written, and nothing more is run.
  const more = posix.commands.filter(
    (command) =>
      !known.has(keyOf(command)) &&
      (command.words.length + command.assignments.length > 0 || !written.has(JSON.stringify(command.writes))),
  );
  return {
    commands: [...bash.commands, ...more],
    opaque: [...new Set([...bash.opaque, ...posix.opaque])],
  };
}

const keyOf = (command: SimpleCommand): string => JSON.stringify(command);

/** `quoted`: it is the inside of a quotation, where nothing but expansions has a meaning. */
function read(text: string, dialect: Dialect, quoted: boolean, depth: number): ShellText {
  const commands: SimpleCommand[] = [];
  const opaque = new Set<string>();
  const unsure = (why: string): void => {
    opaque.add(why);
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(text)) unsure("control characters");

  let at = 0;
  let nesting = depth;
  let words: Word[] = [];
  let assignments: Word[] = [];
  let writes: { target: Word; clobbers: boolean }[] = [];
  /** After a redirection no word is one of the shell's own. */
  let redirected = false;
  /** Where it stands in `for NAME in WORDS`: the words are data until the end of the line. */
  let loop: "name" | "named" | "words" | null = null;
  /** After `function`, `coproc` and `time`, whose next words may be theirs. */
  let after: "function" | "coproc" | "time" | null = null;
  let heredocs: { end: string; quoted: boolean; stripped: boolean }[] = [];
  const notArithmetic = new Set<number>();

  const clear = (): void => {
    [words, assignments, writes, redirected, loop, after] = [[], [], [], false, null, null];
  };
  const finish = (): void => {
    if (loop === null && (words.length > 0 || assignments.length > 0 || writes.length > 0))
      commands.push({ assignments, words, writes });
    for (const word of [...assignments, ...words, ...writes.map(({ target }) => target)])
      if (word.unknown !== null) unsure(word.unknown);
    clear();
  };

  const take = (found: ShellText): void => {
    commands.push(...found.commands);
    for (const why of found.opaque) unsure(why);
  };

  /** Reads what has commands of its own inside a word, which then goes on. */
  const within = (run: () => void): void => {
    const kept = [words, assignments, writes, redirected, loop, after] as const;
    clear();
    nesting += 1;
    run();
    nesting -= 1;
    [words, assignments, writes, redirected, loop, after] = kept;
  };

  /** A backslash before the end of a line is not there, except in single quotes, comments and quoted here-documents: those do not ask. */
  const join = (): void => {
    while (text[at] === "\\" && text[at + 1] === "\n") at += 2;
  };
  const moved = (count: number): void => {
    for (let n = 0; n < count; n += 1) {
      join();
      at += 1;
    }
    join();
  };
  /** The next signs as a shell sees them. */
  const ahead = (count: number): string => {
    let found = "";
    for (let i = at; found.length < count && i < text.length; ) {
      if (text[i] === "\\" && text[i + 1] === "\n") i += 2;
      else {
        found += text[i];
        i += 1;
      }
    }
    return found;
  };
  const skipBlank = (): void => {
    join();
    while (BLANK.includes(text[at] ?? "\n")) moved(1);
  };

  /** From inside `((` to behind its `))`; false: it was no arithmetic, and nothing was read. */
  const arithmetic = (): boolean => {
    if (notArithmetic.has(at) || notArithmetic.size >= LOOKS_MAX) return false;
    const from = at;
    const before = commands.length;
    let open = 0;
    while (at < text.length) {
      join();
      const c = text[at] ?? "";
      if (c === "$" || c === "`") expansion(true);
      else if (c === "\\") at += 2;
      else if (c === ")" && open === 0) {
        if (ahead(2) !== "))") break;
        moved(2);
        return true;
      } else {
        if (c === "(") open += 1;
        if (c === ")") open -= 1;
        at += 1;
      }
    }
    notArithmetic.add(from);
    commands.length = before;
    at = from;
    return false;
  };

  /** From inside `${` to behind its `}`. */
  const parameter = (inQuotes: boolean): void => {
    while (at < text.length) {
      join();
      const c = text[at] ?? "";
      if (c === "}") {
        at += 1;
        return;
      }
      if (c === "$" || c === "`") expansion(inQuotes);
      else if (c === "\\") at += 2;
      else if (c === "'" && !inQuotes) {
        const end = text.indexOf("'", at + 1);
        at = end < 0 ? text.length : end + 1;
      } else if (c === '"') {
        at += 1;
        quotation();
      } else at += 1;
    }
  };

  const backquoted = (inQuotes: boolean): void => {
    let inner = "";
    at += 1;
    while (at < text.length && text[at] !== "`") {
      const next = text[at + 1] ?? "";
      if (text[at] === "\\" && (/[$`\\]/.test(next) || (inQuotes && next === '"'))) at += 1;
      inner += text[at] ?? "";
      at += 1;
    }
    at += 1;
    if (nesting >= NESTING_MAX) unsure("commands within commands, too deep");
    else take(read(inner, dialect, false, nesting + 1));
  };

  /** A `$…` or backquote at `at`; leaves `at` after it and gives its source. */
  const expansion = (inQuotes: boolean): { readonly raw: string; readonly why: string | null } => {
    const from = at;
    const found = (why: string): { readonly raw: string; readonly why: string } => ({ raw: text.slice(from, at), why });
    if (text[at] === "`") {
      backquoted(inQuotes);
      return found("a command substitution");
    }
    const signs = ahead(3);
    const next = signs[1] ?? "";
    if (next === "(" || next === "{") {
      if (nesting >= NESTING_MAX) {
        at += 1;
        return found("commands within commands, too deep");
      }
      moved(2);
      nesting += 1;
      let why = next === "{" ? "a variable" : "a command substitution";
      if (next === "{") parameter(inQuotes);
      else {
        const inside = at;
        if (signs === "$((") {
          moved(1);
          why = "an arithmetic expansion";
          if (!arithmetic()) at = inside;
        }
        if (at === inside) within(() => list(true));
      }
      nesting -= 1;
      return found(why);
    }
    if (/[A-Za-z_]/.test(next)) {
      moved(1);
      while (/\w/.test(text[at] ?? "")) moved(1);
      return { raw: text.slice(from, at).replaceAll("\\\n", ""), why: "a variable" };
    }
    if (/[0-9@*#?$!-]/.test(next)) {
      moved(2);
      return { raw: `$${next}`, why: "a variable" };
    }
    if (inQuotes) {
      at += 1;
      return { raw: "$", why: null };
    }
    moved(1);
    if (next === "[") return { raw: "$", why: "an arithmetic expansion" };
    if (next !== "'" && next !== '"') return { raw: "$", why: null };
    const raw = dialect === "posix" ? "$" : next === "'" ? escapes() : "";
    return { raw, why: "a quotation of bash's own" };
  };

  /** The inside of `$'…'`: what it says as far as its escapes are usual; it is called unknown in any case. */
  const escapes = (): string => {
    let value = "";
    at += 1;
    while (at < text.length && text[at] !== "'") {
      const code = /^\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|([0-7]{1,3}))/.exec(text.slice(at, at + 8));
      if (code !== null) {
        value += String.fromCharCode(
          Number.parseInt(code[1] ?? code[2] ?? code[3] ?? "", code[3] === undefined ? 16 : 8),
        );
        at += code[0].length;
        continue;
      }
      if (text[at] === "\\") at += 1;
      value += text[at] ?? "";
      at += 1;
    }
    at += 1;
    return value;
  };

  /** From inside `"` to behind its end; `whole`: all there is stands in quotes. */
  const quotation = (whole = false): { readonly value: string; readonly unknown: string | null } => {
    let value = "";
    let unknown: string | null = null;
    join();
    while (at < text.length && (whole || text[at] !== '"')) {
      const c = text[at] ?? "";
      if (c === "\\" && /[$`"\\]/.test(text[at + 1] ?? "")) {
        value += text[at + 1] ?? "";
        at += 2;
      } else if (c === "`" || c === "$") {
        const { raw, why } = expansion(true);
        value += raw;
        unknown ??= why;
      } else {
        value += c;
        at += 1;
      }
      join();
    }
    if (at >= text.length) unknown ??= "a quotation without its end";
    at += 1;
    return { value, unknown };
  };

  const readWord = (): Word => {
    let value = "";
    let unknown: string | null = null;
    let glob = false;
    let bare = true;
    let assigns = false;
    // Braces make several words of one when there is something between them to choose from.
    let open = 0;
    let chosen = false;
    join();
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
        const found = quotation();
        value += found.value;
        unknown ??= found.unknown;
      } else if (c === "\\") {
        if (at + 1 >= text.length) unknown ??= "a backslash with nothing after it";
        value += text[at + 1] ?? "";
        at += 2;
        bare = false;
      } else if (c === "$" || c === "`") {
        const { raw, why } = expansion(false);
        value += raw;
        unknown ??= why;
      } else if (META.includes(c)) break;
      else {
        if (c === "*" || c === "?" || c === "[") glob = true;
        if (c === "{") open += 1;
        if (open > 0 && (c === "," || (c === "." && ahead(2) === ".."))) chosen = true;
        if (c === "}" && chosen) unknown ??= "braces";
        if (c === "}" && open > 0) open -= 1;
        if (c === "=" && bare && unknown === null && NAME.test(value)) assigns = true;
        value += c;
        at += 1;
      }
      join();
    }
    // `[` alone is a program.
    if (bare && value === "[") glob = false;
    return { text: value, unknown, glob, bare, assigns };
  };

  const processSubstitution = (): void => {
    unsure("a process substitution");
    moved(2);
    if (nesting >= NESTING_MAX) unsure("commands within commands, too deep");
    else within(() => list(true));
  };

  const redirect = (operator: string): void => {
    moved(operator.length);
    redirected = true;
    skipBlank();
    if (/^[<>]&$/.test(operator) && dialect === "bash" && ahead(1) === "-") {
      // That closes it; what follows is a word, even without a blank.
      moved(1);
      return;
    }
    if (/^[<>]\($/.test(ahead(2))) {
      processSubstitution();
      return;
    }
    const target = readWord();
    if (target.text === "" && target.bare) unsure("a redirection to nothing");
    if (target.unknown !== null) unsure(target.unknown);
    if (operator.startsWith("<<") && operator !== "<<<") {
      heredocs.push({ end: target.text, quoted: !target.bare, stripped: operator === "<<-" });
      return;
    }
    if (target.glob) unsure("a redirection to names that match");
    const writing = operator.includes(">") && !(operator.endsWith("&") && /^[0-9-]$/.test(target.text));
    if (writing && !NO_FILE.test(target.text)) writes.push({ target, clobbers: operator.endsWith("|") });
  };

  const skipHeredocs = (): void => {
    const waiting = heredocs;
    heredocs = [];
    for (const heredoc of waiting) {
      let found = false;
      let body = "";
      while (at < text.length && !found) {
        const start = at;
        let continued = false;
        for (;;) {
          const newline = text.indexOf("\n", at);
          const stop = newline < 0 ? text.length : newline;
          let backslashes = 0;
          while (stop - backslashes > at && text[stop - backslashes - 1] === "\\") backslashes += 1;
          at = stop + 1;
          if (heredoc.quoted || backslashes % 2 === 0 || newline < 0) break;
          continued = true;
        }
        const whole = text.slice(start, at - 1);
        const line = continued ? whole.replaceAll("\\\n", "") : whole;
        // Only bash takes a line that was put together for the end.
        found =
          (heredoc.stripped ? line.replace(/^\t+/, "") : line) === heredoc.end && !(continued && dialect === "posix");
        if (!found) body += `${whole}\n`;
      }
      if (!found) unsure("a here-document without its end");
      if (!heredoc.quoted && /[$`]/.test(body)) {
        unsure("an expansion in a here-document");
        if (nesting < NESTING_MAX) take(read(body, dialect, true, nesting + 1));
      }
    }
  };

  /** What a word means where it stands. */
  const place = (word: Word): void => {
    const says = word.bare && word.unknown === null ? word.text : "";
    if (loop === "name") {
      if (word.unknown !== null) unsure(word.unknown);
      // The loop gives this variable its values.
      commands.push({ assignments: [{ ...word, text: `${word.text}=` }], words: [], writes: [] });
      loop = "named";
      return;
    }
    if (loop === "named") {
      if (says === "in") loop = "words";
      else loop = null;
      if (says === "in") return;
    }
    const own = words.length === 0 && assignments.length === 0 && !redirected && loop === null;
    if (own && after === "time" && /^(-p|--)$/.test(says)) return;
    if ((after === "function" || after === "coproc") && says === "{") finish();
    else if (own && after === "function") words.push(word);
    else if (own && TOO_MUCH.has(says)) {
      unsure(`\`${says}\``);
      finish();
      if (says === "select") loop = "name";
      if (says === "function" || says === "coproc") after = says;
    } else if (own && says === "for") {
      finish();
      loop = "name";
    } else if (own && says === "time" && dialect === "bash") {
      finish();
      after = "time";
    } else if (own && (LEADS.has(says) || ENDS.has(says))) finish();
    else if (words.length === 0 && word.assigns && loop === null) assignments.push(word);
    else words.push(word);
  };

  /** Commands up to the end of the text, or to behind the `)` that closes them. */
  const list = (closes: boolean): void => {
    let open = 0;
    let cases = 0;
    for (;;) {
      join();
      if (at >= text.length) break;
      const c = text[at] ?? "";
      const two = "<>&(".includes(c) ? ahead(2) : c;
      if (BLANK.includes(c)) at += 1;
      else if (c === "#") {
        const end = text.indexOf("\n", at);
        at = end < 0 ? text.length : end;
      } else if (c === "\n") {
        // `for NAME` may have its `in` on the next line.
        if (loop !== "named") finish();
        at += 1;
        skipHeredocs();
      } else if (two === "<(" || two === ">(") processSubstitution();
      else if (c === "<" || c === ">") {
        const signs = ahead(3);
        redirect(REDIRECTIONS.find((one) => signs.startsWith(one)) ?? c);
      } else if (two === "&>" && dialect === "bash") {
        moved(1);
        redirect(ahead(2) === ">>" ? ">>" : ">");
      } else if (c === ";" || c === "|" || c === "&") {
        finish();
        at += 1;
      } else if (c === "(") {
        const starting = words.length === 0 && assignments.length === 0 && !redirected;
        if (two === "((") unsure("arithmetic");
        if (!starting) unsure("a function or a list of bash");
        const from = at;
        const looping = loop === "name";
        if (two === "((" && starting && dialect === "bash") {
          moved(2);
          if (!arithmetic()) at = from;
        }
        if (at === from) {
          open += 1;
          at += 1;
        }
        finish();
        if (looping) loop = "named";
      } else if (c === ")") {
        finish();
        at += 1;
        if (open > 0) open -= 1;
        else if (closes && cases === 0) return;
      } else {
        const word = readWord();
        const number = word.bare && word.unknown === null && /^[<>]/.test(text[at] ?? "");
        if (number && /^\d$/.test(word.text)) continue;
        if (number && /^(\d+|\{[A-Za-z_]\w*(\[.*\])?\})$/.test(word.text)) {
          // One shell's descriptor is another one's word.
          unsure("a descriptor of bash's own");
          if (dialect === "bash") continue;
        }
        if (word.bare && words.length === 0 && word.text === "case") cases += 1;
        if (word.bare && words.length === 0 && word.text === "esac" && cases > 0) cases -= 1;
        place(word);
      }
    }
    finish();
  };

  if (quoted) quotation(true);
  else list(false);
  if (heredocs.length > 0) unsure("a here-document without its end");
  return { commands, opaque: [...opaque] };
}
