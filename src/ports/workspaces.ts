/** Hex id of a git commit. */
export type CommitId = string;
/** Hex id of a git tree that names the whole content of a workspace: files, modes, empty directories, nested `.git`. */
export type TreeId = string;

/** A task's own clone of one repo. `task` and `repo` are used in full in every path. */
export interface CloneRef {
  readonly task: string;
  /** The repo's name in its project: a slug. */
  readonly repo: string;
}

/** One working directory of a clone; a new claim that cannot prove the old owner dead works in a new epoch's directory. */
export interface WorkspaceRef extends CloneRef {
  readonly epoch: number;
}

export interface RepoState {
  /** Real path of the repository's top directory. */
  readonly root: string;
  /** Where the path that was asked for lies below it; "" for the top itself. */
  readonly below: string;
  readonly head: CommitId | null;
  /** Checked-out branch, null when HEAD is detached. */
  readonly branch: string | null;
  /** Paths the person changed and did not commit, untracked ones included, ignored ones not. */
  readonly dirty: readonly string[];
  /** Why it cannot be worked on, in sentences that say what to do; empty when it can. */
  readonly unsupported: readonly string[];
}

export interface ChangedPath {
  readonly path: string;
  readonly change: "added" | "modified" | "deleted" | "type";
  readonly linesAdded: number | null;
  readonly linesRemoved: number | null;
}

export interface ChangedText extends ChangedPath {
  /** It is among those that were looked into. */
  readonly read: boolean;
  /** Text on that side; null: none there, no regular file, or too large. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface Candidate {
  readonly commit: CommitId;
  /** Git tree of the commit: what gates, evidence and delivery speak of. */
  readonly tree: string;
  readonly changed: readonly ChangedPath[];
  /** Paths git cannot take into a commit as plain files (nested repositories, sockets), each with the reason. */
  readonly leftOut: readonly { readonly path: string; readonly reason: string }[];
}

export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** How a person wants work delivered; a remote repository is pushed to instead, unless a patch is wanted. */
export type DeliveryWay = "merge" | "branch" | "patch";

/** What the target of a delivery looks like before anything moves. */
export interface DeliveryOutlook {
  readonly branch: string;
  readonly head: CommitId | null;
  /** `moved`: the branch is no longer at the base; a merge commit must be built and proven first. */
  readonly relation: "at-base" | "moved" | "contains";
  readonly checkedOut: boolean;
  /** Files of the delivery that are dirty in the person's checkout of that branch, and those git does not know where new ones would come. */
  readonly dirtyTouched: readonly string[];
}

/** What a branch has gained since a commit. */
export interface Moved {
  /** Null: there is no such branch (any more). */
  readonly head: CommitId | null;
  /** How many commits it has that neither the base nor the work has. */
  readonly commits: number;
  /** Paths in which both changed the same lines, sorted. */
  readonly conflicts: readonly string[];
}

export interface ProbeAnswer {
  readonly ok: boolean;
  /** Of the failure, when it is not. */
  readonly code: string | null;
  /** What was shown, or what stood in the way; one sentence without its full stop. */
  readonly says: string;
  readonly next: string | null;
}

/** Whether a repository can be read and written, tried without changing it. */
export interface Probe {
  readonly kind: "local" | "remote";
  readonly read: ProbeAnswer;
  readonly write: ProbeAnswer;
  readonly branch: string | null;
  /** Of its objects here, on disk; null: nothing of it was ever fetched. */
  readonly bytes: number | null;
  /** How credentials were found, in words; never what they are. */
  readonly credentials: string;
  /** What stands in the way of tasks: LFS, submodules, a cut-off history. */
  readonly notes: readonly string[];
}

export interface MirrorUse {
  readonly url: string;
  readonly bytes: number;
  /** How many rescued states it holds. */
  readonly rescues: number;
}

export interface WorkspaceUse {
  readonly task: string;
  readonly bytes: number;
  readonly epochs: readonly number[];
}

/**
 * Contract.
 * - Where a method takes a person's repository (`source`, `place`), that is an absolute path or the url of a remote one. A remote one is
 *   mirrored in the data directory; `inspect`, `outlook`, `standing` and `branchHead` ask it, only `moveBranch` changes it, and what goes
 *   wrong on the way is a `Failure("remote/…")`.
 * - The person's repository is only read; there nothing but `refs/agentos/*` changes, except in `moveBranch` and `takeBack`.
 * - Every git call is hardened: explicit private git directory and index, no hooks, no fsmonitor, no external diff, no
 *   textconv, no filter driver, no inherited GIT_* or user/system configuration, no prompt.
 * - `snapshot` and `restore` are inverse: after `restore(w, t)` a `snapshot(w)` is `t` again, byte for byte, whatever
 *   lay there before; what restoring removes is kept under `refs/agentos/rescue/*` of the private clone first.
 * - An id returned by `snapshot`, `candidate`, `adopt` or `mergeWith` is durable (objects synced) before it is returned.
 * - Reads of agent-made files follow no links, take regular files only and have a size cap.
 */
