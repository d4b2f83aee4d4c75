import type { Actor } from "../domain/actor.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { type Fate, fateOfLayer, fateOfTask } from "../domain/retention.ts";
import { STATUSES, type Status } from "../domain/task.ts";
import { EVERY_TASK } from "../ports/store.ts";
import type { AppDependencies } from "./deps.ts";
import { noteSystem } from "./system-journal.ts";

/** Something on disk, and what becomes of it. */
export interface Reclaimable extends Fate {
  readonly kind: "workspace" | "layer" | "mirror" | "rescued";
  /** Id of the task, key of the layer, url of the mirrored repository. */
  readonly id: string;
  /** On disk; a layer or clone may share some of them with others. */
  readonly bytes: number;
  /** It should have gone and could not: why, in words. */
  readonly problem: string | null;
}

export interface Reclaimed {
  readonly items: readonly Reclaimable[];
  /** Of what went, or with `dryRun` would go. */
  readonly bytes: number;
  readonly keptBytes: number;
  /** Where states that were in no git were kept before their workspace went. */
  readonly rescued: readonly string[];
}

const DAY_MS = 86_400_000;
const ENDED: ReadonlySet<Status> = new Set<Status>(["succeeded", "failed", "canceled"]);
const LIVING = STATUSES.filter((status) => !ENDED.has(status));
const PAGE = 200;

/** Removes what a task that ended has on disk; refuses while its work is being delivered. */
export type CleanTask = (id: string) => Promise<{ readonly rescued: readonly string[] }>;

/**
 * Takes away what nobody needs any more, by the retention the person set; with `dryRun` only says what that is. One at a time. Nothing of
 * a task that has not ended, of proven work that is not delivered, and nothing that was not captured first is ever removed.
 */
export function garbageCollection(deps: AppDependencies, clean: CleanTask) {
  let busy = false;
  return async (by: Actor, dryRun: boolean, signal?: AbortSignal): Promise<Reclaimed> => {
    if (dryRun) return summed(await survey(deps), []);
    if (busy)
      throw new Failure("store/busy", "a clean-up is under way already", { next: "agentos audit log shows its end." });
    busy = true;
    try {
      return await reclaim(deps, clean, by, signal);
    } finally {
      busy = false;
    }
  };
}

async function reclaim(
  deps: AppDependencies,
  clean: CleanTask,
  by: Actor,
  signal: AbortSignal | undefined,
): Promise<Reclaimed> {
  const rescued: string[] = [];
  const done: Reclaimable[] = [];
  for (const item of await survey(deps)) {
    // What is not reached any more is met by the next clean-up.
    if (signal?.aborted) break;
    if (!item.goes) {
      if (item.kind === "workspace") await deps.workspaces.repack(item.id);
      done.push(item);
      continue;
    }
    try {
      if (item.kind === "workspace") rescued.push(...(await clean(item.id)).rescued);
      if (item.kind === "mirror") await deps.workspaces.removeMirror(item.id);
      if (
        item.kind === "layer" &&
        !(await deps.layers.remove(item.id, deps.clock.nowMs() - deps.retention.layersDays * DAY_MS))
      ) {
        done.push({ ...item, goes: false, why: "it was used just now" });
        continue;
      }
      done.push(item);
    } catch (error) {
      // One that cannot go (its task lives again, a file system is away) must not keep the others; what is a bug is not hidden.
      if (!isFailure(error)) throw error;
      done.push({ ...item, goes: false, problem: error.message });
    }
  }
  const result = summed(done, rescued);
  const gone = (kind: Reclaimable["kind"]): number => done.filter((one) => one.goes && one.kind === kind).length;
  await noteSystem(deps.store, by, deps.clock.nowMs(), {
    type: "SPACE_RECLAIMED",
    body: {
      workspaces: gone("workspace"),
      layers: gone("layer"),
      mirrors: gone("mirror"),
      bytes: result.bytes,
      keptBytes: result.keptBytes,
      rescued: rescued.length,
      failed: done.filter(({ problem }) => problem !== null).length,
    },
  });
  return result;
}

const summed = (items: readonly Reclaimable[], rescued: readonly string[]): Reclaimed => {
  const bytesOf = (goes: boolean): number => items.reduce((sum, one) => sum + (one.goes === goes ? one.bytes : 0), 0);
  return { items, bytes: bytesOf(true), keptBytes: bytesOf(false), rescued };
};

/** Everything on disk that a clean-up knows, each with what becomes of it. */
async function survey(deps: AppDependencies): Promise<Reclaimable[]> {
  const nowMs = deps.clock.nowMs();
  const items: Reclaimable[] = [];
  const bytes = new Map((await deps.workspaces.use()).map((one) => [one.task, one.bytes]));
  for (const one of [...(await deps.outputUse()), ...(await deps.agentHomes.use())])
    bytes.set(one.task, (bytes.get(one.task) ?? 0) + one.bytes);
  for (const [id, size] of [...bytes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const found = await deps.store.tasks.task(id);
    items.push({
      kind: "workspace",
      id,
      bytes: size,
      problem: null,
      ...fateOfTask(found?.task ?? null, deps.retention, nowMs),
    });
  }
  const layers = await deps.layers.use();
  const living = layers.length === 0 ? new Set<string>() : await livingLayers(deps);
  for (const { key, bytes: size, usedAtMs } of layers)
    items.push({
      kind: "layer",
      id: key,
      bytes: size,
      problem: null,
      ...fateOfLayer(usedAtMs, living.has(key), deps.retention, nowMs),
    });
  return [...items, ...(await setAside(deps))];
}

/** Mirrors of remote repositories, and what was rescued. */
async function setAside(deps: AppDependencies): Promise<Reclaimable[]> {
  const { mirrors, rescuedBytes } = await deps.workspaces.asideUse();
  const named = new Set((await deps.store.projects.projects()).flatMap(({ repos }) => repos.map(({ path }) => path)));
  const items = mirrors.map(({ url, bytes, rescues }): Reclaimable => {
    const why = named.has(url)
      ? "a project names this repository"
      : rescues > 0
        ? "it holds states that the remote does not have"
        : "no project names this repository any more";
    return { kind: "mirror", id: url, bytes, problem: null, goes: !named.has(url) && rescues === 0, why };
  });
  if (rescuedBytes > 0)
    items.push({
      kind: "rescued",
      id: "rescued",
      bytes: rescuedBytes,
      problem: null,
      goes: false,
      why: "what was rescued is removed by nobody but you",
    });
  return items;
}

async function livingLayers(deps: AppDependencies): Promise<Set<string>> {
  const keys = new Set<string>();
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof deps.store.tasks.tasks>> = await deps.store.tasks.tasks({
      ...EVERY_TASK,
      status: LIVING,
      after,
      most: PAGE,
    });
    for (const { row } of page.rows)
      for (const key of Object.values((await deps.store.tasks.task(row.id))?.task.layers ?? {})) keys.add(key);
    after = page.next;
  } while (after !== null);
  return keys;
}
