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
  return STEERING.test(name) ? `${name} changes what runs` : null;
}

/** What the program of a command starts, by its words. A program that is not listed here starts what it is, and nothing else is said of it. */
export function started(argv: readonly string[]): Started {
  const name = nameOf(argv);
  if (/^ld(-linux[\w.-]*)?\.so(\.\d+)?$/.test(name)) return starts(afterOptions(argv, 1, []));
  const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  if (rule !== undefined) return rule(argv);
  if (UNREADABLE.has(name)) return opaque(`${name} runs what it is told while it runs`);
  const interpreter =
    /^(node|nodejs|python|perl|ruby|php|lua|tclsh|wish|julia|Rscript|R|deno|bun|osascript|guile|ghci?|scala|jshell|groovy|pypy)[\d.]*$/.exec(
      name,
    );
  return interpreter === null ? NOTHING : interprets(interpreter[1] ?? "", argv);
}

/** Programs whose words do not tell what they do: editors, debuggers, remote and scheduled shells. */
const UNREADABLE: ReadonlySet<string> = new Set(
  (
    "eval . source alias enable bind complete fc ed ex vi vim nvim view rvim emacs nano pico joe gdb lldb strace ltrace chroot unshare " +
    "nsenter setpriv start-stop-daemon at batch crontab systemd-run tmux screen expect socat parallel entr proot ssh dc m4 gnuplot " +
    "sqlite3 psql mysql mapfile readarray truncate split csplit coproc script fakeroot xvfb-run rlwrap unbuffer dtach"
  ).split(" "),
);

type Rule = (argv: readonly string[]) => Started;

/** The words from `from` on without leading options; those in `valued` take the next word with them. */
function afterOptions(argv: readonly string[], from: number, valued: readonly string[]): readonly string[] {
  let at = from;
  while (at < argv.length && /^-./.test(argv[at] ?? "")) {
    const word = argv[at] ?? "";
    at += valued.includes(word) ? 2 : 1;
    if (word === "--") break;
  }
  return argv.slice(at);
}

const wraps =
  (valued: readonly string[], skip = 0): Rule =>
  (argv) =>
    starts(afterOptions(argv, 1, valued).slice(skip));

/** `npx x`, `pnpm exec x`: the program is started as well as the one that starts it. */
const runsAfter =
  (verbs: readonly string[], valued: readonly string[] = []): Rule =>
  (argv) => {
    if (
      argv.some((word) => /^(-c|--call|--shell-mode|--node-options|--script-shell)(=|$)/.test(word)) &&
      verbs.length > 0
    )
      return argv.some((word) => verbs.includes(word)) ? opaque(`${nameOf(argv)} runs text`) : NOTHING;
    const rest = afterOptions(argv, 1, valued);
    if (!verbs.includes(rest[0] ?? "")) return NOTHING;
    return starts(afterOptions(rest, 1, valued));
  };

const shell: Rule = (argv) => {
  let at = 1;
  let asText = false;
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (word === "--" || word === "-") {
      at += 1;
      break;
    }
    if (/^(--rcfile|--init-file|--debugger)/.test(word)) return opaque("a shell that reads another file first");
    if (!/^[-+]./.test(word)) break;
    if (!word.startsWith("--")) {
      if (/^-[a-zA-Z]*c/.test(word)) asText = true;
      if (/^-[a-zA-Z]*s/.test(word)) return opaque("a shell that reads what it runs");
      if (/[oO]$/.test(word)) at += 1;
    }
  }
  const next = argv[at];
  if (next === undefined)
    return /^--(version|help)$/.test(argv[1] ?? "") ? NOTHING : opaque("a shell that reads what it runs");
  if (!asText) return /^\/dev\/(stdin|fd\/)/.test(next) ? opaque("a shell that reads what it runs") : NOTHING;
  return { ...NOTHING, texts: [next] };
};

