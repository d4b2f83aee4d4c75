import type { Actor } from "../domain/actor.ts";
import {
  course,
  type Move,
  moves,
  type Standing,
  sameStandings,
  standingOf,
  standingText,
} from "../domain/delivery.ts";
import type { DeliveredTo } from "../domain/event.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { In } from "../domain/task.ts";
import type { Desk } from "../ports/broker.ts";
import type { StagedBlob } from "../ports/store.ts";
import { type Arrived, record, sourceOf, stopped } from "./delivery-desk.ts";
import type { Route } from "./delivery-route.ts";
import { arrive, arrivedAt } from "./delivery-travel.ts";
import type { EngineDependencies } from "./deps.ts";

/*
 * Several repositories as one. No two of them can move in the same instant, so it goes like this:
 *
 *   1. everything that can refuse is asked first, in every repo: the objects are there, the branch is where it was, files can follow
 *   2. the step is begun: what every branch is to become is durable before the first one moves
 *   3. the branches move one by one, each by compare-and-set
 *   4. all arrived: one record says so of all of them
 *
 * A crash anywhere between 2 and 4 leaves the step open, and whoever comes next asks git where the branches are and goes on: forward
 * while it can; when somebody took a branch elsewhere meanwhile, back, for those that moved. That it goes back is recorded before the
 * first branch does, so that it never turns twice. When neither is possible without undoing a person's act, the step stays open, and
 * the task says where each branch is.
 */

export async function deliverTogether(
  deps: EngineDependencies,
  desk: Desk,
  task: In<"succeeded">,
  wanted: readonly Route[],
  by: Actor,
  signal: AbortSignal,
): Promise<Readonly<Record<string, DeliveredTo>>> {
  // What is pushed is never taken back: it goes last, when every branch of this machine has moved.
  const routes = wanted.toSorted((a, b) => Number(a.way === "push") - Number(b.way === "push"));
  const planned = routes.map(({ repo, way, branch, from, to, tree }): Move => ({ repo, way, branch, from, to, tree }));
  for (const { source, ...route } of routes)
    if (route.way !== "patch") {
      await deps.workspaces.publishRef({ task: task.id, repo: route.repo }, source, route.to, `tasks/${task.id}`);
      if (moves(route)) await tryIn(deps, source, route);
    }
  if (signal.aborted) throw stopped(task.id);
  const arrived = (await desk.steps.perform({
    input: deps.seal(planned).sha256,
    open: async () => ({ act: { kind: "deliver_together", moves: planned }, blobs: [] }),
    effect: async ({ step }) => {
      const result = await allOrNone(deps, task, { step, planned, turnedBack: null, torn: null }, by);
      return { evidence: evidenceOf(planned), touched: [], result, failed: null, blobs: result.blobs };
    },
  })) as Arrived;
  return arrived.repos;
}

async function tryIn(deps: EngineDependencies, source: string, { repo, branch, from, to }: Move): Promise<void> {
  try {
    await deps.workspaces.tryMove(source, branch, from, to);
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw new Failure("delivery/refused", `${repo} cannot be delivered, so nothing was: ${error.message}`, {
      facts: error.facts,
      cause: error,
      ...(error.next !== null && { next: error.next }),
    });
  }
}

export const evidenceOf = (planned: readonly Move[]) =>
  planned.map(({ repo, to, tree }) => ({ kind: "commit", repo, commit: to, tree }) as const);

/** A delivery of several repos that is begun and not ended. */
export interface Begun {
  readonly step: string;
  readonly planned: readonly Move[];
  readonly turnedBack: { readonly because: string; readonly repos: readonly string[] } | null;
  readonly torn: readonly Standing[] | null;
}

/**
 * Brings a begun delivery to its end, wherever it stands. Returns when every branch holds the work.
 * `Failure("delivery/refused")`: none does, and the step may be closed. `Failure("delivery/torn")`: some do; the step stays open.
 */
