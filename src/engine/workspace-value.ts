import type { Spec } from "../domain/spec.ts";

/** Directories of a repo that hold mounted dependency layers: not part of the workspace's value. The same for a task's whole life. */
export const excludedPaths = (spec: Spec, repo: string): readonly string[] =>
  spec.prepare.filter((definition) => definition.repo === repo).flatMap((definition) => definition.outputs);
