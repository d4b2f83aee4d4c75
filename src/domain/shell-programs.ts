/** What a program started with these words does beside being started. */
export interface Started {
  /** Other programs it starts, with their words. */
  readonly argvs: readonly (readonly string[])[];
  /** Texts it hands to a shell. */
  readonly texts: readonly string[];
  /** Why not all that it runs or writes shows in its words. */
  readonly opaque: readonly string[];
}

const NOTHING: Started = { argvs: [], texts: [], opaque: [] };
const opaque = (...why: readonly string[]): Started => ({ ...NOTHING, opaque: why });
const starts = (argv: readonly string[], ifNone: string | null = null): Started =>
  argv.length > 0 ? { ...NOTHING, argvs: [argv] } : ifNone === null ? NOTHING : opaque(ifNone);

export const nameOf = (argv: readonly string[]): string => {
  const word = argv[0] ?? "";
  return word.slice(word.lastIndexOf("/") + 1);
};

/** Variables that change which programs run, or what they load. */
const STEERING =
  /^(PATH|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|BASH_FUNC.*|PS4|PROMPT_COMMAND|CDPATH|LD_.*|DYLD_.*|GCONV_PATH|NODE_OPTIONS|NODE_PATH|NODE_REPL.*|npm_config_.*|PYTHON.*|PERL5?.*|RUBY.*|GEM_.*|BUNDLE_.*|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|MAVEN_.*|GRADLE_OPTS|GIT_.*|SSH_.*|EDITOR|VISUAL|PAGER|LESS.*|MAKEFLAGS|MAKEFILES|GOFLAGS|RUSTC.*|RUSTFLAGS|CARGO_.*|CC|CXX|LUA_.*|PHP.*|SHELL|HOME|XDG_CONFIG_.*|TAR_OPTIONS|DOCKER_.*)$/;

/** Why giving this value to this variable leaves open what runs; null: it does not. */
export function steering(assignment: string): string | null {
  const name = assignment.slice(0, assignment.indexOf("=")).replace(/\+$/, "");
  // Whole numbers of bash are worked out, with what is substituted in them.
  if (/^(S?RANDOM|OPTIND|HISTCMD)$/.test(name) && !/=\d*$/.test(assignment)) return `${name} is worked out`;
  return STEERING.test(name) ? `${name} changes what runs` : null;
}

/** What the program of a command starts, by its words. A program that is not listed here starts what it is, and nothing else is said of it. */
export function started(argv: readonly string[]): Started {
  const name = nameOf(argv);
  if (/^ld(-linux[\w.-]*)?\.so(\.\d+)?$/.test(name)) return LOADER(argv);
  const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  if (rule !== undefined) return rule(argv);
  if (UNREADABLE.has(name)) return opaque(`${name} runs what it is told while it runs`);
  const interpreter = INTERPRETER.exec(name);
  return interpreter === null ? NOTHING : interprets(interpreter[1] ?? "", argv);
}

/** Programs whose words do not tell what they do: editors, debuggers, remote and scheduled shells. */
const UNREADABLE: ReadonlySet<string> = new Set(
  (
    "eval . source alias enable bind complete fc ed ex vi vim nvim view rvim emacs nano pico joe gdb lldb strace ltrace chroot unshare " +
    "nsenter setpriv start-stop-daemon at batch crontab systemd-run tmux screen expect socat parallel entr proot ssh dc m4 gnuplot " +
    "sqlite3 psql mysql mapfile readarray truncate split csplit coproc script fakeroot xvfb-run rlwrap unbuffer dtach " +
    "compgen compopt history fish csh tcsh hush yash elvish nu pwsh xonsh vimdiff gvim evim gview kak hx micro mcedit mc byobu emacsclient " +
    "rsh rlogin slogin mosh scriptlive pexec sem pee ifne chronic run-parts sg newgrp logsave cpulimit cgexec torsocks tsocks proxychains " +
    "proxychains4 watchexec nodemon concurrently hyperfine daemonize uftrace rr mpirun srun qemu-x86_64 wine lldb-server gdbserver bpftrace"
  ).split(" "),
);

type Rule = (argv: readonly string[]) => Started;

/**
 * The options a program takes, as `getopt` is told them: letters, with `:` where one takes a value and `::` where it may have one attached;
 * names, with `=` and `?` for the same.
 */
interface Options {
  readonly letters: string;
  readonly names: string;
}

interface Read {
  readonly given: readonly { readonly name: string; readonly value: string; readonly after: number }[];
  /** What stands after the options. */
  readonly rest: readonly string[];
  /** One of them is not known, so that the next word may belong to it. */
  readonly unsure: boolean;
  /** `--` said that there are no more. */
  readonly ended: boolean;
}

const options = (letters: string, names = ""): Options => ({ letters, names: `${names} help version` });

