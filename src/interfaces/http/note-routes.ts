import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { NewNoteInput, NoteParam, NoteQuery, NotesParam } from "../../contract/note-inputs.ts";
import { noteView } from "../../contract/present-note.ts";
import { NoteListView, NoteView } from "../../contract/views.ts";
import { json, jsonBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

/** Short facts about a project: what agents proposed counts once a person approved it. */
export function noteRoutes(api: OpenAPIHono, { cases, person }: Surface): void {
  const { notes } = cases;

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/projects/{id}/notes",
      summary: "Its notes, oldest first; with all, retired ones too",
      request: { params: NotesParam, query: NoteQuery },
      responses: { 200: json(NoteListView, "Notes"), ...problems },
    }),
    async (c) => {
      const found = await notes.list(c.req.valid("param").id, c.req.valid("query").all === "true");
      return c.json({ items: found.map(noteView) }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/projects/{id}/notes",
      summary: "Write a note; it counts at once",
      request: { params: NotesParam, body: jsonBody(NewNoteInput) },
      responses: { 201: json(NoteView, "The note"), ...problems },
    }),
    async (c) => {
      const { text, repo } = c.req.valid("json");
      return c.json(noteView(await notes.add(person, c.req.valid("param").id, text, repo ?? null)), 201);
    },
  );

  for (const [verb, summary] of [
    ["approve", "Let a proposed note count"],
    ["retire", "Let a note count no more, or refuse a proposed one"],
  ] as const)
    api.openapi(
      createRoute({
        method: "post",
        path: `/api/projects/{id}/notes/{note}/${verb}`,
        summary,
        request: { params: NoteParam },
        responses: { 200: json(NoteView, "The note as it is now"), ...problems },
      }),
      async (c) => {
        const { id, note } = c.req.valid("param");
        return c.json(noteView(await notes[verb](person, id, note)), 200);
      },
    );
}
