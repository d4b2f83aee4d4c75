import { randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { CommitId } from "../../ports/workspaces.ts";
import { type ByteName, onDisk, toByteName } from "./names.ts";
import type { Person } from "./program.ts";
import { removeTree } from "./removal.ts";
import type { Git, GitCall } from "./run.ts";

export interface CheckoutPlan {
  /** The private clone. */
  readonly gitDir: string;
  readonly commit: CommitId;
  /** Where it goes; nothing may stand there. */
  readonly to: string;
  /** A directory on the same file system that only the daemon may enter: what is not whole yet lies there. */
  readonly aside: string;
  /** What `objects/info/alternates` of the scratch git directory names. */
  readonly objectsInside: string;
  readonly owner: Person | null;
}

export const UNFINISHED = ".new-";

/**
 * Makes the exact files a `git checkout` of a commit makes (line endings by attributes, no filter drivers) with a scratch
 * `.git`, aside, and renames the directory into place when it is whole: a crash leaves nothing that looks finished.
 */
export async function checkOut(git: Git, plan: CheckoutPlan): Promise<void> {
  mkdirSync(dirname(plan.to), { recursive: true, mode: 0o700 });
  const made = `${plan.aside}/${UNFINISHED}${randomUUID()}`;
  const index = `${plan.gitDir}/agentos-index-${randomUUID()}`;
  mkdirSync(made, { mode: 0o700 });
  const call: GitCall = { gitDir: plan.gitDir, workTree: made, index, plainModes: true };
  try {
    await git.run(["read-tree", "-m", "-u", plan.commit], call);
    layScratch(plan, `${made}/.git`);
    chmodSync(made, 0o755);
    if (plan.owner !== null) giveTo(toByteName(made), plan.owner);
    // Only now: a change of owner changes what the index remembers of each file.
    await git.run(["update-index", "-q", "--refresh"], { ...call, answers: [1] });
    copyFileSync(index, `${made}/.git/index`);
    chmodSync(`${made}/.git/index`, 0o644);
    if (plan.owner !== null) chownSync(`${made}/.git/index`, plan.owner.uid, plan.owner.gid);
    renameSync(made, plan.to);
  } finally {
    await removeTree(toByteName(made));
    await removeTree(toByteName(index));
  }
}

/**
 * The `.git` that an agent sees: a branch at the commit, a neutral identity, and the private clone's objects read-only by way
 * of `alternates`. Status, diff, commit and log work there, and nothing done there counts: the daemon never reads it.
 */
function layScratch(plan: CheckoutPlan, scratch: string): void {
  const branch = branchOf(plan.gitDir);
  const files: Record<string, string> = {
    HEAD: branch === null ? `${plan.commit}\n` : `ref: ${branch}\n`,
    config: scratchConfig(plan.commit.length === SHA256_DIGITS ? "sha256" : "sha1"),
    "objects/info/alternates": `${plan.objectsInside}\n`,
    ...(branch === null ? {} : { [branch]: `${plan.commit}\n` }),
  };
  makeDirectory(scratch);
  for (const directory of ["objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags", "info"])
    makeDirectory(`${scratch}/${directory}`);
  for (const [path, content] of Object.entries(files)) {
    path
      .split("/")
      .slice(0, -1)
      .forEach((_, at, parts) => {
        makeDirectory(`${scratch}/${parts.slice(0, at + 1).join("/")}`);
      });
    writeFileSync(`${scratch}/${path}`, content, { flag: "wx" });
    chmodSync(`${scratch}/${path}`, 0o644);
  }
}

/** The branch the private clone's HEAD names (the person's branch at adoption), null when it was detached. */
const branchOf = (gitDir: string): string | null =>
  /^ref: (refs\/.+?)\n?$/.exec(readFileSync(`${gitDir}/HEAD`, "utf8"))?.[1] ?? null;

const SHA256_DIGITS = 64;

const scratchConfig = (format: "sha1" | "sha256"): string =>
  [
    "[core]",
    `\trepositoryformatversion = ${format === "sha1" ? 0 : 1}`,
    "\tfilemode = true",
    "\tbare = false",
    "\tlogallrefupdates = true",
    ...(format === "sha1" ? [] : ["[extensions]", `\tobjectformat = ${format}`]),
    "[user]",
    "\tname = AgentOS agent",
    "\temail = agent@localhost",
    "[gc]",
    "\tauto = 0",
    "",
  ].join("\n");

function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

/** Changes the owner of a directory and all below it; of links, of the link itself. */
export function giveTo(path: ByteName, owner: Person): void {
  lchownSync(onDisk(path), owner.uid, owner.gid);
  if (!lstatSync(onDisk(path)).isDirectory()) return;
  for (const name of readdirSync(onDisk(path), { encoding: "latin1" })) giveTo(`${path}/${name}`, owner);
}
