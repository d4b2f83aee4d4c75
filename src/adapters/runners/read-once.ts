import type { RepoFiles } from "../../ports/runners.ts";

/** The same files, each asked for once: behind each question a git is started. */
export function readOnce(files: RepoFiles): RepoFiles {
  const texts = new Map<string, Promise<string | null>>();
  const lists = new Map<string, Promise<readonly string[]>>();
  return {
    text: (path) => kept(texts, path, () => files.text(path)),
    paths: (prefix = "", most) => kept(lists, `${most ?? ""} ${prefix}`, () => files.paths(prefix, most)),
  };
}

function kept<T>(known: Map<string, T>, key: string, ask: () => T): T {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}
