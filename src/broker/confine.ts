import type { Evidence } from "../domain/evidence.ts";
import { Failure } from "../domain/failure.ts";
import { DEPENDENCIES_INSIDE } from "../domain/gate.ts";
import { scopeOf } from "../domain/spec.ts";
import { type CommandResult, OUTPUT_TOLD_BYTES } from "../ports/agent.ts";
import type { Desk, StepRun } from "../ports/broker.ts";
import type { EgressTarget } from "../ports/egress.ts";
import { storeOutput } from "../ports/layers.ts";
import type { Limits, Mount, SandboxOutcome, Scratch } from "../ports/sandbox.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { WorkspaceRef } from "../ports/workspaces.ts";
import type { BrokerDependencies } from "./deps.ts";
import { egressEvidence, tellDenied } from "./egress-evidence.ts";

/** Where a repo's working directory is seen inside the sandbox, in every epoch and on every machine. */
export const insideOf = (repo: string): string => `${WORKSPACES_INSIDE}/${repo}`;

/** Every repo of a task has its place below this one: what one says of another's place holds wherever both are. */
export const WORKSPACES_INSIDE = "/workspace";

export const REPORTS_INSIDE = "/run/agentos/report";
const FAILURE_INSIDE = "/run/agentos/failure.txt";

/** Caches that tools keep in a dependency directory, which itself is mounted read-only. */
const LAYER_CACHES = [".cache", ".vite", ".vite-temp"];
const CACHE_BYTES = 512 * 1024 ** 2;
/** At this share of its time a command is warned of. */
const WARN_SHARE = 0.8;
const FILE_BYTES = 4 * 1024 ** 3;

export interface Confined {
  readonly repo: string;
  readonly argv: readonly string[];
  /** Relative to the repo's top. */
  readonly cwd: string;
  readonly mounts: readonly Mount[];
  readonly scratches: readonly Scratch[];
  readonly environment: Readonly<Record<string, string>>;
  readonly network: readonly string[];
  readonly timeoutMs: number;
}

export interface Ran {
  readonly outcome: SandboxOutcome;
  readonly evidence: readonly Evidence[];
  readonly blobs: readonly StagedBlob[];
  readonly told: CommandResult;
  readonly stdout: StagedBlob;
  readonly stderr: StagedBlob;
}

/** Runs one command in the sandbox, through a door of its own when it may reach hosts, and gathers the evidence. A command that fails on a full disk: `store/full`. */
export async function confine(deps: BrokerDependencies, desk: Desk, run: StepRun, command: Confined): Promise<Ran> {
  const directory = await deps.runDirectory(desk.task, run.step, run.run);
  const door =
    command.network.length === 0
      ? null
      : await deps.egress.open(`${directory}/egress.sock`, command.network.map(targetOf), await deps.allowPrivate());
  const { stallMs, stallEnds } = desk.spec.limits;
  const warnMs = command.timeoutMs * WARN_SHARE;
  const timeWarning = setTimeout(
    () => run.onWarning({ about: "time", ms: Math.round(warnMs), limitMs: command.timeoutMs }),
    warnMs,
  );
  let records: Awaited<ReturnType<NonNullable<typeof door>["close"]>> = [];
  let outcome: SandboxOutcome;
  try {
    outcome = await deps.sandbox.run(
      {
        argv: command.argv,
        cwd: command.cwd === "." ? insideOf(command.repo) : `${insideOf(command.repo)}/${command.cwd}`,
        mounts: command.mounts,
        scratches: command.scratches,
        environment: command.environment,
        toolPath: toolPathOf(desk, command.repo),
        egressSocket: door?.socket ?? null,
        limits: limitsOf(desk, command.timeoutMs),
        stall: {
          afterMs: stallMs,
          ends: stallEnds,
          onStall: (ms) => run.onWarning({ about: "stall", ms, limitMs: stallMs }),
        },
        outputFile: run.outputFile,
        onStart: run.onStart,
      },
      run.signal,
    );
  } finally {
    clearTimeout(timeWarning);
    records = (await door?.close()) ?? [];
  }
  // It says nothing about the work, neither for nor against: it is undone and run again when there is room.
  if (outcome.exitCode !== 0 && outcome.endedBy === "itself" && (await deps.noRoom()))
    throw new Failure(
      "store/full",
      `${command.argv.join(" ").slice(0, 300)} ended with ${outcome.exitCode ?? outcome.signal} while there was no space left on the disk of the data directory`,
    );
  const stdout = await deps.blobs.stage(outcome.stdout.bytes);
  const stderr = await deps.blobs.stage(outcome.stderr.bytes);
  const evidence: Evidence[] = [
    {
      kind: "command",
      argv: command.argv,
      cwd: command.cwd,
      environment: outcome.environmentDigest,
      exitCode: outcome.exitCode,
      signal: outcome.signal,
      endedBy: outcome.endedBy,
      stdout: stdout.ref,
      stderr: stderr.ref,
      durationMs: Math.round(outcome.durationMs),
    },
    ...egressEvidence(records),
  ];
  await tellDenied(desk, records);
  const told: CommandResult = {
    exitCode: outcome.exitCode,
    endedBy: outcome.endedBy,
    stdout: tail(outcome.stdout.bytes),
    stderr: tail(outcome.stderr.bytes),
  };
  return { outcome, evidence, blobs: [stdout, stderr], told, stdout, stderr };
}

