import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Places } from "../places.ts";
import { filesOf, git, line } from "./git.ts";
import type { Body, Event } from "./journal.ts";
import { linesOf } from "./lines.ts";
import type { Report } from "./report.ts";
import { type Listing, listingOf, unexplainedChanges } from "./repository.ts";

interface Known {
  readonly label: string;
  /** Its name in the project; not said: app. */
  readonly repo?: string;
  readonly repository: string;
  readonly before: Listing;
}

/** Each person's repository as it is now: as it was, but for a delivery that the journal knows, and then exactly that. */
export function checkRepositories(places: Places, events: readonly Event[], { found, counted }: Report): void {
  const known = new Map(linesOf<Known>(places.repositories).map((one) => [`${one.label} ${one.repo ?? "app"}`, one]));
  for (const { label, repo = "app", repository, before } of known.values()) {
    counted("repositories");
    const created = events.findLast(
      ({ type, body, stream }) =>
        type === "CREATED" &&
        body["session"] === label &&
        events.some((one) => one.stream === stream && one.type === "BOUND"),
    );
    const mine = events.filter(({ stream }) => stream === created?.stream);
    const deliveries = mine.flatMap(({ type, body }) =>
      type === "DELIVERED" && body["repos"][repo] !== undefined ? [body["repos"][repo] as Body] : [],
    );
    // One that finds its work there already moves nothing, and says so by going from a commit to the same commit.
    const delivered = deliveries.findLast((one) => one["from"] !== one["to"]) ?? deliveries.at(-1);
    const where = `${label}${created === undefined ? "" : ` (${created.stream})`}`;
    const gitDir = join(repository, ".git");
    const changes =
      delivered === undefined ? goneAndBack(mine, repo) : touchedBy(gitDir, before, delivered, mine, repo);
    for (const change of unexplainedChanges(before, listingOf(repository), changes)) found("repository", where, change);
    if (delivered !== undefined) checkArrived(repository, gitDir, delivered, where, found);
  }
}

/** What a delivery may change: the branch and its log, the index, and the files that differ between its two ends. */
function touchedBy(
  gitDir: string,
  before: Listing,
  delivered: Body,
  events: readonly Event[],
  repo: string,
): { readonly changed: (path: string) => boolean } {
  const from =
    delivered["from"] === delivered["to"]
      ? events
          .flatMap(({ type, body }) => (type === "STEP_STARTED" ? movesOf(body["act"]) : []))
          .find((one) => one["repo"] === repo)?.["from"]
      : delivered["from"];
  const touched = new Set(
    git(gitDir, ["diff-tree", "-r", "--name-only", "-z", "--no-renames", from ?? "", delivered["to"]])
      .out.toString("utf8")
      .split("\0"),
  );
  const directories = new Set(
    [...touched].flatMap((path) =>
      path
        .split("/")
        .slice(0, -1)
        .map((_, at, parts) => `${parts.slice(0, at + 1).join("/")}/`),
    ),
  );
  const names = new Set([
    `.git/refs/heads/${delivered["branch"]}`,
    `.git/logs/refs/heads/${delivered["branch"]}`,
    ".git/logs/HEAD",
    ".git/index",
    ".git/refs/agentos/",
  ]);
  return {
    changed: (path) => names.has(path) || touched.has(path) || (directories.has(path) && before[path] === undefined),
  };
}

/** Each branch that a step takes somewhere. */
export const movesOf = (act: Body): readonly Body[] =>
  act["kind"] === "deliver" ? [act] : act["kind"] === "deliver_together" ? act["moves"] : [];

/** A branch that was taken back is where it was, and so are its files; the way there and back stands in its logs, and its index was written. */
function goneAndBack(events: readonly Event[], repo: string): { readonly changed: (path: string) => boolean } | null {
  const tried = events
    .flatMap(({ type, body }) => (type === "STEP_STARTED" ? movesOf(body["act"]) : []))
    .find((one) => one["repo"] === repo);
  if (tried === undefined) return null;
  const names = new Set([
    `.git/logs/refs/heads/${tried["branch"]}`,
    ".git/logs/HEAD",
    ".git/index",
    ".git/refs/agentos/",
  ]);
  return { changed: (path) => names.has(path) };
}

function checkArrived(
  repository: string,
  gitDir: string,
  delivered: Body,
  where: string,
  found: Report["found"],
): void {
  const head = line(git(gitDir, ["rev-parse", `refs/heads/${delivered["branch"]}`]));
  if (head !== delivered["to"])
    found("repository", where, `${delivered["branch"]} is at ${head}, delivered was ${delivered["to"]}`);
  if (line(git(gitDir, ["rev-parse", `${delivered["to"]}^{tree}`])) !== delivered["tree"])
    found("repository", where, `${delivered["to"]} does not have the delivered tree ${delivered["tree"]}`);
  if (!git(gitDir, ["fsck", "--connectivity-only", "--no-dangling"]).ok)
    found("repository", where, "git fsck finds it broken");
  const staged = git(gitDir, ["diff-index", "--cached", "--name-only", delivered["to"]], null, repository);
  if (!staged.ok || staged.out.length > 0)
    found("repository", where, `its index is not at ${delivered["to"]}: ${line(staged)}${staged.err}`);
  for (const [path, blob] of filesOf(gitDir, delivered["to"])) {
    const content = git(gitDir, ["cat-file", "blob", blob]).out;
    let there: Buffer | null = null;
    try {
      there = readFileSync(join(repository, path));
    } catch {
      // Said below: it is not there.
    }
    if (there === null || !there.equals(content))
      found("repository", where, `${path} of the checkout is not what was delivered`);
  }
}
