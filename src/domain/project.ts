import { actorText } from "./actor.ts";
import type { BlobRef } from "./blob.ts";
import type { ProjectEvent, ProjectSettings, Recorded, RepoFacts } from "./event.ts";
import type { ProjectNote } from "./project-note.ts";

/** A project at one moment: its settings and the repositories its tasks may work on. */
export interface Project {
  readonly id: string;
  readonly name: string;
  readonly settings: ProjectSettings;
  readonly repos: readonly RepoFacts[];
  /** Not there until somebody proposed one. */
  readonly notes?: readonly ProjectNote[];
  readonly createdAtMs: number;
  readonly deleted: boolean;
  /** While it is, none of its tasks is taken up. */
  readonly paused: { readonly sinceMs: number; readonly by: string; readonly reason: BlobRef | null } | null;
}

export function bornProject(id: string, { event, atMs }: Recorded<ProjectEvent>): Project {
  if (event.type !== "PROJECT_CREATED") throw new Error(`project ${id} begins with ${event.type}`);
  return { id, ...event.body, repos: [], createdAtMs: atMs, deleted: false, paused: null };
}

export function evolveProject(project: Project, { event, atMs, actor }: Recorded<ProjectEvent>): Project {
  switch (event.type) {
    case "PROJECT_CREATED":
      throw new Error(`project ${project.id} was created twice`);
    case "PROJECT_CHANGED":
      return { ...project, ...event.body };
    case "PROJECT_DELETED":
      return { ...project, deleted: true };
    case "PROJECT_PAUSED":
      return { ...project, paused: { sinceMs: atMs, by: actorText(actor), reason: event.body.reason } };
    case "PROJECT_RESUMED":
      return { ...project, paused: null };
    case "REPO_ADDED":
      return { ...project, repos: [...project.repos, event.body] };
    case "NOTE_PROPOSED": {
      const { note: noted, ...body } = event.body;
      const note = { id: noted, ...body, by: actorText(actor), atMs, status: "proposed" } as const;
      return { ...project, notes: [...(project.notes ?? []), note] };
    }
    case "NOTE_APPROVED":
      return withNote(project, event.body.note, "approved");
    case "NOTE_RETIRED":
      return withNote(project, event.body.note, "retired");
    case "REPO_CHANGED":
      return { ...project, repos: project.repos.map((repo) => (repo.id === event.body.id ? event.body : repo)) };
  }
}

const withNote = (project: Project, id: string, status: ProjectNote["status"]): Project => ({
  ...project,
  notes: (project.notes ?? []).map((note) => (note.id === id ? { ...note, status } : note)),
});