/** The task's workspaces as a step sees them: `write` only where spec and project both let it. */
export function workspaceMounts(deps: BrokerDependencies, desk: Desk, access: "read" | "by-scope"): Mount[] {
  return desk.spec.scopes.flatMap((scope) => {
    const workspace = workspaceOf(desk, scope.repo);
    const writable = access === "by-scope" && isWritable(desk, scope.repo);
    return [
      {
        host: deps.workspaces.path(workspace),
        inside: insideOf(scope.repo),
        access: writable ? "write" : "read",
      } satisfies Mount,
      {
        host: deps.workspaces.objectsPath(workspace),
        inside: deps.workspaces.objectsInside(workspace),
        access: "read",
      } satisfies Mount,
    ];
  });
}

/** Whether this task may change the repo at all: its spec and its project both let it. */
export const isWritable = (desk: Desk, repo: string): boolean =>
  (scopeOf(desk.spec, repo)?.access ?? "read_only") !== "read_only" && (desk.repos[repo]?.writable ?? false);

/**
 * The dependency layers of a repo, read-only, with private scratch where tools keep caches in them, and the variables by which a command in
 * `cwd` finds them. A layer that is named and not there: `store/corrupt`.
 */
export async function layerMounts(
  deps: BrokerDependencies,
  desk: Desk,
  repo: string,
  cwd: string,
): Promise<LayersInside> {
  const layers = new Map(Object.entries(desk.layers)).get(repo) ?? [];
  const mounts: Mount[] = [];
  const scratches: Scratch[] = [];
  for (const layer of layers) {
    const gone = (what: string): Failure =>
      new Failure("store/corrupt", `${what} of ${repo} (${layer.key}) is gone from the data directory`, {
        next: `agentos task resume ${desk.task} prepares it again.`,
      });
    const there = await deps.layers.find(layer.key);
    if (there === null) throw gone("the dependency layer");
    // An output that preparing did not make (an install without packages) is not mounted; one that it made must be there.
    const hostOf = async (output: string): Promise<string | null> => {
      if (!there.outputs.includes(output)) return null;
      const host = await deps.layers.path(layer.key, output);
      if (host === null) throw gone(`${output} in the dependency layer`);
      return host;
    };
    for (const output of layer.outputs) {
      const host = await hostOf(output);
      if (host === null) continue;
      const inside = `${insideOf(repo)}/${output}`;
      mounts.push({ host, inside, access: "read" });
      for (const cache of LAYER_CACHES) scratches.push({ inside: `${inside}/${cache}`, bytesMax: CACHE_BYTES });
    }
    for (const name of layer.stores) {
      const host = await hostOf(storeOutput(name));
      if (host !== null) mounts.push({ host, inside: `${DEPENDENCIES_INSIDE}/${name}`, access: "read" });
    }
  }
  // The nearest folder's word counts most.
  const above = layers.filter((layer) => isWithin(cwd, layer.cwd)).sort((a, b) => a.cwd.length - b.cwd.length);
  return { mounts, scratches, environment: Object.assign({}, ...above.map(({ provides }) => provides)) };
}