const env: Rule = (argv) => {
  for (let at = 1; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (word === "--") continue;
    const split = /^(?:-[iv0]*S|--split-string=?)(.*)$/s.exec(word);
    if (split !== null) {
      const text = [
        split[1] === "" ? (argv[at + 1] ?? "") : (split[1] ?? ""),
        ...argv.slice(at + (split[1] === "" ? 2 : 1)),
      ];
      // Its own way to read words is not a shell's: what looks plain is taken as words, the rest is not known.
      return text.every((one) => /^[\w\s./:=,@%+-]*$/.test(one))
        ? starts(["env", ...text.flatMap((one) => one.split(/\s+/).filter((part) => part !== ""))])
        : opaque("env splits a text");
    }
    if (/^(-u|--unset|-C|--chdir)$/.test(word)) at += 1;
    else if (/^-/.test(word)) continue;
    else if (/^[^=]+=/.test(word)) {
      const why = steering(word);
      if (why !== null) return { ...started(["env", ...argv.slice(at + 1)]), opaque: [why] };
    } else return starts(argv.slice(at));
  }
  return NOTHING;
};

const xargs: Rule = (argv) => {
  const rest = afterOptions(argv, 1, [
    "-I",
    "-n",
    "-L",
    "-P",
    "-d",
    "-E",
    "-s",
    "-a",
    "--max-args",
    "--max-procs",
    "--replace",
    "--delimiter",
    "--arg-file",
  ]);
  if (rest.length === 0) return NOTHING;
  const marker = /^-I(.*)$/s.exec(argv.find((word) => word.startsWith("-I")) ?? "");
  const place =
    marker === null ? "{}" : marker[1] === "" ? (argv[argv.indexOf("-I") + 1] ?? "{}") : (marker[1] ?? "{}");
  if ((rest[0] ?? "").includes(place)) return opaque("xargs reads which program to run");
  const { argvs, texts, opaque: why } = started(rest);
  if (argvs.length > 0 || texts.length > 0 || why.length > 0 || readsArguments(rest))
    return { argvs: [rest], texts: [], opaque: ["xargs reads words that decide what runs"] };
  return starts(rest);
};

/** Programs whose later words can start others: what is added to them is not known. */
const readsArguments = (argv: readonly string[]): boolean =>
  /^(sh|bash|dash|zsh|ksh|env|nice|timeout|nohup|setsid|stdbuf|command|exec|xargs|find|busybox|npx|make|awk|sed|tar|node|python[\d.]*|perl|ruby|php)$/.test(
    nameOf(argv),
  ) && !(nameOf(argv) === "sed" && argv.some((word) => /^-[a-zA-Z]*[ie]|^s/.test(word)));

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
  php: /^-[rRBEd]/,
  lua: /^-[eli]/,
  julia: /^(-[eEL]|--eval|--print|--load)/,
  bun: /^(-e|--eval|-p|--print|-r|--preload|--import)/,
  deno: /^(eval|repl)$/,
};
const ANY_CODE = /^(-e|--eval|-r|--expression)/;

function interprets(name: string, argv: readonly string[]): Started {
  const options = CODE[name === "nodejs" ? "node" : name === "pypy" ? "python" : name] ?? ANY_CODE;
  for (const word of argv.slice(1)) {
    if (options.test(word)) return opaque(`${name} runs a text that is no command`);
    // Its module and what follows, or its file and what follows, are its own.
    if (word === "-m" || !word.startsWith("-"))
      return word === "/dev/stdin" ? opaque(`${name} reads what it runs`) : NOTHING;
    if (word === "-") return opaque(`${name} reads what it runs`);
    if (/^--?(version|help|[vVh]|test|check|c)$/.test(word)) return NOTHING;
  }
  return opaque(`${name} reads what it runs`);
}

const awk: Rule = (argv) =>
  argv
    .slice(1)
    .some(
      (word) =>
        /\b(system|getline)\b|\||@|print[^;}\n]*>/.test(word.replaceAll("||", "")) ||
        /^-([li]|-load|-include)/.test(word),
    )
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
  `^(?:\\s*(?:${ADDRESS}(?:\\s*,\\s*${ADDRESS})?)?\\s*!?\\s*(?:${REPLACE}|[pdnNDPgGhHxlF=]|q\\d*|[aic](?:\\\\\\n?|\\s)[^\\n]*|y/[^/\\n]*/[^/\\n]*/|[{}]|[bt]\\s*\\w*|:\\w+|r [^\\n]*)?\\s*(?:[;\\n}]|$))*$`,
);