function readOptions(argv: readonly string[], from: number, { letters, names }: Options): Read {
  const given: { name: string; value: string; after: number }[] = [];
  let unsure = false;
  let ended = false;
  let at = from;
  while (!ended && at < argv.length && /^-./s.test(argv[at] ?? "")) {
    const word = argv[at] ?? "";
    at += 1;
    ended = word === "--";
    if (word.startsWith("--")) {
      if (ended) break;
      const [name = ""] = word.slice(2).split("=", 1);
      const attached = word.includes("=");
      // A name may be shortened as far as it is still the only one.
      const all = names.split(" ").filter((one) => one.startsWith(name));
      const found = all.find((one) => one.replace(/[=?]$/, "") === name) ?? (all.length === 1 ? all[0] : undefined);
      if (found === undefined) unsure = true;
      const takes = found?.endsWith("=") === true && !attached;
      const value = takes ? (argv[at] ?? "") : attached ? word.slice(name.length + 3) : "";
      if (takes) at += 1;
      given.push({ name: (found ?? name).replace(/[=?]$/, ""), value, after: at });
      continue;
    }
    for (let i = 1; i < word.length; i += 1) {
      const letter = word[i] ?? "";
      const index = letter === ":" ? -1 : letters.indexOf(letter);
      if (index < 0) unsure = true;
      const takes = index >= 0 && letters[index + 1] === ":";
      if (!takes) {
        given.push({ name: letter, value: "", after: at });
        continue;
      }
      const attached = word.slice(i + 1);
      const next = attached === "" && letters[index + 2] !== ":";
      given.push({ name: letter, value: next ? (argv[at] ?? "") : attached, after: next ? at + 1 : at });
      if (next) at += 1;
      break;
    }
  }
  return { given, rest: argv.slice(at), unsure, ended };
}

/** For programs that take options behind other words as well. */
function readAll(argv: readonly string[], taken: Options): Omit<Read, "ended"> {
  const all = { given: [] as Read["given"][number][], rest: [] as string[], unsure: false };
  for (let at = 1; at < argv.length; ) {
    const { given, rest, unsure, ended } = readOptions(argv, at, taken);
    all.given.push(...given);
    all.unsure ||= unsure;
    at = argv.length - rest.length + 1;
    all.rest.push(...(ended ? rest : rest.slice(0, 1)));
    if (ended) break;
  }
  return all;
}

/** What may be started where the options before it are not all known: the words from each of the first places on. */
const perhaps = (name: string, rest: readonly string[]): Started => ({
  ...NOTHING,
  argvs: [rest, rest.slice(1), rest.slice(2)].filter((one) => one.length > 0),
  opaque: [`an option of ${name} that is not known`],
});

/** A program that starts the one in its words, after options and `skip` words of its own. */
const wraps =
  (letters = "", names = "", skip = 0): Rule =>
  (argv) => {
    const { rest, unsure } = readOptions(argv, 1, options(letters, names));
    return unsure ? perhaps(nameOf(argv), rest.slice(skip)) : starts(rest.slice(skip));
  };

/** `npx x`, `pnpm exec x`: the program is started as well as the one that starts it. */
const runsAfter =
  (verbs: readonly string[], letters = "", names = ""): Rule =>
  (argv) => {
    const name = nameOf(argv);
    if (argv.some((word) => /^--(script-shell|node-options)(=|$)/.test(word))) return opaque(`${name} runs text`);
    const verb = argv.findIndex((word, index) => index > 0 && verbs.includes(word));
    if (verb < 0) return NOTHING;
    const end = argv.indexOf("--");
    if (argv.slice(0, end < 0 ? argv.length : end).some((word) => /^(-[a-z]*c|--call|--shell-mode)(=|$)/.test(word)))
      return opaque(`${name} runs text`);
    const before = readOptions(argv, 1, options(letters, names));
    if (before.unsure) return perhaps(name, readOptions(argv, verb + 1, options(letters, names)).rest);
    if (!verbs.includes(before.rest[0] ?? "")) return NOTHING;
    const { given, rest, unsure } = readOptions(before.rest, 1, options(letters, names));
    // Their switches may be given a value as a word of its own.
    const swallowed = given.length > 0 && /^(true|false|null)$/.test(rest[0] ?? "");
    return unsure || swallowed ? perhaps(name, rest) : starts(rest);
  };

/** Options of bash that are whole words, with one hyphen or two; the letters in them are not options. */
const LONG =
  /^--?(debug|debugger|dump-po-strings|dump-strings|help|login|noediting|noprofile|norc|posix|pretty-print|protected|restricted|verbose|version|wordexp)$/;

