import { Failure } from "../../domain/failure.ts";
import type { CommitId, DeliveryOutlook, Identity } from "../../ports/workspaces.ts";
import { cloneObjects } from "./clone.ts";
import { setRefs, writeCommit } from "./commit.ts";
import { follow, type Holder, holders } from "./follow.ts";
import { changesBetween } from "./history.ts";
import { inTheWay } from "./in-the-way.ts";
import { dirtyPaths } from "./inspect.ts";
import { records, toByteName, toText } from "./names.ts";
import type { Person } from "./program.ts";
import { remembered } from "./remembered.ts";
import type { Git, GitCall } from "./run.ts";
import { asId, overFiles, refCall, resolveRef, type Source, withPersonsView, withView } from "./source.ts";

export const branchRef = (git: Git, branch: string): Promise<string> =>
  branchRefs(branch, async () => {
    const ref = `refs/heads/${branch}`;
    const answer = await git.run(["check-ref-format", ref], { gitDir: null, answers: [1] });
    if (answer.code !== 0 || branch.startsWith("-"))
      throw new Failure("input/invalid", `${JSON.stringify(branch)} is not a branch name`);
    return ref;
  });

const branchRefs = remembered<string>(1_000);

export const branchHeadOf = async (git: Git, source: Source, branch: string): Promise<CommitId | null> =>
  resolveRef(git, source, await branchRef(git, branch));

export async function outlookOf(
  git: Git,
  views: string,
  gitDir: string,
  source: Source,
  branch: string,
  base: CommitId,
  candidate: CommitId,
): Promise<DeliveryOutlook> {
  const head = await branchHeadOf(git, source, branch);
  // The branch may be at a commit that the private clone has never seen.
  const both: GitCall = { gitDir, alternates: [source.objects] };
  const relation = await relationOf(git, both, head, base, candidate);
  const [holder] = holders(source, branch);
  if (holder === undefined || head === null)
    return { branch, head, relation, checkedOut: holder !== undefined, dirtyTouched: [] };
  const changes = await changesBetween(git, both, relation === "moved" ? base : head, candidate);
  const touched = new Set(changes.map(({ path }) => path));
  const added = changes.flatMap(({ change, path }) => (change === "added" ? [toByteName(path)] : []));
  const dirtyTouched = await withView(views, holder, async (view) => {
    const dirty = await dirtyPaths(git, view.call, holder, head);
    const hidden = (await inTheWay(git, overFiles(view.call, holder), added)).map(toText);
    return [...new Set([...dirty.filter((path) => touched.has(path)), ...hidden])].sort();
  });
  return { branch, head, relation, checkedOut: true, dirtyTouched };
}

export async function standingIn(
  git: Git,
  gitDir: string,
  source: Source,
  branch: string,
  commit: CommitId,
): Promise<{ readonly at: CommitId | null; readonly holdsWork: boolean }> {
  const at = await branchHeadOf(git, source, branch);
  if (at === null || at === commit) return { at, holdsWork: at === commit };
  return { at, holdsWork: await isAncestor(git, { gitDir, alternates: [source.objects] }, commit, at) };
}

/** `at-base` also when a fast-forward gives exactly the candidate: its base may hold the person's uncommitted files. */
async function relationOf(
  git: Git,
  call: GitCall,
  head: CommitId | null,
  base: CommitId,
  candidate: CommitId,
): Promise<DeliveryOutlook["relation"]> {
  if (head === candidate) return "contains";
  if (head === null || head === base) return "at-base";
  if (await isAncestor(git, call, candidate, head)) return "contains";
  return (await isAncestor(git, call, head, candidate)) ? "at-base" : "moved";
}

const isAncestor = async (git: Git, call: GitCall, older: CommitId, newer: CommitId): Promise<boolean> =>
  (await git.run(["merge-base", "--is-ancestor", asId(older), asId(newer)], { ...call, answers: [1] })).code === 0;