export interface LayersInside {
  readonly mounts: Mount[];
  readonly scratches: Scratch[];
  readonly environment: Readonly<Record<string, string>>;
}

const isWithin = (path: string, folder: string): boolean =>
  folder === "." || path === folder || path.startsWith(`${folder}/`);

/** What failed before, as a file the next attempt's commands can read; `AGENTOS_FAILURE` names it. */
export async function failureMount(
  desk: Desk,
  directory: string,
  write: (path: string, text: string) => Promise<void>,
): Promise<{ mounts: Mount[]; environment: Record<string, string> }> {
  if (desk.lastFailure === null) return { mounts: [], environment: {} };
  const host = `${directory}/failure.txt`;
  await write(host, desk.lastFailure);
  return {
    mounts: [{ host, inside: FAILURE_INSIDE, access: "read" }],
    environment: { AGENTOS_FAILURE: FAILURE_INSIDE },
  };
}

export const workspaceOf = (desk: Desk, repo: string): WorkspaceRef => ({ task: desk.task, repo, epoch: desk.epoch });

/** The person's PATH, as it was recorded when the repo was bound. */
export const toolPathOf = (desk: Desk, repo: string): readonly string[] => desk.repos[repo]?.toolPath ?? [];

/** Where a task works that has several repos. */
export const firstRepo = (desk: Desk): string => desk.spec.scopes[0]?.repo ?? "";

export const limitsOf = (desk: Desk, timeoutMs: number): Limits => ({
  wallMs: timeoutMs,
  memoryBytes: desk.spec.limits.memoryBytes,
  processes: desk.spec.limits.processes,
  outputBytes: desk.spec.limits.outputBytes,
  fileBytes: FILE_BYTES,
});

/** `host:port` as written in a spec; anything else is `input/invalid`. */
export function targetOf(text: string): EgressTarget {
  const match = /^([a-z0-9.-]+):(\d{1,5})$/i.exec(text);
  if (match?.[1] === undefined || match[2] === undefined)
    throw new Failure("input/invalid", `${text} is not host:port`);
  return { host: match[1].toLowerCase(), port: Number(match[2]) };
}

/** The end of an output, as text, within what an agent is told. */
export function tail(bytes: Uint8Array): string {
  const kept = bytes.byteLength > OUTPUT_TOLD_BYTES ? bytes.subarray(bytes.byteLength - OUTPUT_TOLD_BYTES) : bytes;
  return new TextDecoder().decode(kept);
}

/** The layers of every repo of the task, with the variables of the one whose commands run in `cwd`. */
export async function allLayers(
  deps: BrokerDependencies,
  desk: Desk,
  repo: string,
  cwd: string,
): Promise<LayersInside> {
  const each = await Promise.all(desk.spec.scopes.map((scope) => layerMounts(deps, desk, scope.repo, cwd)));
  const own = desk.spec.scopes.findIndex((scope) => scope.repo === repo);
  return {
    mounts: each.flatMap((one) => one.mounts),
    scratches: each.flatMap((one) => one.scratches),
    environment: each[own]?.environment ?? {},
  };
}

export const writableRepos = (desk: Desk): string[] => Object.keys(desk.repos).filter((repo) => isWritable(desk, repo));
