import { join } from "node:path";
import { movesOf } from "./delivered.ts";
import { git, line } from "./git.ts";
import type { Body, Event } from "./journal.ts";
import type { Report } from "./report.ts";

/**
 * A delivery of several repos moved all of their branches or none: by the journal at any instant, and, at rest, by the branches
 * themselves. One that stands half-way is in the journal as that, with where each branch is, and waits for a person.
 */
export function checkAllOrNone(
  task: string,
  events: readonly Event[],
  all: readonly Event[],
  { stopped }: { readonly stopped: boolean },
  { found, counted }: Report,
): void {
  const begun = events.filter(({ type, body }) => type === "STEP_STARTED" && body["act"].kind === "deliver_together");
  for (const [at, started] of begun.entries()) {
    counted("deliveries of several repos");
    const where = `task/${task} ${started.seq} ${started.body["step"]}`;
    const moves = movesOf(started.body["act"]);
    const after = events.filter(({ seq }) => seq > started.seq);
    const next = after.find(({ type }) => type === "STEP_STARTED")?.seq ?? Number.POSITIVE_INFINITY;
    const mine = after.filter(({ seq }) => seq < next);
    const has = (type: string): Event | undefined => mine.find((one) => one.type === type);
    const delivered = mine.flatMap(({ type, body }) => (type === "DELIVERED" ? [body["repos"] as Body] : []));
    const said = moves.filter(({ repo, to }) => delivered.some((repos) => repos[repo]?.to === to));
    if (has("STEP_COMPLETED") !== undefined && said.length < moves.length)
      found(
        "all or none",
        where,
        `is completed, and only ${said.length} of ${moves.length} repos are recorded as delivered`,
      );
    if (has("STEP_COMPLETED") === undefined && said.length > 0)
      found(
        "all or none",
        where,
        `is not completed, and ${said.map(({ repo }) => repo).join(", ")} is recorded as delivered`,
      );
    if (has("STEP_COMPLETED") !== undefined && has("DELIVERY_TURNED_BACK") !== undefined)
      found("all or none", where, "was turned back, and is completed all the same");
    if (!stopped || at < begun.length - 1) continue;

    const branches = moves.filter(({ way, from, to }) => way !== "patch" && from !== to);
    const there = branches.filter((move) => holdsWork(pathOf(move["repo"], events, all), move));
    const settled = has("OUTCOME_SETTLED") !== undefined;
    if (has("STEP_COMPLETED") !== undefined && there.length < branches.length)
      found("all or none", where, `is completed, and ${there.length} of ${branches.length} branches hold the work`);
    if (has("STEP_FAILED") !== undefined && !settled && there.length > 0)
      found("all or none", where, `failed, and ${there.map(({ repo }) => repo).join(", ")} holds the work`);
    const open = has("STEP_COMPLETED") === undefined && has("STEP_FAILED") === undefined;
    if (open && has("DELIVERY_TORN") === undefined)
      found(
        "all or none",
        where,
        `was left open with ${there.length} of ${branches.length} branches moved, and nobody is told`,
      );
  }
}

/** Whether the branch is at the delivered commit or builds on it. */
const holdsWork = (path: string, { branch, to }: Body): boolean =>
  git(join(path, ".git"), ["merge-base", "--is-ancestor", to, `refs/heads/${branch}`]).ok &&
  line(git(join(path, ".git"), ["rev-parse", `refs/heads/${branch}`])) !== "";

function pathOf(repo: string, events: readonly Event[], all: readonly Event[]): string {
  const project = events.find(({ type }) => type === "BOUND")?.body["project"];
  const known = all.findLast(
    ({ stream, type, body }) =>
      stream === `project/${project}` && (type === "REPO_ADDED" || type === "REPO_CHANGED") && body["name"] === repo,
  );
  return String(known?.body["path"]);
}