const shell: Rule = (argv) => {
  let at = 1;
  let asText = false;
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (word === "--" || word === "-") {
      at += 1;
      break;
    }
    if (/^--?(rcfile|init-file|debugger)/.test(word)) return opaque("a shell that reads another file first");
    if (!/^[-+]./.test(word)) break;
    if (LONG.test(word)) continue;
    if (!word.startsWith("--")) {
      if (word.includes("c")) asText = true;
      if (word.includes("s")) return opaque("a shell that reads what it runs");
      // Each of these takes a word, wherever it stands in its bundle.
      at += word.split(/[oO]/).length - 1;
    }
  }
  const next = argv[at];
  if (next === undefined)
    return /^--(version|help)$/.test(argv[1] ?? "") ? NOTHING : opaque("a shell that reads what it runs");
  if (!asText) return /^\/(dev\/(stdin|fd\/)|proc\/)/.test(next) ? opaque("a shell that reads what it runs") : NOTHING;
  return { ...NOTHING, texts: [next] };
};

/** Reads nearly what the others read: what can be seen is seen. */
const zsh: Rule = (argv) => {
  const { texts, opaque: why } = shell(argv);
  return texts.length > 0 ? { ...NOTHING, texts, opaque: ["zsh knows more words than are read here"] } : opaque(...why);
};

const ENV = options(
  "iv0u:C:S:a:",
  "ignore-environment null unset= chdir= split-string= argv0= block-signal? default-signal? ignore-signal? list-signal-handling debug",
);

const env: Rule = (argv) => {
  const { given, rest, unsure } = readOptions(argv, 1, ENV);
  const split = given.find(({ name }) => name === "S" || name === "split-string");
  if (split !== undefined) {
    const text = [split.value, ...argv.slice(split.after)];
    // Its own way to read words is not a shell's: what looks plain is taken as words, the rest is not known.
    return text.every((one) => /^[\w\s./:=,@%+-]*$/.test(one))
      ? starts(["env", ...text.flatMap((one) => one.split(/\s+/).filter((part) => part !== ""))])
      : opaque("env splits a text");
  }
  let at = rest[0] === "-" ? 1 : 0;
  const why: string[] = [];
  for (; (rest[at] ?? "").includes("="); at += 1) {
    const steered = steering(rest[at] ?? "");
    if (steered !== null) why.push(steered);
  }
  const { argvs, opaque: unknown } = unsure ? perhaps("env", rest.slice(at)) : starts(rest.slice(at));
  return { ...NOTHING, argvs, opaque: [...why, ...unknown] };
};

const XARGS = options(
  "0a:E:e::i::I:l::L:n:oprs:txP:d:",
  "null arg-file= delimiter= eof? replace? max-lines? max-args= max-procs= max-chars= process-slot-var= interactive no-run-if-empty " +
    "verbose exit open-tty show-limits",
);

const xargs: Rule = (argv) => {
  const { given, rest, unsure } = readOptions(argv, 1, XARGS);
  if (unsure) return perhaps("xargs", rest);
  if (rest.length === 0) return NOTHING;
  const marker = given.find(({ name }) => /^([Ii]|replace)$/.test(name));
  const place = marker === undefined || marker.value === "" ? "{}" : marker.value;
  if ((rest[0] ?? "").includes(place)) return opaque("xargs reads which program to run");
  const { argvs, texts, opaque: why } = started(rest);
  if (argvs.length > 0 || texts.length > 0 || why.length > 0 || readsArguments(rest))
    return { argvs: [rest], texts: [], opaque: ["xargs reads words that decide what runs"] };
  return starts(rest);
};

/** Programs whose later words can start others or say what is done: what is added to them is not known. */
const readsArguments = (argv: readonly string[]): boolean => {
  const name = nameOf(argv);
  if (/^g?sed$/.test(name)) return !argv.some((word) => /^-[a-zA-Z]*[ie]|^s/.test(word));
  if (/^(cp|install)$/.test(name)) return false;
  return Object.hasOwn(RULES, name) || INTERPRETER.test(name);
};

const find: Rule = (argv) => {
  const argvs: string[][] = [];
  const why: string[] = [];
  for (let at = 1; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (/^-f(printf?|print0|ls)$/.test(word)) why.push(`find ${word} writes a file`);
    if (!/^-(exec|execdir|ok|okdir)$/.test(word)) continue;
    const end = argv.findIndex(
      (one, index) => index > at && (one === ";" || (one === "+" && argv[index - 1] === "{}")),
    );
    const inner = argv.slice(at + 1, end < 0 ? argv.length : end);
    if ((inner[0] ?? "{}").includes("{}")) why.push("find runs what it finds");
    else argvs.push(inner);
    if (inner.some((one, index) => index > 0 && one !== "{}" && one.includes("{}")) && shellLike(inner))
      why.push("find puts names into a text");
    at = end < 0 ? argv.length : end;
  }
  return { argvs, texts: [], opaque: why };
};

const shellLike = (argv: readonly string[]): boolean => Object.hasOwn(RULES, nameOf(argv));