export interface Workspaces {
  /**
   * Facts of a local path that is (inside) a git repository, or of the url of a remote one, which is asked. Not one:
   * `Failure("repo/refused")`. `branch`: of a remote one, the branch that counts, null its default; a local one has one checked out.
   */
  inspect(place: string, branch?: string | null): Promise<RepoState>;
  /** Changes nothing anywhere; a remote one is mirrored. `branch` as for `inspect`. */
  probe(place: string, branch: string | null): Promise<Probe>;
  /**
   * A file of a commit as text, null when there is none there (or it is no regular file). One larger than `bytesMax` (64 MiB) is not taken
   * for absent: `Failure("repo/unsupported")`.
   */
  fileAt(source: string, commit: CommitId, path: string, bytesMax?: number): Promise<string | null>;
  /** Paths of a commit below `prefix` (default all), sorted, at most `most`. */
  pathsAt(source: string, commit: CommitId, prefix?: string, most?: number): Promise<readonly string[]>;

  /**
   * Makes the private clone (again: finds it). Returns the base commit: `base`, or, with `includeDirty`, a commit on top of
   * it that holds the person's uncommitted files. Idempotent for the same arguments: under one `label` (default `1`; lower-case
   * letters and digits) the uncommitted files are captured once.
   */
  adopt(clone: CloneRef, source: string, base: CommitId, includeDirty: boolean, label?: string): Promise<CommitId>;
  /** A fresh working directory of that commit; whatever stood at that epoch is removed first (after a rescue). */
  checkout(workspace: WorkspaceRef, commit: CommitId): Promise<TreeId>;
  /** Hands the working directory of an earlier epoch, whose owner is known dead or gone, to a new one (a rename). */
  handOver(from: WorkspaceRef, toEpoch: number): Promise<void>;
  exists(workspace: WorkspaceRef): Promise<boolean>;
  /** Host path of the working directory. */
  path(workspace: WorkspaceRef): string;
  /** Host directory of the private clone's objects: to be mounted read-only at `objectsInside(clone)`, never writable. */
  objectsPath(clone: CloneRef): string;
  /** Where the working directory's scratch `.git` expects those objects inside a sandbox. */
  objectsInside(clone: CloneRef): string;

  /** `exclude`: top-level-relative paths that are mounted layers or declared caches; they are not part of the value. */
  snapshot(workspace: WorkspaceRef, exclude: readonly string[]): Promise<TreeId>;
  restore(
    workspace: WorkspaceRef,
    tree: TreeId,
    exclude: readonly string[],
  ): Promise<{ readonly rescued: string | null }>;
  /** Whether all objects of the tree are there and whole. */
  verifyTree(clone: CloneRef, tree: TreeId): Promise<boolean>;

  /** Text of a file in the working directory, null when absent. Not a regular file, a link on the way, too large: `act/denied`. */
  readFile(workspace: WorkspaceRef, path: string, bytesMax: number): Promise<Uint8Array | null>;
  /** Writes (or, with null, deletes) one file; makes directories; never through a link; keeps an existing file's mode. */
  writeFile(workspace: WorkspaceRef, path: string, content: Uint8Array | null, executable?: boolean): Promise<void>;
  listFiles(workspace: WorkspaceRef, prefix: string, most: number): Promise<readonly string[]>;

  /** What git would commit of the working directory on top of `base` (ignore rules of the repository itself). */
  candidate(
    workspace: WorkspaceRef,
    base: CommitId,
    message: string,
    author: Identity,
    atMs: number,
    exclude: readonly string[],
  ): Promise<Candidate>;
  /** A fresh checkout of exactly that commit in a directory of its own, for gates. */
  gateCheckout(
    workspace: WorkspaceRef,
    commit: CommitId,
    name: string,
  ): Promise<{ readonly path: string; readonly tree: string }>;
  dropGateCheckout(workspace: WorkspaceRef, name: string): Promise<void>;
  treeOf(clone: CloneRef, commit: CommitId): Promise<string>;
  /** Unified diff between two commits, capped; binary files as one line. */
  diff(clone: CloneRef, from: CommitId, to: CommitId, bytesMax: number): Promise<string>;
  changes(clone: CloneRef, from: CommitId, to: CommitId): Promise<readonly ChangedPath[]>;
  /** SHA-256 per path of a commit's files; null where absent. */
  digestsAt(
    clone: CloneRef,
    commit: CommitId,
    paths: readonly string[],
  ): Promise<Readonly<Record<string, string | null>>>;

