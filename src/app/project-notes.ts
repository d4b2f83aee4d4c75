import type { Actor } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import type { Project } from "../domain/project.ts";
import { NOTES_MAX, noteText, type ProjectNote } from "../domain/project-note.ts";
import type { AppDependencies } from "./deps.ts";
import { changeStream, findProject } from "./projects.ts";

/** A note with what it says; null: it was erased. */
export interface NoteSeen extends Omit<ProjectNote, "text"> {
  readonly text: string | null;
  readonly project: { readonly id: string; readonly name: string };
}

/** Short facts about a project. A person's own counts at once; what an agent proposed counts once a person approved it. */
export const projectNotes = (deps: AppDependencies) => {
  const seen = async (project: Project, { text: ref, ...note }: ProjectNote): Promise<NoteSeen> => {
    const bytes = await deps.store.get(ref);
    const text = bytes === null ? null : new TextDecoder().decode(bytes);
    return { ...note, text, project: { id: project.id, name: project.name } };
  };
  const one = async (project: Project, id: string): Promise<NoteSeen> => seen(project, noteOf(project, id));

  /** Approves or retires; said again, it is so already. */
  const decide = async (by: Actor, wanted: string, id: string, to: "approved" | "retired"): Promise<NoteSeen> => {
    const project = await findProject(deps, wanted);
    const changed = await changeStream(deps, by, project.id, (now) => {
      const note = noteOf(now, id);
      if (note.status === to) return [];
      if (note.status === "retired")
        throw new Failure("project/refused", `note ${id} of ${now.name} was retired`, {
          next: `Add it anew: agentos project notes add ${now.name} TEXT`,
        });
      return [{ type: to === "approved" ? "NOTE_APPROVED" : "NOTE_RETIRED", body: { note: id } }];
    });
    return one(changed, id);
  };

  return {
    /** Those that stand or wait, oldest first; with `all`, retired ones too. */
    async list(wanted: string, all: boolean): Promise<readonly NoteSeen[]> {
      const project = await findProject(deps, wanted);
      const notes = (project.notes ?? []).filter(({ status }) => all || status !== "retired");
      return Promise.all(notes.map((note) => seen(project, note)));
    },

    /** What agents proposed and nobody decided on, over all projects. */
    async proposed(): Promise<readonly NoteSeen[]> {
      const found: NoteSeen[] = [];
      for (const project of await deps.store.projects.projects())
        for (const note of project.notes ?? []) if (note.status === "proposed") found.push(await seen(project, note));
      return found;
    },

    async add(by: Actor, wanted: string, said: string, repo: string | null): Promise<NoteSeen> {
      const project = await findProject(deps, wanted);
      if (repo !== null && !project.repos.some(({ name }) => name === repo))
        throw new Failure("repo/not-found", `the project ${project.name} has no repo ${repo}`);
      const id = deps.ids.ulid();
      const blob = await deps.store.stage(new TextEncoder().encode(noteText(said)));
      const changed = await changeStream(
        deps,
        by,
        project.id,
        ({ notes = [], name }) => {
          if (notes.filter(({ status }) => status !== "retired").length >= NOTES_MAX)
            throw new Failure("project/refused", `the project ${name} has ${NOTES_MAX} notes already`, {
              next: `Retire one: agentos project notes list ${name}`,
            });
          return [
            { type: "NOTE_PROPOSED", body: { note: id, text: blob.ref, repo, task: null } },
            { type: "NOTE_APPROVED", body: { note: id } },
          ];
        },
        [blob],
      );
      return one(changed, id);
    },

    approve: (by: Actor, wanted: string, id: string) => decide(by, wanted, id, "approved"),
    retire: (by: Actor, wanted: string, id: string) => decide(by, wanted, id, "retired"),
  };
};

function noteOf(project: Project, id: string): ProjectNote {
  const note = (project.notes ?? []).find((one) => one.id === id);
  if (note === undefined)
    throw new Failure("project/not-found", `the project ${project.name} has no note ${id}`, {
      next: `agentos project notes list ${project.name} shows them.`,
    });
  return note;
}
