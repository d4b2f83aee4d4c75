import type { Project } from "../../domain/project.ts";
import { projectStream } from "../../domain/stream.ts";
import type { ProjectReads } from "../../ports/store.ts";
import { integerOf, type Queries, type Row, textOf } from "./database.ts";
import { isProjectEvent } from "./journal-row.ts";
import { readStream } from "./read-stream.ts";

/**
 * By id a project (and its repos) is found also after it was deleted, since its tasks still name it; names, paths and the list
 * are those of living projects.
 */
export function projectReads(queries: Queries): ProjectReads {
  return {
    async project(id) {
      const [row] = await queries.query("SELECT state, seq FROM projects WHERE id = ?", [id]);
      return row === undefined ? null : withSeq(row);
    },

    async projectNamed(name) {
      const [row] = await queries.query("SELECT state, seq FROM projects WHERE name = ? AND deleted = 0", [name]);
      return row === undefined ? null : withSeq(row);
    },

    async projects() {
      const rows = await queries.query("SELECT state FROM projects WHERE deleted = 0 ORDER BY created_at_ms, id");
      return rows.map(projectFrom);
    },

    async projectOfPath(path) {
      const [row] = await queries.query(
        `SELECT projects.state FROM repos JOIN projects ON projects.id = repos.project_id
         WHERE repos.path = ? AND projects.deleted = 0 ORDER BY projects.created_at_ms, projects.id LIMIT 1`,
        [path],
      );
      return row === undefined ? null : projectFrom(row);
    },

    async repo(id) {
      const [row] = await queries.query("SELECT project_id, state FROM repos WHERE id = ?", [id]);
      if (row === undefined) return null;
      return { project: textOf(row, "project_id"), repo: JSON.parse(textOf(row, "state")) as Project["repos"][number] };
    },

    events: async (project, afterSeq, most) =>
      (await readStream(queries, projectStream(project), afterSeq, most)).filter(isProjectEvent),

    async livingTasks(project) {
      const [row] = await queries.query(
        "SELECT COUNT(*) AS number FROM tasks WHERE project_id = ? AND status NOT IN ('succeeded', 'failed', 'canceled')",
        [project],
      );
      return row === undefined ? 0 : integerOf(row, "number");
    },
  };
}

const projectFrom = (row: Row): Project => JSON.parse(textOf(row, "state")) as Project;
const withSeq = (row: Row): { readonly project: Project; readonly seq: number } => ({
  project: projectFrom(row),
  seq: integerOf(row, "seq"),
});
