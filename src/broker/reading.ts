import { checkWords } from "../domain/command-words.ts";
import { Failure } from "../domain/failure.ts";
import { isPlainPath } from "../domain/scope.ts";
import type { Found } from "../ports/agent.ts";
import type { Desk } from "../ports/broker.ts";
import { confine, workspaceMounts, workspaceOf } from "./confine.ts";
import { type BrokerDependencies, type Pass, plainly } from "./deps.ts";

const READ_BYTES_MAX = 1024 ** 2;
const LIST_MOST = 5_000;

/** Reads are steps too: what an agent was told is recorded, so that it is told the same after a crash. */
export function readCapabilities(deps: BrokerDependencies, desk: Desk, pass: Pass) {
  return {
    async read(repo: string, path: string): Promise<string | null> {
      refuseOddPath(path);
      return (await pass(
        { read: { repo, path } },
        plainly({ kind: "read", repo, what: "file", target: [path] }),
        async () => {
          const bytes = await deps.workspaces.readFile(workspaceOf(desk, repo), path, READ_BYTES_MAX);
          const before = bytes === null ? null : deps.digest(bytes);
          return {
            evidence: [{ kind: "file", repo, path, before, after: before }],
            touched: [],
            result: bytes === null ? null : textOf(path, bytes),
            failed: null,
            blobs: [],
          };
        },
      )) as string | null;
    },
    async list(repo: string, prefix: string): Promise<readonly string[]> {
      if (prefix !== "") refuseOddPath(prefix);
      return (await pass(
        { list: { repo, prefix } },
        plainly({ kind: "read", repo, what: "list", target: [prefix] }),
        async () => ({
          evidence: [],
          touched: [],
          result: await deps.workspaces.listFiles(workspaceOf(desk, repo), prefix, LIST_MOST),
          failed: null,
          blobs: [],
        }),
      )) as readonly string[];
    },
    async search(repo: string, text: string, prefix: string): Promise<Found> {
      if (prefix !== "") refuseOddPath(prefix);
      if (text === "") throw new Failure("input/invalid", "nothing to search for");
      const argv = ["/bin/sh", "-c", SEARCH, "search", text, prefix === "" ? "." : prefix];
      checkWords(argv);
      return (await pass(
        { search: { repo, text, prefix } },
        plainly({ kind: "read", repo, what: "command", target: argv }),
        async (run) => {
          const ran = await confine(deps, desk, run, {
            repo,
            argv,
            cwd: ".",
            mounts: workspaceMounts(deps, desk, "read"),
            scratches: [],
            environment: {},
            network: [],
            timeoutMs: Math.min(SEARCH_MS, desk.spec.limits.stepMs),
          });
          const lines = ran.told.stdout.split("\n").filter((line) => line !== "");
          const result: Found = { lines: lines.slice(0, FOUND_MOST), more: lines.length > FOUND_MOST };
          return { evidence: ran.evidence, touched: [], result, failed: null, blobs: ran.blobs };
        },
      )) as Found;
    },
  };
}

const FOUND_MOST = 100;
const SEARCH_MS = 30_000;
/** Inside the sandbox, on read-only mounts: what is searched for and where are arguments, never text for the shell. */
const SEARCH = `grep -rnIF --exclude-dir=.git --exclude-dir=node_modules -e "$1" -- "$2" | cut -c 1-300 | head -n ${FOUND_MOST + 1}`;

export function refuseOddPath(path: string): void {
  if (!isPlainPath(path))
    throw new Failure("act/denied", `${JSON.stringify(path)} is no plain path inside the workspace`);
}

/** Text as it stands, its byte order mark included: what is written back must not differ where nobody changed it. */
function textOf(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Failure("agent/failed", `${path} is no UTF-8 text`, { cause, next: "Change it by a command instead." });
  }
}