const sed: Rule = (argv) => {
  const scripts: string[] = [];
  let at = 1;
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (/^(-[a-zA-Z]*e|--expression)$/.test(word)) {
      at += 1;
      scripts.push(argv[at] ?? "");
    } else if (word.startsWith("--expression=")) scripts.push(word.slice(13));
    else if (/^-[nErszu]*e./.test(word)) scripts.push(word.slice(word.indexOf("e") + 1));
    else if (/^(-[a-zA-Z]*f|--file)/.test(word)) return opaque("sed reads its program");
    else if (!word.startsWith("-") || word === "--") break;
  }
  if (scripts.length === 0) scripts.push(argv[argv[at] === "--" ? at + 1 : at] ?? "");
  return scripts.every((script) => SED.test(script)) ? NOTHING : opaque("sed runs or writes by its program");
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
  "--exec-path",
  "--config-env",
  "--super-prefix",
];

const git: Rule = (argv) => {
  const rest = afterOptions(argv, 1, GIT_VALUED);
  const before = argv.slice(1, argv.length - rest.length);
  for (const [index, word] of before.entries()) {
    if (word === "-c" && !TAME.test((before[index + 1] ?? "").split("=", 1)[0] ?? ""))
      return opaque("a setting of git that may run something");
    if (/^(-c.|--exec-path=|--config-env)/.test(word)) return opaque("git with settings from elsewhere");
  }
  const [verb, ...words] = rest;
  if (verb === undefined) return NOTHING;
  if (!GIT_VERBS.has(verb)) return opaque(`git ${verb} is not a command of git`);
  const has = (pattern: RegExp): boolean => words.some((word) => pattern.test(word));
  if (has(/^--output(=|$)/) || (verb === "archive" && has(/^-o/))) return opaque("git writes a file by an option");
  if (has(/^--?(upload-pack|receive-pack|exec|extcmd|open-files-in-pager)(=|$)/) || has(/^ext::/))
    return opaque("git runs a program by an option");
  if (verb === "bundle" && words[0] === "create") return opaque("git writes a file by its words");
  if (verb === "rebase" && has(/^-x/)) return opaque("git runs a program by an option");
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
  if (verb === "clone" && has(/^(-c|--config|-u|--template)/)) return opaque("git with settings from elsewhere");
  if (verb === "config") {
    const key = words.find((word) => !word.startsWith("-"));
    const reads = has(/^(--get|--get-all|--get-regexp|--list|-l|--unset|--name-only|list|get|unset)$/);
    if (
      !reads &&
      words.filter((word) => !word.startsWith("-")).length > 1 &&
      key !== undefined &&
      !TAME.test(key === "set" ? (words[words.indexOf("set") + 1] ?? "") : key)
    )
      return opaque("a setting of git that may run something");
  }
  return NOTHING;
};

const refusing =
  (pattern: RegExp, why: string): Rule =>
  (argv) =>
    argv.slice(1).some((word) => pattern.test(word)) ? opaque(why) : NOTHING;

const trap: Rule = (argv) =>
  argv.length < 3 || argv[1] === "-" || argv[1] === "" ? NOTHING : { ...NOTHING, texts: [argv[1] ?? ""] };

const assigning: Rule = (argv) => {
  const why = argv
    .slice(1)
    .flatMap((word) => (word.includes("=") ? [steering(word)] : []))
    .find((one) => one !== null);
  return why === undefined || why === null ? NOTHING : opaque(why);
};

const lookup: Rule = (argv) => (/^-[a-zA-Z]*[vV]/.test(argv[1] ?? "") ? NOTHING : starts(afterOptions(argv, 1, [])));

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