/** Options by which an interpreter takes its program from words or from elsewhere than a file of the repository. */
const CODE: Readonly<Record<string, RegExp>> = {
  node: /^(-[a-zA-Z]*[epri]|--(eval|print|require|import|loader|experimental-loader|interactive|env-file)(=.*)?)$/,
  python: /^-[a-zA-Z]*[ci](.*)$/,
  perl: /^-[a-zA-Z0-9]*[eEMmI]/,
  ruby: /^-[a-zA-Z0-9]*[erI]/,
  php: /^(-[a-zA-Z]*[rRBEd]|--(run|process|define|interactive))/,
  lua: /^-[eli]/,
  julia: /^(-[a-zA-Z]*[eEL]|--eval|--print|--load)/,
  bun: /^(-e|--eval|-p|--print|-r|--preload|--import)/,
  deno: /^(eval|repl)$/,
};
const ANY_CODE = /^(-e|--eval|-r|--expression|-c)/;
/** Options that take no word with them; after any other, it is not known which word is the file. */
const ALONE: Readonly<Record<string, RegExp>> = {
  node: /^(-[chv]|--(test|check|watch|expose-gc|preserve-symlinks|(experimental|enable|no|trace)-[a-z-]+)|--[\w-]+=.*)$/,
  python: /^(-[bBdEhIOPqRsStuvV]+|--(help|version))$/,
  perl: /^-/,
  ruby: /^(-[acdhlnpsSUvwy]+|-W\w*|--(version|help|verbose|yjit|jit))$/,
  php: /^-[hilmnqsvw]+$/,
  lua: /^-[vEW]$/,
};
const SAYS_VERSION = /^(--?version|--help|-[hV]+|--test|--check)$/;
/** Modules of python that run a text among their words. */
const MODULES = /^(timeit|pdb|code|asyncio|IPython)$/;

const INTERPRETER =
  /^(node|nodejs|python|perl|ruby|php|lua|tclsh|wish|julia|Rscript|R|deno|bun|osascript|guile|ghci?|scala|jshell|groovy|pypy)[\d.]*$/;

function interprets(found: string, argv: readonly string[]): Started {
  const name = found === "nodejs" ? "node" : found === "pypy" ? "python" : found;
  const code = CODE[name] ?? ANY_CODE;
  const words = name === "node" ? argv.map((word) => (word.startsWith("--") ? word.replaceAll("_", "-") : word)) : argv;
  let says = false;
  for (const [index, word] of words.entries()) {
    if (index === 0) continue;
    if (code.test(word)) return opaque(`${found} runs a text that is no command`);
    const module = name === "python" ? /^-[a-zA-Z]*m(.*)$/.exec(word) : null;
    // Its module and what follows, or its file and what follows, are its own.
    if (module !== null)
      return MODULES.test(module[1] || (words[index + 1] ?? ""))
        ? opaque(`${found} runs a text that is no command`)
        : NOTHING;
    if (word === "-" || /^\/(dev\/(stdin|fd\/)|proc\/)/.test(word)) return opaque(`${found} reads what it runs`);
    if (!word.startsWith("-"))
      return name === "bun" && /^(x|exec)$/.test(word) ? opaque("bun runs another program") : NOTHING;
    if (SAYS_VERSION.test(word) || (word === "-v" && name !== "python") || (word === "-c" && name === "node"))
      says = true;
    else if (ALONE[name]?.test(word) !== true && words.slice(index).some((one) => code.test(one)))
      return opaque(`${found} runs a text that is no command`);
  }
  return says ? NOTHING : opaque(`${found} reads what it runs`);
}

const awk: Rule = (argv) =>
  argv.slice(1).some((word) => {
    const program = word.replaceAll("\\\n", "").replaceAll("||", "");
    return /\b(system|getline)\b|\||@|print[\s\S]*>/.test(program) || /^-([liEdopD]|-(lo|in|ex|du|pr|de))/.test(word);
  }) || argv.some((word) => /^(-f)?(-$|\/(dev|proc)\/)|^--file=(-|\/(dev|proc)\/)/.test(word))
    ? opaque("awk runs or writes by its program")
    : NOTHING;

/** One command of sed with its addresses, of those that neither run nor write anything. */
const ADDRESS = String.raw`(?:\d+(?:~\d+)?|\$|/(?:[^/\\\n]|\\.)*/I?|[+~]\d+)`;
const REPLACE = ["/", "|", "#", ",", ":", "@", "!", "_", "%"]
  .map((d) => {
    const part = `(?:[^${d === "|" ? "\\|" : d}\\\\\\n]|\\\\.)*`;
    const mark = d === "|" ? "\\|" : d;
    return `s${mark}${part}${mark}${part}${mark}[gpiIm0-9]*`;
  })
  .join("|");
