import { Failure } from "../domain/failure.ts";
import type { Desk } from "../ports/broker.ts";
import type { Candidate, Identity } from "../ports/workspaces.ts";
import { workspaceOf } from "./confine.ts";
import { type BrokerDependencies, type Pass, plainly } from "./deps.ts";

/** The commit that gates, evidence and delivery speak of. Without a change it is the base commit itself. */
export async function makeCandidate(
  deps: BrokerDependencies,
  desk: Desk,
  pass: Pass,
  {
    repo,
    message,
    author,
    exclude,
  }: {
    readonly repo: string;
    readonly message: string;
    readonly author: Identity;
    readonly exclude: readonly string[];
  },
): Promise<Candidate & { readonly baseTree: string }> {
  const base = desk.bases[repo];
  if (base === undefined) throw new Failure("repo/not-found", `the task has no base commit of ${repo}`);
  return (await pass(
    { candidate: { repo, base, message, author, exclude } },
    plainly({ kind: "candidate", repo, base }),
    async () => {
      const made = await deps.workspaces.candidate(
        workspaceOf(desk, repo),
        base,
        message,
        author,
        deps.clock.nowMs(),
        exclude,
      );
      const baseTree = await deps.workspaces.treeOf(workspaceOf(desk, repo), base);
      const commit = made.tree === baseTree ? base : made.commit;
      return {
        evidence: [{ kind: "commit", repo, commit, tree: made.tree }],
        touched: [],
        result: { ...made, commit, baseTree },
        failed: null,
        blobs: [],
      };
    },
  )) as Candidate & { readonly baseTree: string };
}
