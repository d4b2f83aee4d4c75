import { Failure } from "../../domain/failure.ts";
import { type ByteName, records, toByteName, toText } from "./names.ts";
import type { Git, GitCall } from "./run.ts";

export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

/**
 * `git add -A` of a whole working tree into a private index, without its two ways to fail: it would abort on a nested
 * repository without a commit and on a name it refuses, and take one with commits as a link to nowhere.
 *
 * @param call git directory, working tree and private index, which holds what was there before
 * @returns what git does not take, each with the reason
 */
export async function stageAll(git: Git, call: GitCall, exclude: ReadonlySet<ByteName>): Promise<LeftOut[]> {
  const others = records((await git.run(["ls-files", "-z", "--others", "--exclude-standard"], call)).stdout);
  // Git itself tells what it takes for a repository: it lists it as a directory and does not go in.
  const nested = others.filter((path) => path.endsWith("/")).map((path) => path.slice(0, -1));
  const skipped = [...nested, ...exclude];
  const added = await git.run(["add", "-A", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"], {
    ...call,
    environment: { ...call.environment, GIT_LITERAL_PATHSPECS: "0" },
    input: Buffer.from(
      [".", ...skipped.map((path) => `:(top,exclude,literal)${path}`)].map((each) => `${each}\0`).join(""),
      "latin1",
    ),
    // Some paths were not taken: they are found below. With 128 none were, because of what the work itself says in its attributes.
    answers: [1, 128],
  });
  if (added.code === 128)
    throw new Failure("agent/failed", `git cannot take the work into a commit: ${lastLine(added.stderr)}`);
  // Each after a letter: `H mode id stage<TAB>path` of what was taken, `? path` of what was not.
  const listed = records(
    (await git.run(["ls-files", "-z", "-t", "--stage", "--others", "--exclude-standard"], call)).stdout,
  );
  const told = (letter: string): ByteName[] =>
    listed.flatMap((record) => (record.startsWith(letter) ? [record.slice(letter.length)] : []));
  await dropLinks(git, call, told("H "));
  const remaining = told("? ");
  const refused = remaining.filter((path) => !path.endsWith("/") && !isUnder(path, skipped));
  return [
    ...nested
      .filter((path) => !isUnder(path, [...exclude]))
      .map((path) => ({ path: toText(path), reason: "it is a git repository of its own" })),
    ...refused.map((path) => ({ path: toText(path), reason: "git does not take this path" })),
  ];
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.slice(0, 300) ?? "";

/** A link to another repository's commit means nothing to who receives it; `stageAll` leaves no new one. */
async function dropLinks(git: Git, call: GitCall, taken: readonly string[]): Promise<void> {
  const links = taken
    .filter((record) => record.startsWith("160000 "))
    .map((record) => record.slice(record.indexOf("\t") + 1));
  if (links.length === 0) return;
  await git.run(["update-index", "--force-remove", "-z", "--stdin"], {
    ...call,
    input: Buffer.from(links.map((path) => `${path}\0`).join(""), "latin1"),
  });
}

const isUnder = (path: ByteName, tops: readonly ByteName[]): boolean =>
  tops.some((top) => path === top || path.startsWith(`${top}/`));

/** The port's exclude list: paths from the top, as byte names; no `..`, nothing absolute. */
export const excluded = (paths: readonly string[]): ReadonlySet<ByteName> =>
  new Set(
    paths.map((path) => {
      const trimmed = path.replace(/\/+$/, "");
      if (trimmed === "" || trimmed.split("/").some((part) => part === "" || part === "." || part === ".."))
        throw new Error(`${JSON.stringify(path)} is no path inside a working directory`);
      return toByteName(trimmed);
    }),
  );
