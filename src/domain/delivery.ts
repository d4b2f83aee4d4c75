/** How one repo of a delivery changes: which branch goes from which commit to which. A patch moves no branch. */
export interface Move {
  readonly repo: string;
  readonly way: "merge" | "branch" | "patch" | "push";
  readonly branch: string;
  /** Null: the branch is made. The same as `to`: the work is there already, and nothing moves. */
  readonly from: string | null;
  readonly to: string;
  readonly tree: string;
}

/**
 * Where the branch of a move was found.
 *
 * - `before`: where it was when the delivery was decided
 * - `arrived`: at the delivered commit
 * - `beyond`: somebody built on the delivered commit
 * - `elsewhere`: somebody took it to a commit without the delivered one
 * - `unreadable`: git could not be asked
 */
export interface Standing {
  readonly repo: string;
  readonly branch: string;
  readonly from: string | null;
  readonly to: string;
  readonly at: string | null;
  readonly is: "before" | "arrived" | "beyond" | "elsewhere" | "unreadable";
}

/** A move that takes a branch somewhere. */
export const moves = ({ way, from, to }: Move): boolean => way !== "patch" && from !== to;

export function standingOf(
  { repo, branch, from, to }: Move,
  found: { readonly at: string | null; readonly holdsWork: boolean } | null,
): Standing {
  const place = { repo, branch, from, to, at: found?.at ?? null };
  if (found === null) return { ...place, is: "unreadable" };
  if (found.at === to) return { ...place, is: "arrived" };
  if (found.at === from) return { ...place, is: "before" };
  return { ...place, is: found.holdsWork ? "beyond" : "elsewhere" };
}

/**
 * What can be done so that all branches of one delivery have moved, or none.
 *
 * Forward, while no branch was taken elsewhere. Else back: branches that arrived return to where they were, which leaves nobody's work
 * behind, because nobody built on them. `none` has moved: nothing is to be done. Where somebody built on one branch and took another
 * elsewhere, or git cannot be asked, neither is possible without undoing a person's act: `torn`, and a person decides.
 */
export type Course = "forward" | "back" | "none" | "torn";

export function course(standings: readonly Standing[], turnedBack: boolean): Course {
  const has = (is: Standing["is"]): boolean => standings.some((one) => one.is === is);
  if (has("unreadable")) return "torn";
  if (!turnedBack && !has("elsewhere")) return "forward";
  if (has("beyond")) return "torn";
  return has("arrived") ? "back" : "none";
}

/** Whether two looks found the same. */
export const sameStandings = (a: readonly Standing[], b: readonly Standing[]): boolean =>
  a.length === b.length && a.every((one, n) => one.repo === b[n]?.repo && one.is === b[n].is && one.at === b[n].at);

/** Each branch with where it is, for people. */
export const standingText = (standings: readonly Standing[]): string =>
  standings.map((one) => `${one.branch} of ${one.repo} ${FOUND[one.is](one)}`).join("; ");

const short = (commit: string | null): string => commit?.slice(0, 12) ?? "no commit";

const FOUND: Readonly<Record<Standing["is"], (one: Standing) => string>> = {
  before: ({ at }) => `is where it was (${short(at)})`,
  arrived: ({ to }) => `is at the delivered ${short(to)}`,
  beyond: ({ at, to }) => `has gone on from the delivered ${short(to)} to ${short(at)}`,
  elsewhere: ({ at, from }) => `was taken to ${short(at)} by somebody else (it was ${short(from)})`,
  unreadable: ({ to }) => `cannot be read (${short(to)} was to be delivered)`,
};
