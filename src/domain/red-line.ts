import type { Act } from "./step.ts";

/**
 * What no mode, role, approval or configuration can switch off. This is the early, readable "no"; the sandbox is the gate. A line that a
 * shell could hide from this table still cannot reach anything outside its mounts.
 */
export interface RedLine {
  readonly id: string;
  readonly means: string;
}

const RED_LINES: readonly (RedLine & { readonly crossedBy: (argv: readonly string[]) => boolean })[] = [
  {
    id: "privilege-escalation",
    means: "no step gains privileges",
    crossedBy: (argv) => /^(sudo|su|doas|pkexec|runuser)$/.test(name(argv)),
  },
  {
    id: "force-push",
    means: "no step forces a push",
    crossedBy: (argv) =>
      git(argv, "push") &&
      argv.some(
        (word) =>
          /^(-[a-z]*[fd][a-z]*|--force|--force-with-lease(=.*)?|--mirror|--delete)$/.test(word) || /^[+:]./.test(word),
      ),
  },
  {
    id: "no-verify",
    means: "no step skips hooks or checks of git",
    crossedBy: (argv) =>
      (name(argv) === "git" && argv.includes("--no-verify")) ||
      (git(argv, "commit") && argv.some((word) => /^-[aeiopqsuv]*n[a-z]*$/.test(word))),
  },
  {
    id: "history-destruction",
    means: "no step destroys git history",
    crossedBy: (argv) =>
      git(argv, "filter-branch") ||
      git(argv, "filter-repo") ||
      (git(argv, "gc") && argv.some((word) => word.startsWith("--prune"))) ||
      (git(argv, "reflog") && (argv.includes("expire") || argv.includes("delete"))) ||
      (git(argv, "update-ref") && argv.includes("-d")) ||
      (removes(argv) && argv.some((word) => /(^|\/)\.git\/?$/.test(word))),
  },
  {
    id: "outside-removal",
    means: "no step removes what lies outside its workspace",
    crossedBy: (argv) =>
      removes(argv) &&
      argv
        .slice(1)
        .some(
          (word) =>
            /^(\/|~|\$HOME)(\*|\/?$)/.test(word) || (word.startsWith("/") && !/^\/(workspace|tmp)\//.test(word)),
        ),
  },
];

const name = (argv: readonly string[]): string => (argv[0] ?? "").slice((argv[0] ?? "").lastIndexOf("/") + 1);
const removes = (argv: readonly string[]): boolean => name(argv) === "rm" || name(argv) === "shred";

/** Options of git itself that take a value in the next word. */
const GIT_VALUED: ReadonlySet<string> = new Set([
  "-C",
  "-c",
  "--git-dir",
  "--work-tree",
  "--namespace",
  "--exec-path",
  "--config-env",
]);

function git(argv: readonly string[], verb: string): boolean {
  if (name(argv) !== "git") return false;
  let at = 1;
  while (at < argv.length && (argv[at] ?? "").startsWith("-")) at += GIT_VALUED.has(argv[at] ?? "") ? 2 : 1;
  return argv[at] === verb;
}

/** Programs that only run another one: what counts is what they run. */
const WRAPPERS: ReadonlySet<string> = new Set([
  "env",
  "nohup",
  "nice",
  "timeout",
  "command",
  "exec",
  "setsid",
  "stdbuf",
  "time",
  "xargs",
]);

/** The command without leading assignments, wrappers and words of the shell, as far as plain words show. */
function unwrapped(argv: readonly string[]): readonly string[] {
  let at = 0;
  for (;;) {
    const word = argv[at];
    if (word === undefined) return argv;
    if (/^([A-Za-z_]\w*=.*|if|then|else|elif|do|while|until|!)$/.test(word)) at += 1;
    else if (WRAPPERS.has(word.slice(word.lastIndexOf("/") + 1))) {
      at += 1;
      while (/^-|^\d+[smhd]?$/.test(argv[at] ?? "")) at += 1;
    } else return argv.slice(at);
  }
}

/** Commands given to a shell as text are looked at word by word too, as far as plain words go. */
function commandsIn(argv: readonly string[]): readonly (readonly string[])[] {
  const bare = unwrapped(argv);
  const shell = /^(sh|bash|dash|zsh|ksh)$/.test(name(bare));
  const text = shell ? bare[bare.findIndex((word) => /^-[a-z]*c$/.test(word)) + 1] : undefined;
  if (text === undefined) return [bare];
  return [
    bare,
    ...text.split(/[;&|\n(){}]+/).map((part) =>
      unwrapped(
        part
          .trim()
          .split(/\s+/)
          .map((word) => word.replace(/^['"]|['"]$/g, "")),
      ),
    ),
  ];
}

/** The red line an act crosses, or null. */
export function crossedRedLine(act: Act): RedLine | null {
  if (act.kind === "edit") {
    if (/(^|\/)\.git(\/|$)/i.test(act.path)) return { id: "git-directory", means: "no step edits a git directory" };
    return null;
  }
  if (act.kind !== "command" && act.kind !== "gate" && act.kind !== "prepare") return null;
  for (const argv of commandsIn(act.argv))
    for (const { id, means, crossedBy } of RED_LINES) if (crossedBy(argv)) return { id, means };
  return null;
}