  /** The same of a commit of the clone. */
  textAt(clone: CloneRef, commit: CommitId, path: string, bytesMax?: number): Promise<string | null>;
  /** `changes`, with the texts of both sides: of the first `most` paths, of regular files of at most `bytesMax`. */
  changedTexts(
    clone: CloneRef,
    from: CommitId,
    to: CommitId,
    most: number,
    bytesMax: number,
  ): Promise<readonly ChangedText[]>;
  /**
   * A commit like `commit` in which these paths are as `base` has them, or are not there where it has none: the same arguments give the
   * same commit. Durable before it is returned.
   */
  withPathsOf(
    clone: CloneRef,
    commit: CommitId,
    base: CommitId,
    paths: readonly string[],
  ): Promise<{ readonly commit: CommitId; readonly tree: string }>;
  /** Paths that differ between two workspace trees, sorted; nothing of a scratch or nested `.git`. */
  treeChanges(clone: CloneRef, from: TreeId, to: TreeId): Promise<readonly string[]>;

  outlook(
    clone: CloneRef,
    source: string,
    branch: string,
    base: CommitId,
    candidate: CommitId,
  ): Promise<DeliveryOutlook>;
  /** What the target has gained since the base, and whether the candidate (null: none yet) would merge with it. */
  movedSince(
    clone: CloneRef,
    source: string,
    branch: string,
    base: CommitId,
    candidate: CommitId | null,
  ): Promise<Moved>;
  /** Merge commit of candidate and the target's head, built in the private clone; conflicts: their paths. */
  mergeWith(
    clone: CloneRef,
    source: string,
    branch: string,
    candidate: CommitId,
    message: string,
    author: Identity,
    atMs: number,
  ): Promise<
    | { readonly commit: CommitId; readonly tree: string; readonly onto: CommitId }
    | { readonly conflicts: readonly string[] }
  >;
  /** Puts the commit's objects and `refs/agentos/<name>` into the person's repository. */
  publishRef(clone: CloneRef, source: string, commit: CommitId, name: string): Promise<void>;
  /**
   * Moves (or creates, `from: null`) a branch of the person's repository by compare-and-set; where it is checked out and none
   * of the touched files is dirty, the checkout follows. Moved meanwhile: `Failure("delivery/refused")`.
   */
  moveBranch(
    source: string,
    branch: string,
    from: CommitId | null,
    to: CommitId,
  ): Promise<{ readonly checkoutFollowed: boolean }>;
  /** All that `moveBranch` would refuse, refused now, without moving anything. The commit is published before. */
  tryMove(source: string, branch: string, from: CommitId | null, to: CommitId): Promise<void>;
  /**
   * Takes a branch that `moveBranch` moved from one commit to another back, by compare-and-set, and its checkouts with it. Only from
   * exactly `to`: where somebody built on it or took it elsewhere, and where files of it are dirty, `Failure("delivery/refused")`.
   * Repeating it finishes what a crash left. With `only: "try"` it refuses what it would refuse, and the branch stays.
   */
  takeBack(source: string, branch: string, from: CommitId | null, to: CommitId, only?: "go" | "try"): Promise<void>;
  /** Frees the checkouts of a branch of what a dead call of `moveBranch` or `takeBack` left locked there. */
  freeLocks(source: string, branch: string): Promise<void>;
  /** Where a branch is, and whether the commit is part of it. */
  standing(
    clone: CloneRef,
    source: string,
    branch: string,
    commit: CommitId,
  ): Promise<{ readonly at: CommitId | null; readonly holdsWork: boolean }>;
  /** `git format-patch`-like text of base..commit. */
  patch(clone: CloneRef, base: CommitId, commit: CommitId): Promise<string>;
  branchHead(source: string, branch: string): Promise<CommitId | null>;

  /**
   * Makes refs of the private clone name exactly these trees and commits, beside those of its other methods, so that git keeps their
   * objects. One that is not there: `Failure("store/corrupt")`.
   */
  keep(clone: CloneRef, ids: readonly string[]): Promise<void>;
  use(): Promise<readonly WorkspaceUse[]>;
  /** What lies beside the tasks: mirrors of remote repositories, and bundles of what was rescued. */
  asideUse(): Promise<{ readonly mirrors: readonly MirrorUse[]; readonly rescuedBytes: number }>;
  /** Packs the loose objects of a task's clones when there are many; removes nothing. */
  repack(task: string): Promise<void>;
  /** Removes the mirror of a remote repository; one that holds rescued states: `Failure("repo/refused")`. */
  removeMirror(url: string): Promise<void>;
  /** Captures what is not in git as `refs/agentos/rescue/<task>/…` in the person's repository, then removes all of the task's directories. */
  remove(
    task: string,
    sources: Readonly<Record<string, string>>,
  ): Promise<{ readonly rescued: readonly string[]; readonly bytes: number }>;
}
