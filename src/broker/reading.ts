import { Failure } from "../domain/failure.ts";
import { isPlainPath } from "../domain/scope.ts";
import type { Desk } from "../ports/broker.ts";
import { workspaceOf } from "./confine.ts";
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
  };
}

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