const SED = new RegExp(
  `(?:${ADDRESS}(?:\\s*,\\s*${ADDRESS})?)?(?:\\s*!)?\\s*(?:\\{|(?:${REPLACE}|[pdnNDPgGhHxlF=]|q\\d*|[aic](?:\\\\\\n?|\\s)[^\\n]*(?=\\n|$)|y/[^/\\n]*/[^/\\n]*/|[bt]\\s*\\w*|:\\w+|r [^\\n]*(?=\\n|$))?\\s*(?=[;\\n}]|$))`,
  "y",
);
const SED_OPTIONS = options(
  "nEre:f:i::l:suz",
  "quiet silent debug expression= file= follow-symlinks in-place? line-length= null-data zero-terminated posix regexp-extended separate " +
    "sandbox unbuffered",
);

/** Command by command, so that a long text takes no longer than its length. */
function tame(script: string): boolean {
  let at = 0;
  for (;;) {
    while (/[\s;}]/.test(script[at] ?? "")) at += 1;
    if (at >= script.length) return true;
    SED.lastIndex = at;
    const found = SED.exec(script)?.[0] ?? "";
    if (found === "") return false;
    at += found.length;
  }
}

const sed: Rule = (argv) => {
  const { given, rest, unsure } = readAll(argv, SED_OPTIONS);
  if (unsure || given.some(({ name }) => /^f(ile)?$/.test(name))) return opaque("sed reads its program");
  const scripts = given.filter(({ name }) => /^e(xpression)?$/.test(name)).map(({ value }) => value);
  if (scripts.length === 0) scripts.push(rest[0] ?? "");
  return scripts.every(tame) ? NOTHING : opaque("sed runs or writes by its program");
};

/** Settings of git that start nothing. */
const TAME =
  /^(user|color|advice|init|commit|pull|push|fetch|rebase|merge|branch|status|log|safe|gc|rerere|tag|versionsort)\.(?!.*(command|helper|program|template|gpg|hook|tool|driver))[\w.-]+$|^core\.(quotepath|autocrlf|eol|ignorecase|filemode|longpaths|abbrev|precomposeunicode|safecrlf|symlinks)$|^(remote|branch)\.[\w./-]+\.(url|fetch|merge|remote|rebase)$|^http\.(postbuffer|version|lowspeed\w+)$|^diff\.(renames|algorithm|colormoved|noprefix|mnemonicprefix)$/i;

const GIT_VERBS: ReadonlySet<string> = new Set(
  (
    "add am annotate apply archive bisect blame branch bundle cat-file check-attr check-ignore checkout cherry cherry-pick clean clone commit " +
    "commit-tree config count-objects describe diff diff-files diff-index diff-tree difftool fetch fetch-pack filter-branch for-each-ref " +
    "format-patch fsck gc grep hash-object help init log ls-files ls-remote ls-tree maintenance merge merge-base merge-file merge-tree " +
    "mergetool mktree mv name-rev notes pack-refs prune pull push range-diff read-tree rebase reflog remote repack replace rerere reset " +
    "restore rev-list rev-parse revert rm shortlog show show-branch show-ref sparse-checkout stash status stripspace submodule switch " +
    "symbolic-ref tag update-index update-ref verify-commit verify-tag version whatchanged worktree write-tree lfs"
  ).split(" "),
);
export const GIT_VALUED = [
  "-C",
  "-c",
  "--git-dir",
  "--work-tree",
  "--namespace",
  "--config-env",
  "--super-prefix",
  "--attr-source",
  "--shallow-file",
];

/** Whether a word is one of these long options, as it stands or shortened: as far as that could be meant. */
const isLong = (word: string, names: readonly string[]): boolean => {
  const [name = ""] = word.split("=", 1);
  return name.length > 4 && names.some((one) => `--${one}`.startsWith(name));
};

