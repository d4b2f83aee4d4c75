import type { Actor } from "../domain/actor.ts";
import type { ProjectEvent } from "../domain/event.ts";
import { Failure } from "../domain/failure.ts";
import type { Project } from "../domain/project.ts";
import {
  approvedNotes,
  NOTES_MAX,
  noteId,
  notesDigest,
  noteText,
  type PinnedNotes,
  PROPOSALS_OF_ONE_TASK_MAX,
} from "../domain/project-note.ts";
import { projectStream } from "../domain/stream.ts";
import { StreamMoved } from "../ports/store.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold } from "./hold.ts";

/** The notes that are approved now, as a task pins them; null where there are none. */
export async function notesToPin(deps: EngineDependencies, hold: Hold): Promise<PinnedNotes | null> {
  const { repos } = hold.spec;
  const approved = approvedNotes((await projectOf(deps, hold)).project.notes ?? []).filter(
    ({ repo }) => repo === null || repos === undefined || repo in repos,
  );
  if (approved.length === 0) return null;
  const ids = approved.map(({ id }) => id);
  return { ids, digest: notesDigest(deps.seal, await textsOf(deps, hold, ids)) };
}

/** What the task's pinned notes say: the same in every replay, whatever became of them since. */
export async function pinnedNotes(deps: EngineDependencies, hold: Hold): Promise<readonly string[]> {
  const pinned = hold.task().notes;
  if (pinned === undefined) return [];
  const texts = await textsOf(deps, hold, pinned.ids);
  if (notesDigest(deps.seal, texts) !== pinned.digest)
    throw new Failure("store/corrupt", `the project notes of task ${hold.id} are not those it pinned`);
  return texts;
}

async function textsOf(deps: EngineDependencies, hold: Hold, ids: readonly string[]): Promise<readonly string[]> {
  const { notes = [] } = (await projectOf(deps, hold)).project;
  const texts: string[] = [];
  for (const id of ids) {
    const note = notes.find((one) => one.id === id);
    const bytes = note === undefined ? null : await deps.store.get(note.text);
    if (note === undefined || bytes === null)
      throw new Failure("store/corrupt", `note ${id} of the project of task ${hold.id} is gone from the store`);
    const text = new TextDecoder().decode(bytes);
    texts.push(note.repo === null ? text : `${note.repo}: ${text}`);
  }
  return texts;
}

const TRIES = 20;

/** A note that an agent proposes. It is told to nobody until a person approves it; proposed again, it is there already. */
export async function proposeNote(
  deps: EngineDependencies,
  hold: Hold,
  proposed: string,
  repo: string | null,
): Promise<void> {
  const text = noteText(proposed);
  if (repo !== null && !hold.spec.scopes.some((scope) => scope.repo === repo))
    throw new Failure("act/denied", `the repo ${repo} is not in the task's scopes`);
  const id = noteId(deps.seal, hold.id, text);
  const blob = await deps.store.stage(new TextEncoder().encode(text));
  const actor: Actor = { kind: "agent", name: hold.spec.agent.kind };
  const event: ProjectEvent = { type: "NOTE_PROPOSED", body: { note: id, text: blob.ref, repo, task: hold.id } };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { project, seq } = await projectOf(deps, hold);
    const { notes = [] } = project;
    if (notes.some((one) => one.id === id)) return;
    if (notes.filter((one) => one.task === hold.id).length >= PROPOSALS_OF_ONE_TASK_MAX)
      throw new Failure("act/denied", `a task proposes at most ${PROPOSALS_OF_ONE_TASK_MAX} notes`);
    if (notes.filter(({ status }) => status !== "retired").length >= NOTES_MAX)
      throw new Failure("act/denied", `the project ${project.name} has ${NOTES_MAX} notes already`);
    try {
      await deps.store.append({
        stream: projectStream(project.id),
        expected: seq,
        events: [{ actor, atMs: deps.clock.nowMs(), event }],
        blobs: [blob],
        lease: { kind: "hold", task: hold.id, epoch: hold.epoch },
      });
      return;
    } catch (error) {
      if (!(error instanceof StreamMoved)) throw error;
    }
  }
  throw new Failure("store/busy", `the project of task ${hold.id} changed ${TRIES} times meanwhile`);
}

async function projectOf(
  deps: EngineDependencies,
  hold: Hold,
): Promise<{ readonly project: Project; readonly seq: number }> {
  const id = hold.task().project?.id;
  const found = id === undefined ? null : await deps.store.projects.project(id);
  if (found === null) throw new Failure("project/not-found", `the project of task ${hold.id} is gone`);
  return found;
}
