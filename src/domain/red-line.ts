import { reduceCommand } from "./shell.ts";
import { GIT_VALUED, nameOf } from "./shell-programs.ts";
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
    crossedBy: (argv) => /^(sudo|su|doas|pkexec|runuser)$/.test(nameOf(argv)),
  },
  {
    id: "force-push",
    means: "no step forces a push",
    crossedBy: (argv) =>
      git(argv, "push") &&
      argv.some(
        (word) =>
          /^(-[a-z]*[fd][a-z]*|--force)$/.test(word) ||
          /^[+:]./.test(word) ||
          isOption(word, "--force-with-lease", "--force-w") ||
          isOption(word, "--mirror", "--m") ||
          isOption(word, "--delete", "--de"),
      ),
  },
  {
    id: "no-verify",
    means: "no step skips hooks or checks of git",
    crossedBy: (argv) =>
      (nameOf(argv) === "git" && argv.some((word) => isOption(word, "--no-verify", "--no-veri"))) ||
      (git(argv, "commit") && argv.some((word) => /^-[aeiopqsuv]*n[a-z]*$/.test(word))),
  },
  {
    id: "history-destruction",
    means: "no step destroys git history, nor work that was never committed",
    crossedBy: (argv) =>
      (git(argv, "reset") && argv.some((word) => isOption(word, "--hard", "--h"))) ||
      git(argv, "filter-branch") ||
      git(argv, "filter-repo") ||
      (git(argv, "gc") && argv.some((word) => isOption(word, "--prune", "--p"))) ||
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

/** An option as git takes it: whole, or shortened as far as `least` says it is still the only one. */
const isOption = (word: string, whole: string, least: string): boolean => {
  const [name = ""] = word.split("=", 1);
  return name.startsWith(least) && whole.startsWith(name);
};

const removes = (argv: readonly string[]): boolean => nameOf(argv) === "rm" || nameOf(argv) === "shred";

function git(argv: readonly string[], verb: string): boolean {
  if (nameOf(argv) !== "git") return false;
  let at = 1;
  while (at < argv.length && (argv[at] ?? "").startsWith("-")) at += GIT_VALUED.includes(argv[at] ?? "") ? 2 : 1;
  return argv[at] === verb;
}

/** The red line an act crosses, or null. */
export function crossedRedLine(act: Act): RedLine | null {
  if (act.kind === "edit") {
    if (/(^|\/)\.git(\/|$)/i.test(act.path)) return { id: "git-directory", means: "no step edits a git directory" };
    return null;
  }
  const words = wordsOf(act);
  if (words === null) return null;
  for (const argv of reduceCommand(words).argvs)
    for (const { id, means, crossedBy } of RED_LINES) if (crossedBy(argv)) return { id, means };
  return null;
}

/** What is run to be looked at only is run, too. */
function wordsOf(act: Act): readonly string[] | null {
  if (act.kind === "command" || act.kind === "gate" || act.kind === "prepare") return act.argv;
  return act.kind === "read" && act.what === "command" ? act.target : null;
}
