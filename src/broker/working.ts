import { checkWords } from "../domain/command-words.ts";
import type { Evidence } from "../domain/evidence.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { placeIn } from "../domain/spec.ts";
import type { CommandResult, WorkCapabilities } from "../ports/agent.ts";
import type { Desk } from "../ports/broker.ts";
import { allLayers, confine, failureMount, workspaceMounts, workspaceOf, writableRepos } from "./confine.ts";
import { type BrokerDependencies, type Pass, plainly } from "./deps.ts";
import { inputMounts } from "./inputs.ts";
import { readCapabilities, refuseOddPath } from "./reading.ts";
import { talkCapabilities } from "./talking.ts";
import { toolCapabilities } from "./tools.ts";
import { turnCapabilities } from "./turn.ts";

const READ_BACK_BYTES_MAX = 64 * 1024 ** 2;
const ARTIFACT_BYTES_MAX = 16 * 1024 ** 2;

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  json: "application/json",
  md: "text/markdown",
  txt: "text/plain",
  log: "text/plain",
  csv: "text/csv",
  xml: "application/xml",
  html: "text/html",
  patch: "text/x-diff",
};
const mediaTypeOf = (name: string): string => {
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return (Object.hasOwn(MEDIA_TYPES, ending) ? MEDIA_TYPES[ending] : undefined) ?? "application/octet-stream";
};

/** Edit and run inside the workspace, for one approved work item. */
export function workCapabilities(deps: BrokerDependencies, desk: Desk, pass: Pass): WorkCapabilities {
  const item = desk.item?.id ?? null;
  const edit = async (
    repo: string,
    path: string,
    content: Uint8Array | null,
    executable: boolean | null,
  ): Promise<void> => {
    refuseOddPath(path);
    const workspace = workspaceOf(desk, repo);
    const digestNow = async (): Promise<string | null> => {
      const bytes = await deps.workspaces.readFile(workspace, path, READ_BACK_BYTES_MAX);
      return bytes === null ? null : deps.digest(bytes);
    };
    const after = content === null ? null : deps.digest(content);
    let before: string | null = null;
    await pass(
      { edit: { item, repo, path, after, executable } },
      async () => {
        try {
          before = await digestNow();
        } catch (error) {
          // Recorded as the end of this step: told again, it must not depend on what lies in that place by then.
          if (!isFailure(error, "act/denied")) throw error;
          const act = `${content === null ? "remove" : "write"} ${path} in ${repo}`;
          return { refused: { act, rule: "workspace/path", reason: error.message } };
        }
        const staged = content === null ? null : await deps.blobs.stage(content);
        return {
          act: { kind: "edit", repo, path, before, after, content: staged?.ref ?? null, executable },
          blobs: staged === null ? [] : [staged],
        };
      },
      async () => {
        await deps.workspaces.writeFile(workspace, path, content, ...(executable === null ? [] : [executable]));
        const found = await digestNow();
        if (found !== after)
          throw new Error(`${path} has ${found ?? "no content"} after writing ${after ?? "nothing"}`);
        return {
          evidence: [{ kind: "file", repo, path, before, after }],
          touched: [repo],
          result: null,
          failed: null,
          blobs: [],
        };
      },
    );
  };

  return {
    spec: desk.spec,
    attempt: desk.attempt,
    lastFailure: desk.lastFailure,
    ...readCapabilities(deps, desk, pass),
    ...turnCapabilities(deps, desk, pass),
    ...talkCapabilities(deps, desk, pass),
    ...toolCapabilities(deps, desk, pass),
    write: (repo, path, content, executable) => edit(repo, path, new TextEncoder().encode(content), executable),
    remove: (repo, path) => edit(repo, path, null, null),
    async keep(repo, path, name) {
      refuseOddPath(path);
      return (await pass(
        { keep: { item, repo, path, name } },
        plainly({ kind: "read", repo, what: "file", target: [path] }),
        async () => {
          const bytes = await deps.workspaces.readFile(workspaceOf(desk, repo), path, ARTIFACT_BYTES_MAX);
          const digest = bytes === null ? null : deps.digest(bytes);
          const seen: Evidence = { kind: "file", repo, path, before: digest, after: digest };
          if (bytes === null) return { evidence: [seen], touched: [], result: false, failed: null, blobs: [] };
          const kept = await deps.blobs.stage(bytes);
          return {
            evidence: [seen, { kind: "artifact", name, mediaType: mediaTypeOf(name), content: kept.ref }],
            touched: [],
            result: true,
            failed: null,
            blobs: [kept],
          };
        },
      )) as boolean;
    },
    async run(repo, { argv, cwd, network, timeoutMs }) {
      if (argv.length === 0) throw new Failure("input/invalid", "a command without words");
      checkWords(argv);
      if (cwd !== ".") refuseOddPath(cwd);
      const place = placeIn(desk.spec, repo, cwd);
      const limit = Math.min(timeoutMs ?? desk.spec.limits.stepMs, desk.spec.limits.stepMs);
      return (await pass(
        { run: { item, repo, argv, cwd, network, timeoutMs: limit } },
        plainly({ kind: "command", repo, argv, cwd: place, timeoutMs: limit, network }),
        async (run) => {
          const directory = await deps.runDirectory(desk.task, run.step, run.run);
          const failure = await failureMount(desk, directory, deps.writeText);
          const layers = await allLayers(deps, desk, repo, place);
          const inputs = await inputMounts(deps, desk, run);
          const ran = await confine(deps, desk, run, {
            repo,
            argv,
            cwd: place,
            mounts: [...workspaceMounts(deps, desk, "by-scope"), ...layers.mounts, ...failure.mounts, ...inputs.mounts],
            scratches: layers.scratches,
            environment: { ...layers.environment, ...failure.environment, ...inputs.environment },
            network,
            timeoutMs: limit,
          });
          const failed = ran.outcome.endedBy === "itself" ? null : `ended by the limit on ${ran.outcome.endedBy}`;
          return { evidence: ran.evidence, touched: writableRepos(desk), result: ran.told, failed, blobs: ran.blobs };
        },
      )) as CommandResult;
    },
  };
}