const git: Rule = (argv) => {
  let at = 1;
  for (; /^-/.test(argv[at] ?? ""); at += 1) {
    const word = argv[at] ?? "";
    const value = argv[at + 1] ?? "";
    if (word === "-c" && !TAME.test(value.split("=", 1)[0] ?? "")) {
      const alias = /^alias\.[^=]*=(!?)(.*)$/s.exec(value);
      return {
        ...opaque("a setting of git that may run something"),
        texts: alias === null ? [] : [`${alias[1] === "!" ? "" : "git "}${alias[2] ?? ""}`],
      };
    }
    if (/^(-c.|--exec-path=|--config-env)/.test(word)) return opaque("git with settings from elsewhere");
    if (GIT_VALUED.includes(word)) at += 1;
  }
  const [verb, ...words] = argv.slice(at);
  if (verb === undefined) return NOTHING;
  if (!GIT_VERBS.has(verb)) return opaque(`git ${verb} is not a command of git`);
  const has = (pattern: RegExp): boolean => words.some((word) => pattern.test(word));
  if (has(/^--outp(u(t)?)?(=|$)/) || (verb === "archive" && has(/^-o/)))
    return opaque("git writes a file by an option");
  if (
    has(/^--exec?(=|$)/) ||
    words.some((word) => isLong(word, ["upload-pack", "receive-pack", "extcmd", "open-files-in-pager"])) ||
    has(/^-(upload|receive)-pack|^ext::/)
  )
    return opaque("git runs a program by an option");
  if (verb === "bundle" && words.includes("create")) return opaque("git writes a file by its words");
  if (verb === "rebase" && has(/^-[a-zA-Z]*x/)) return opaque("git runs a program by an option");
  if (verb === "grep" && has(/^-[a-zA-Z]*O/)) return opaque("git runs a program by an option");
  if (verb === "bisect" && words[0] === "run") return starts(words.slice(1));
  if (verb === "submodule" && words.includes("foreach"))
    return {
      ...NOTHING,
      texts: [
        words
          .slice(words.indexOf("foreach") + 1)
          .filter((word) => !/^--(recursive|quiet)$/.test(word))
          .join(" "),
      ],
    };
  if (verb === "difftool" || verb === "mergetool" || verb === "filter-branch")
    return opaque(`git ${verb} runs other programs`);
  if (
    (verb === "clone" || verb === "init" || verb === "submodule") &&
    (words.some((word) => isLong(word, ["config", "template"])) || (verb === "clone" && has(/^-[a-z]*[cu]/)))
  )
    return opaque("git with settings from elsewhere");
  if (verb === "config") {
    const rest = words.filter((word) => !word.startsWith("-"));
    const asks = has(/^(--get|--get-all|--get-regexp|--list|-l|--unset|--name-only)$/);
    const key = /^(set|get|list|unset)$/.test(words[0] ?? "") ? rest[1] : rest[0];
    // Where it is told to look or how to read, the next word is not the key.
    const elsewhere = has(/^(-f|--file|--blob|--type|--default|--comment|--value|--url)/) ? undefined : key;
    const reads = asks || /^(list|get|unset)$/.test(words[0] ?? "");
    if (!reads && rest.length > 1 && (elsewhere === undefined || !TAME.test(elsewhere)))
      return opaque("a setting of git that may run something");
  }
  return NOTHING;
};

