import { spawnSync } from "node:child_process";

export interface Answer {
  readonly ok: boolean;
  readonly out: Buffer;
  readonly err: string;
}

/** The git program, without anybody's settings and without writing anything. */
export function git(
  gitDir: string,
  args: readonly string[],
  input: string | null = null,
  workTree: string | null = null,
): Answer {
  const { status, stdout, stderr } = spawnSync(
    "git",
    [`--git-dir=${gitDir}`, ...(workTree === null ? [] : [`--work-tree=${workTree}`]), ...args],
    {
      input: input ?? "",
      maxBuffer: 256 * 1024 ** 2,
      env: {
        PATH: "/usr/bin:/bin",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_OPTIONAL_LOCKS: "0",
        LC_ALL: "C",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "safe.directory",
        GIT_CONFIG_VALUE_0: "*",
      },
    },
  );
  return { ok: status === 0, out: stdout, err: stderr.toString("utf8").trim() };
}

export const line = (answer: Answer): string => answer.out.toString("utf8").trim();

/** The objects of these names (`id` or `tree:path`), null for what is not there. */
export function objects(
  gitDir: string,
  names: readonly string[],
): ReadonlyMap<string, { readonly id: string; readonly type: string; readonly content: Buffer } | null> {
  const wanted = [...new Set(names)];
  const found = new Map<string, { id: string; type: string; content: Buffer } | null>(
    wanted.map((name) => [name, null]),
  );
  const { out } = git(gitDir, ["cat-file", "--batch"], wanted.map((name) => `${name}\n`).join(""));
  let at = 0;
  for (const name of wanted) {
    const end = out.indexOf(0x0a, at);
    if (end < 0) break;
    const head = out.subarray(at, end).toString("utf8");
    const [, id, type, bytes] = /^([0-9a-f]+) (\w+) (\d+)$/.exec(head) ?? [];
    at = end + 1;
    if (id === undefined || type === undefined || bytes === undefined) continue;
    found.set(name, { id, type, content: out.subarray(at, at + Number(bytes)) });
    at += Number(bytes) + 1;
  }
  return found;
}

/** Every file of a tree with its blob: path → id. */
export function filesOf(gitDir: string, tree: string): ReadonlyMap<string, string> {
  const listed = git(gitDir, ["ls-tree", "-r", "-z", "--full-tree", tree]);
  return new Map(
    listed.out
      .toString("utf8")
      .split("\0")
      .filter((record) => record !== "")
      .map((record) => [record.slice(record.indexOf("\t") + 1), record.split(/[ \t]/)[2] ?? ""] as const),
  );
}