export async function mergeOf(
  git: Git,
  gitDir: string,
  source: Source,
  branch: string,
  candidate: CommitId,
  message: string,
  author: Identity,
  atMs: number,
  owner: Person | null,
): Promise<
  | { readonly commit: CommitId; readonly tree: string; readonly onto: CommitId }
  | { readonly conflicts: readonly string[] }
> {
  const onto = await branchHeadOf(git, source, branch);
  if (onto === null) throw new Failure("delivery/refused", `branch ${branch} does not exist in ${source.root}`);
  await cloneObjects(git, source, gitDir, onto, owner);
  const call: GitCall = { gitDir };
  const common = await git.run(["merge-base", onto, asId(candidate)], { ...call, answers: [1] });
  if (common.code === 1)
    throw new Failure(
      "delivery/refused",
      `${branch} of ${source.root} has no commit in common with this work: its history was replaced, or it is another repository`,
      { next: "Put the repository back where it was, or deliver the work as a patch: --way patch" },
    );
  const answer = await git.run(
    ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", onto, asId(candidate)],
    { ...call, answers: [1] },
  );
  const [tree = "", ...conflicts] = records(answer.stdout);
  if (answer.code === 1) return { conflicts: [...new Set(conflicts.filter((path) => path !== "").map(toText))].sort() };
  const commit = await writeCommit(git, call, tree, [onto, candidate], message, author, atMs);
  await setRefs(git, call, [
    [`refs/agentos/onto/${onto}`, onto],
    [`refs/agentos/merge/${commit}`, commit],
  ]);
  await git.sync(gitDir);
  return { commit, tree, onto };
}

/**
 * Objects first, durable, then the refs. The pack goes through a git that reads none of the person's configuration and
 * writes as the repository's owner.
 */
export async function publish(
  git: Git,
  gitDir: string,
  source: Source,
  refs: readonly (readonly [string, CommitId])[],
): Promise<void> {
  for (const [ref] of refs) await git.run(["check-ref-format", ref], { gitDir: null });
  const lacking: CommitId[] = [];
  for (const [, commit] of refs) if (!(await hasWhole(git, source, asId(commit)))) lacking.push(commit);
  if (lacking.length > 0) {
    const theirs = await tipsOf(git, gitDir, source);
    const revisions = [...lacking, ...theirs.map((id) => `^${id}`)].map((each) => `${each}\n`).join("");
    // No search for similar objects: it costs more than the bytes it saves, and the person's own gc does it some day.
    const pack = await git.run(["pack-objects", "--revs", "--stdout", "-q", "--window=0"], {
      gitDir,
      alternates: [source.objects],
      input: revisions,
    });
    await withPersonsView(source, (view) =>
      git.run(["index-pack", "--stdin", "--fix-thin"], { ...view.call, input: pack.stdout }),
    );
  }
  await git.sync(source.objects);
  await setRefs(git, { ...refCall(source), as: source.person }, refs);
  await git.sync(source.commonDir);
}

/** Whether the person's repository has a commit with all it reaches, as far as its own refs do not vouch for it. */
const hasWhole = (git: Git, source: Source, commit: CommitId): Promise<boolean> =>
  withPersonsView(source, async (view) => {
    const call: GitCall = { ...view.call, answers: [128] };
    if ((await git.run(["cat-file", "-e", `${commit}^{commit}`], { ...call, answers: [1, 128] })).code !== 0)
      return false;
    const tips = [...new Set(await allTips(git, source))].map((id) => `^${id}\n`).join("");
    return (
      (
        await git.run(["rev-list", "--objects", "--quiet", "--ignore-missing", "--stdin"], {
          ...call,
          input: `${commit}\n${tips}`,
        })
      ).code === 0
    );
  });

async function allTips(git: Git, source: Source): Promise<string[]> {
  const listed = await git.run(
    ["for-each-ref", "--format=%(objectname)", "refs/heads", "refs/tags", "refs/agentos"],
    refCall(source),
  );
  return listed.stdout
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "");
}