/** A value or a file that is none of the repository's can be the whole of what make runs. */
const make: Rule = (argv) =>
  argv
    .slice(1)
    .some((word) =>
      /^(--ev|SHELL\s*[:+?!]*=|-[a-zA-Z]*E|-[a-zA-Z]*f-$|-$|(.*[=f])?\/(dev|proc)\/)|=-$|\$[({]|`/.test(word),
    )
    ? opaque("make runs a text")
    : NOTHING;

const refusing =
  (pattern: RegExp, why: string): Rule =>
  (argv) =>
    argv.slice(1).some((word) => pattern.test(word)) ? opaque(why) : NOTHING;

/** `trap -- TEXT SIGNAL`; without a signal nothing is set. */
const trap: Rule = (argv) => {
  const from = argv[1] === "--" ? 2 : 1;
  const text = argv[from] ?? "";
  return argv.length < from + 2 || text === "-" || text === "" ? NOTHING : { ...NOTHING, texts: [text] };
};

/** A subscript, or a list of bash, in a word that a builtin reads once more: what is substituted in it runs. */
const SUBSCRIPT = /\[[\s\S]*[$`]|=\([\s\S]*[$`]/;
const subscripts: Rule = (argv) =>
  argv.slice(1).some((word) => SUBSCRIPT.test(word)) ? opaque("a subscript that is read once more") : NOTHING;

const assigning: Rule = (argv) => {
  // A whole number is worked out, and a reference is another variable.
  if (argv.slice(1).some((word) => /^[-+][a-zA-Z]*[in]/.test(word)) && !/^(export|readonly)$/.test(nameOf(argv)))
    return opaque("a variable with a meaning of its own");
  const why = argv
    .slice(1)
    .flatMap((word) => (word.includes("=") ? [steering(word)] : []))
    .find((one) => one !== null);
  return why === undefined || why === null ? subscripts(argv) : opaque(why);
};

/** Builtins that give values to the variables in their words. */
const filling: Rule = (argv) => {
  const why = argv
    .slice(1)
    .map((word) => steering(`${word.replace(/^-[a-z]*v/, "")}=`))
    .find((one) => one !== null);
  return why === undefined || why === null ? subscripts(argv) : opaque(why);
};

const lookup: Rule = (argv) => {
  const { given, rest, unsure } = readOptions(argv, 1, options("pVv"));
  if (unsure) return perhaps("command", rest);
  return given.some(({ name }) => /^[vV]$/.test(name)) ? NOTHING : starts(rest);
};

const LOADER: Rule = wraps(
  "",
  "list verify inhibit-cache library-path= glibc-hwcaps-prepend= glibc-hwcaps-mask= inhibit-rpath= audit= preload= argv0= list-tunables " +
    "list-diagnostics",
);

const NPX = "yes package= workspace= workspaces include-workspace-root quiet silent offline prefer-offline no-install";
const npx = runsAfter(["npx"], "yqp:w:", NPX);

/** Programs whose words are another program's, each after options of its own: not worth reading, and not to be overlooked. */
const STARTERS: readonly string[] = [
  "setarch",
  "linux32",
  "linux64",
  "unshare",
  "nsenter",
  "chroot",
  "setpriv",
  "prlimit",
  "choom",
  "numactl",
  "runcon",
  "strace",
  "ltrace",
  "perf",
  "valgrind",
  "systemd-run",
  "start-stop-daemon",
  "parallel",
  "expect",
  "pkexec",
  "ssh-agent",
  "dbus-run-session",
  "fakeroot",
  "faketime",
  "unbuffer",
  "rlwrap",
  "tini",
  "dumb-init",
  "gosu",
  "chpst",
  "eatmydata",
  "gdb",
  "runuser",
  "capsh",
  "firejail",
  "bwrap",
  "proot",
  "i386",
  "x86_64",
];

const UNIQ = options(
  "cdDf:is:uw:z0123456789",
  "count repeated all-repeated? skip-fields= group? ignore-case skip-chars= unique zero-terminated check-chars=",
);
const TAR_RUNS = [
  "to-command",
  "checkpoint-action",
  "use-compress-program",
  "info-script",
  "new-volume-script",
  "rsh-command",
  "rmt-command",
];

const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(STARTERS.map((name): [string, Rule] => [name, () => opaque(`${name} runs another program`)])),
  sh: shell,
  bash: shell,
  dash: shell,
  zsh,
  ksh: shell,
  ash: shell,
  mksh: shell,
  rbash: shell,
  env,
  xargs,
  find,
  awk,
  gawk: awk,
  mawk: awk,
  nawk: awk,
  sed,
  gsed: sed,
  git,
  trap,
  export: assigning,
  declare: assigning,
  typeset: assigning,
  readonly: assigning,
  local: assigning,
  read: filling,
  printf: (argv) => (/^-v/.test(argv[1] ?? "") ? filling(argv) : NOTHING),
  getopts: filling,
  wait: (argv) => (argv.some((word) => /^-[a-z]*p/.test(word)) ? filling(argv) : NOTHING),
  unset: subscripts,
  test: subscripts,
  "[": subscripts,
  let: () => opaque("arithmetic"),
  // Afterwards words behind a program are variables, too.
  set: refusing(/^-[a-zA-Z]*k|^keyword$/, "set -k gives words another meaning"),
  jobs: (argv) => (/^-[a-z]*x/.test(argv[1] ?? "") ? starts(argv.slice(2)) : NOTHING),
  command: lookup,
  builtin: wraps(),
  exec: wraps("cla:"),
  nohup: wraps(),
  setsid: wraps("cfw", "ctty fork wait"),
  time: wraps("af:o:pqvV", "append format= output= portability quiet verbose"),
  nice: wraps("0123456789n:", "adjustment="),
  ionice: wraps("c:n:p:P:u:t", "class= classdata= pid= pgid= uid= ignore"),
  chrt: wraps(
    "abdD:efiP:T:hmopqrRvV",
    "all-tasks batch deadline ext fifo idle max other pid reset-on-fork rr sched-deadline= sched-period= sched-runtime= verbose",
    1,
  ),
  taskset: wraps("apch", "all-tasks pid cpu-list", 1),
  stdbuf: wraps("i:o:e:", "input= output= error="),
  timeout: wraps("fk:ps:v", "foreground kill-after= preserve-status signal= verbose", 1),
  flock: (argv) => {
    const names = "shared exclusive unlock nonblock close no-fork timeout= wait= conflict-exit-code= verbose";
    const { rest, unsure } = readOptions(argv, 1, options("sexnuoFw:E:h", `${names} nb`));
    if (unsure) return { ...perhaps("flock", rest), texts: rest.slice(0, 2) };
    const [, next = "", text = ""] = rest;
    return /^(-c|--command)$/.test(next) ? { ...NOTHING, texts: [text] } : starts(rest.slice(1));
  },
  busybox: wraps(),
  toybox: wraps(),
  sudo: (argv) => {
    const { rest, unsure } = readOptions(argv, 1, options("ABbEeHiKklNnPSsVvu:g:h:p:C:D:R:T:U:r:t:"));
    return unsure ? perhaps("sudo", rest) : starts(["env", ...rest]);
  },
  doas: wraps("C:Lnsu:a:"),
  su: () => opaque("su runs a shell"),
  watch: (argv) => {
    const names = "beep color differences? errexit chgexit interval= precise no-title exec no-wrap no-rerun no-linenum";
    const { given, rest, unsure } = readOptions(argv, 1, options("bcd::eghn:prtxvw", names));
    if (unsure) return perhaps("watch", rest);
    return given.some(({ name }) => /^(x|exec)$/.test(name)) ? starts(rest) : { ...NOTHING, texts: [rest.join(" ")] };
  },
  npx: (argv) => npx(["npx", ...argv]),
  bunx: wraps("p:", "bun verbose silent package="),
  pnpx: wraps("p:", "package= silent"),
  "cross-env": (argv) => env(["env", ...argv.slice(1)]),
  npm: runsAfter(["exec", "exe", "x"], "yqp:w:sC:", `${NPX} prefix= loglevel=`),
  pnpm: runsAfter(
    ["exec", "dlx"],
    "rF:C:wp:",
    "recursive filter= dir= package= workspace-root parallel silent no-bail",
  ),
  yarn: runsAfter(["exec", "dlx"], "qp:", "cwd= silent quiet package="),
  uv: runsAfter(
    ["run"],
    "qvnp:",
    "with= with-requirements= with-editable= python= directory= project= extra= group= only-group= no-group= package= env-file= module " +
      "quiet verbose offline isolated locked frozen no-sync no-dev dev only-dev all-extras all-groups all-packages no-project no-cache " +
      "no-config exact active managed-python",
  ),
  poetry: runsAfter(
    ["run"],
    "qvnC:P:",
    "quiet no-interaction no-ansi ansi no-plugins no-cache directory= project= verbose",
  ),
  pipenv: runsAfter(["run"], "qv", "quiet verbose"),
  pdm: runsAfter(["run"], "qvsp:", "quiet verbose site-packages project="),
  hatch: runsAfter(["run"], "e:qv", "env= quiet verbose no-color no-interactive"),
  bundle: runsAfter(["exec"], "", "keep-file-descriptors gemfile= no-color verbose"),
  direnv: runsAfter(["exec"]),
  docker: refusing(/^(run|exec|build|buildx|create|start)$/, "what a container runs is not known"),
  podman: refusing(/^(run|exec|build|create|start)$/, "what a container runs is not known"),
  make,
  gmake: make,
  go: refusing(/^--?(exec|toolexec|vettool)(=|$)/, "go runs another program by an option"),
  cargo: refusing(/^--conf(ig?)?(=|$)/, "cargo with settings from its words"),
  tar: (argv) =>
    argv
      .slice(1)
      .some(
        (word, index) =>
          isLong(word, TAR_RUNS) || /^-[a-zA-Z]*[IF]/.test(word) || (index === 0 && /^[a-zA-Z]*[IF]/.test(word)),
      )
      ? opaque("tar runs another program by an option")
      : NOTHING,
  rsync: refusing(/^(-[a-zA-Z0-9]*e|--rsh|--rsync-path)/, "rsync runs another program by an option"),
  zip: refusing(/^(-[a-zA-Z]*TT|--unz)/, "zip runs another program by an option"),
  rg: refusing(/^--(pre|hostname-bin)(=|$)/, "rg runs another program by an option"),
  fd: refusing(/^(-[a-zA-Z]*[xX]|--exec(-batch)?)(=|$)/, "fd runs another program by an option"),
  fdfind: refusing(/^(-[a-zA-Z]*[xX]|--exec(-batch)?)(=|$)/, "fd runs another program by an option"),
  sort: refusing(/^(-[a-zA-Z0-9.,]*o|--o|--co)/, "sort writes or runs by an option"),
  uniq: (argv) => (readAll(argv, UNIQ).rest.length > 1 ? opaque("uniq writes a file") : NOTHING),
  tee: (argv) =>
    argv.slice(1).some((word) => !word.startsWith("-") && word !== "/dev/null" && word !== "/dev/stderr")
      ? opaque("tee writes a file")
      : NOTHING,
  dd: refusing(/^of=(?!\/dev\/null$)/, "dd writes a file"),
  cp: refusing(/^\/dev\/(null|zero|stdin|fd\/\d)$/, "an empty file is made of a device"),
  install: refusing(
    /^\/dev\/(null|zero|stdin|fd\/\d)$|^-[a-zA-Z]*d|^--strip-program/,
    "an empty file is made of a device",
  ),
  scp: refusing(/^-[a-zA-Z0-9]*[SoF]/, "scp runs another program by an option"),
  sftp: refusing(/^-[a-zA-Z0-9]*[SoFDb]/, "sftp runs another program by an option"),
  man: refusing(/^(-[a-zA-Z]*[PH]|--pag|--ht)/, "man runs another program by an option"),
  nc: refusing(/^-[a-zA-Z]*[ec]/, "nc runs another program by an option"),
  ncat: refusing(/^-[a-zA-Z]*[ec]/, "nc runs another program by an option"),
  hash: refusing(/^-[a-z]*p/, "hash gives a name to another program"),
};