export async function allOrNone(
  deps: EngineDependencies,
  task: In<"succeeded">,
  begun: Begun,
  by: Actor,
): Promise<Arrived> {
  const branches = begun.planned.filter(moves);
  const look = (): Promise<readonly Standing[]> => standingsOf(deps, task, branches);
  let because = begun.turnedBack?.because ?? null;
  let found = await look();
  if (because === null && course(found, false) === "forward") {
    const arrived = await tried(() => forward(deps, task, begun.planned, found));
    found = await look();
    if (typeof arrived !== "string" && found.every(({ is }) => is === "arrived" || is === "beyond")) return arrived;
    because = typeof arrived === "string" ? arrived : null;
  }
  because ??= standingText(found.filter(({ is }) => is === "elsewhere" || is === "unreadable"));

  const torn = async (why: string, now: readonly Standing[]): Promise<Failure> => {
    if (begun.torn === null || !sameStandings(begun.torn, now))
      await record(deps, task.id, by, [
        { type: "DELIVERY_TORN", body: { step: begun.step, because: why, found: now } },
      ]);
    return new Failure(
      "delivery/torn",
      `the delivery of task ${task.id} stands half-way (${why}): ${standingText(now)}`,
      {
        next: `Take the branches to where they belong and run agentos task deliver ${task.id}; or leave them as they are: agentos task deliver ${task.id} --leave.`,
        facts: { found: now },
      },
    );
  };
  const moved = (standings: readonly Standing[]): readonly Move[] =>
    branches.filter(({ repo }) => standings.some((one) => one.repo === repo && one.is === "arrived"));

  // Going forward may have been refused for another reason than a branch that is elsewhere: then back is still a way.
  const way = course(found, true);
  if (way === "torn") throw await torn(because, found);
  if (begun.turnedBack === null && way === "none") throw nothing(task.id, because);
  if (begun.turnedBack === null) {
    const hindered = await tried(() => takeBack(deps, task, moved(found), "try"));
    if (typeof hindered === "string") throw await torn(`${because}; and ${hindered}`, await look());
    await record(deps, task.id, by, [{ type: "DELIVERY_TURNED_BACK", body: { step: begun.step, because, found } }]);
  }
  const wanted = begun.turnedBack?.repos ?? moved(found).map(({ repo }) => repo);
  // One that somebody took elsewhere after it was turned back is theirs.
  const theirs = new Set(found.flatMap(({ repo, is }) => (is === "elsewhere" ? [repo] : [])));
  const back = branches.filter(({ repo }) => wanted.includes(repo) && !theirs.has(repo));
  const hindered = await tried(() => takeBack(deps, task, back, "go"));
  found = await look();
  if (typeof hindered === "string") throw await torn(`${because}; and ${hindered}`, found);
  if (found.some(({ is }) => is === "arrived" || is === "beyond" || is === "unreadable"))
    throw await torn(because, found);
  throw nothing(task.id, because, back);
}

const nothing = (task: string, because: string, back: readonly Move[] = []): Failure =>
  new Failure(
    "delivery/refused",
    `nothing of task ${task} was delivered: ${because}${back.length === 0 ? "" : `. What had moved was taken back: ${back.map(({ repo, branch }) => `${branch} of ${repo}`).join(", ")}`}`,
    { next: `agentos task deliver ${task} tries again, on what is there now.` },
  );

/** What git refused, in its words; anything else that goes wrong says nothing about the branches and is thrown. */
async function tried<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (isFailure(error) && !error.code.startsWith("store/")) return error.message;
    throw error;
  }
}

async function forward(
  deps: EngineDependencies,
  task: In<"succeeded">,
  planned: readonly Move[],
  found: readonly Standing[],
): Promise<Arrived> {
  const repos: Record<string, DeliveredTo> = {};
  const events: Arrived["events"][number][] = [];
  const blobs: StagedBlob[] = [];
  for (const move of planned) {
    const candidate = task.candidate?.[move.repo];
    if (candidate === undefined) throw new Error(`task ${task.id} delivers ${move.repo}, of which it has no candidate`);
    const source = (await sourceOf(deps, task, move.repo)).path;
    // A branch that somebody built on has the work: it is not touched.
    const isBeyond = found.some(({ repo, is }) => repo === move.repo && is === "beyond");
    const one = isBeyond ? arrivedAt(move, false) : await arrive(deps, task.id, source, move, candidate);
    Object.assign(repos, one.repos);
    events.push(...one.events.filter(({ type }) => type !== "DELIVERED"));
    blobs.push(...one.blobs);
  }
  return { repos, events: [...events, { type: "DELIVERED", body: { repos } }], blobs };
}

/** The last that moved is the first that goes back. */
async function takeBack(
  deps: EngineDependencies,
  task: In<"succeeded">,
  branches: readonly Move[],
  how: "go" | "try",
): Promise<void> {
  for (const { repo, branch, from, to } of branches.toReversed()) {
    const source = (await sourceOf(deps, task, repo)).path;
    await deps.workspaces.takeBack(source, branch, from, to, how);
  }
}

async function standingsOf(
  deps: EngineDependencies,
  task: In<"succeeded">,
  branches: readonly Move[],
): Promise<readonly Standing[]> {
  const found: Standing[] = [];
  for (const move of branches) {
    const asked = await tried(async () => {
      const source = (await sourceOf(deps, task, move.repo)).path;
      return deps.workspaces.standing({ task: task.id, repo: move.repo }, source, move.branch, move.to);
    });
    found.push(standingOf(move, typeof asked === "string" ? null : asked));
  }
  return found;
}