/** What the pack can leave out: commits that both sides have. */
export async function tipsOf(git: Git, gitDir: string, source: Source): Promise<string[]> {
  const tips = [...new Set(await allTips(git, source))];
  const checked = await git.run(["cat-file", "--batch-check=%(objecttype) %(objectname)"], {
    gitDir,
    alternates: [source.objects],
    input: tips.map((tip) => `${tip}\n`).join(""),
  });
  return checked.stdout
    .toString("latin1")
    .split("\n")
    .filter((line) => /^(commit|tag) [0-9a-f]+$/.test(line))
    .map((line) => line.slice(line.indexOf(" ") + 1));
}

/**
 * Moves a branch and, where it is checked out, the files. In this order, so that a crash anywhere is finished by the same
 * call: lock the person's index; see that the files could follow; move the branch by compare-and-set; let the files
 * follow; put the new index in place, which frees the lock. When the branch is already at `to`, only what is missing is
 * done. Nothing is ever forced: what is not a fast-forward, and what would overwrite somebody's change, is refused.
 */
export async function moveBranchOf(
  git: Git,
  source: Source,
  branch: string,
  from: CommitId | null,
  to: CommitId,
  how: "go" | "try" = "go",
): Promise<{ readonly checkoutFollowed: boolean }> {
  const ref = await branchRef(git, branch);
  asId(to);
  if (from !== null) asId(from);
  const places = quietHolders(source, branch);

  return withPersonsView(source, async (view) => {
    if ((await git.run(["cat-file", "-e", `${to}^{commit}`], { ...view.call, answers: [1, 128] })).code !== 0)
      throw new Failure("delivery/refused", `commit ${to} is not in ${source.root}`, {
        next: "Publish it there first.",
      });
    const now = await resolveRef(git, source, ref);
    if (now !== to && now !== from) throw moved(branch, from, now);
    if (from !== null && !(await isAncestor(git, view.call, from, to)))
      throw new Failure(
        "delivery/refused",
        `${to} does not build on ${from}: moving ${branch} there would throw commits away`,
      );
    if (from === null && places.length > 0 && now === null)
      throw new Failure("delivery/refused", `${branch} is checked out in ${places[0]?.root} and has no commit yet`);

    const move = async (): Promise<void> => {
      if (now !== to) await compareAndSet(git, source, branch, from, to);
    };
    if (from === null || places.length === 0) {
      if (how === "try") return { checkoutFollowed: false };
      await move();
      await git.sync(source.commonDir);
      return { checkoutFollowed: false };
    }
    await follow(git, view.call, places, from, to, how === "try" ? null : move);
    await git.sync(source.commonDir);
    return { checkoutFollowed: true };
  });
}

/** The checkouts of a branch, none of them in the middle of something with it. */
export function quietHolders(source: Source, branch: string): Holder[] {
  const places = holders(source, branch);
  const busy = places.find(({ state }) => state !== "checked-out");
  if (busy !== undefined)
    throw new Failure("delivery/refused", `${busy.root} is in the middle of a ${busy.state} of ${branch}`, {
      next: "Finish or abort it there, or deliver to another branch.",
    });
  return places;
}

/** The branch itself, in one step of git's: from exactly this commit (null: it is not there) to that one (null: gone). */
export async function compareAndSet(
  git: Git,
  source: Source,
  branch: string,
  from: CommitId | null,
  to: CommitId | null,
): Promise<void> {
  const ref = await branchRef(git, branch);
  const none = "0".repeat((to ?? from ?? "").length);
  const change = to === null ? ["-d", ref, from ?? none] : [ref, to, from ?? none];
  const answer = await git.run(["update-ref", "-m", "agentos: deliver", ...change], {
    ...refCall(source),
    as: source.person,
    answers: [1, 128],
  });
  if (answer.code === 0) return;
  const now = await resolveRef(git, source, ref);
  if (now !== to) throw moved(branch, from, now);
}

export const moved = (branch: string, from: CommitId | null, now: CommitId | null): Failure =>
  new Failure(
    "delivery/refused",
    `${branch} is at ${now ?? "no commit"}, not at ${from ?? "no commit"}: somebody moved it meanwhile`,
    {
      next: "Deliver again: the merge is then built and proven on what is there now.",
    },
  );