const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(STARTERS.map((name): [string, Rule] => [name, () => opaque(`${name} runs another program`)])),
  sh: shell,
  bash: shell,
  dash: shell,
  zsh: shell,
  ksh: shell,
  ash: shell,
  fish: shell,
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
  command: lookup,
  builtin: wraps([]),
  exec: wraps(["-a"]),
  nohup: wraps([]),
  setsid: wraps([]),
  time: wraps(["-f", "-o", "--format", "--output"]),
  nice: wraps(["-n", "--adjustment"]),
  ionice: wraps(["-c", "-n", "-p"]),
  chrt: wraps([], 1),
  taskset: wraps([], 1),
  stdbuf: wraps(["-i", "-o", "-e"]),
  timeout: wraps(["-s", "-k", "--signal", "--kill-after"], 1),
  flock: (argv) => {
    const rest = afterOptions(argv, 1, ["-w", "-E"]).slice(1);
    return /^(-c|--command)$/.test(rest[0] ?? "") ? { ...NOTHING, texts: [rest[1] ?? ""] } : starts(rest);
  },
  busybox: wraps([]),
  toybox: wraps([]),
  sudo: wraps(["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T"]),
  doas: wraps(["-u", "-C"]),
  su: () => opaque("su runs a shell"),
  watch: (argv) => ({ ...NOTHING, texts: [afterOptions(argv, 1, ["-n", "--interval"]).join(" ")] }),
  npx: (argv) =>
    argv.some((word) => /^(-c|--call)(=|$)/.test(word))
      ? opaque("npx runs text")
      : starts(afterOptions(argv, 1, ["-p", "--package"])),
  bunx: wraps([]),
  pnpx: wraps([]),
  "cross-env": (argv) => env(["env", ...argv.slice(1)]),
  npm: runsAfter(["exec", "x"], ["--prefix", "-w", "--workspace", "-p", "--package"]),
  pnpm: runsAfter(["exec", "dlx"], ["--filter", "-F", "--dir", "-C"]),
  yarn: runsAfter(["exec", "dlx"], ["--cwd"]),
  uv: runsAfter(["run"], ["--with", "--python", "-p", "--directory", "--project", "--extra", "--group"]),
  poetry: runsAfter(["run"]),
  pipenv: runsAfter(["run"]),
  pdm: runsAfter(["run"]),
  hatch: runsAfter(["run"]),
  bundle: runsAfter(["exec"]),
  direnv: runsAfter(["exec"]),
  docker: refusing(/^(run|exec|build|buildx|create|start)$/, "what a container runs is not known"),
  podman: refusing(/^(run|exec|build|create|start)$/, "what a container runs is not known"),
  make: refusing(
    /^(--eval|SHELL[:+?]?=|-f-$|--file=(-|\/dev)|--makefile=(-|\/dev)|-$|\/dev\/)|\$\(|`/,
    "make runs a text",
  ),
  gmake: refusing(/^(--eval|SHELL[:+?]?=)|\$\(|`/, "make runs a text"),
  go: refusing(/^--?(exec|toolexec|vettool)(=|$)/, "go runs another program by an option"),
  cargo: refusing(/^--config(=|$)/, "cargo with settings from its words"),
  tar: refusing(
    /^(--(to-command|checkpoint-action|use-compress-program|info-script|new-volume-script|rsh-command|rmt-command)(=|$)|-I|-F)/,
    "tar runs another program by an option",
  ),
  rsync: refusing(/^(-[a-zA-Z]*e|--rsh|--rsync-path)/, "rsync runs another program by an option"),
  zip: refusing(/^(-TT|--unzip-command)/, "zip runs another program by an option"),
  rg: refusing(/^--(pre|hostname-bin)(=|$)/, "rg runs another program by an option"),
  fd: refusing(/^(-[a-zA-Z]*[xX]|--exec(-batch)?)(=|$)/, "fd runs another program by an option"),
  fdfind: refusing(/^(-[a-zA-Z]*[xX]|--exec(-batch)?)(=|$)/, "fd runs another program by an option"),
  sort: refusing(/^(-[a-zA-Z]*o|--output|--compress-program)/, "sort writes or runs by an option"),
  uniq: (argv) => (afterOptions(argv, 1, ["-f", "-s", "-w"]).length > 1 ? opaque("uniq writes a file") : NOTHING),
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
  man: refusing(/^(-P|-H|--pager|--html)/, "man runs another program by an option"),
  nc: refusing(/^-[a-zA-Z]*[ec]/, "nc runs another program by an option"),
  ncat: refusing(/^-[a-zA-Z]*[ec]/, "nc runs another program by an option"),
  hash: refusing(/^-p/, "hash gives a name to another program"),
};
