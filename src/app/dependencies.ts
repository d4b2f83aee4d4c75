import type { Actor } from "../domain/actor.ts";
import { type DependencyKind, recordedAs, spoken } from "../domain/dependency.ts";
import { Failure } from "../domain/failure.ts";
import type { DependenciesOf, TaskRow } from "../ports/store.ts";
import type { Loaded } from "../ports/task-log.ts";
import type { AppDependencies } from "./deps.ts";
import { findProject } from "./projects.ts";

/** As a person says it: "`task` requires / blocks / suggests `other`". */
export interface SaidDependency {
  readonly task: string;
  readonly kind: DependencyKind;
  readonly other: string;
}

export interface DependencyGraph {
  readonly tasks: readonly TaskRow[];
  readonly dependencies: readonly SaidDependency[];
  /** There is more than is told. */
  readonly cut: boolean;
}

const GRAPH_MOST = 2_000;

/** What comes before what. Both changes answer with the task that comes later; a circle is `task/refused` with its path. */
export const dependencies = (deps: AppDependencies) => {
  const graph = async (of: DependenciesOf, always: readonly string[]): Promise<DependencyGraph> => {
    const rows = await deps.store.tasks.dependencies(of, GRAPH_MOST + 1);
    const told = rows.slice(0, GRAPH_MOST);
    const ids = [...new Set([...always, ...told.flatMap(({ task, on }) => [task, on])])];
    const tasks: TaskRow[] = [];
    for (const id of ids) {
      const row = await deps.store.tasks.taskRow(id);
      if (row !== null) tasks.push(row);
    }
    return { tasks, dependencies: told.map(({ task, ...one }) => spoken(task, one)), cut: rows.length > told.length };
  };

  return {
    async add(by: Actor, { task, kind, other }: SaidDependency): Promise<Loaded> {
      await deps.log.load(task);
      await requireThere(deps, kind, other);
      const { later, dependency } = recordedAs(task, kind, other);
      return deps.log.give(later, { type: "add_dependency", by, dependency });
    },

    async remove(by: Actor, { task, kind, other }: SaidDependency): Promise<Loaded> {
      await deps.log.load(task);
      const { later, dependency } = recordedAs(task, kind, other);
      return deps.log.give(later, { type: "remove_dependency", by, dependency });
    },

    /** Everything before the task and after it. */
    async around(id: string): Promise<DependencyGraph> {
      await deps.log.load(id);
      return graph({ around: id }, [id]);
    },

    async all({
      project,
      session,
    }: {
      readonly project: string | null;
      readonly session: string | null;
    }): Promise<DependencyGraph> {
      const found = project === null ? null : await findProject(deps, project);
      return graph({ project: found?.id ?? null, session }, []);
    },
  };
};

/** The other task exists, and could still do what is asked of it. */
export async function requireThere(deps: AppDependencies, kind: DependencyKind, other: string): Promise<void> {
  const { task } = await deps.log.load(other);
  if (kind === "requires" && task.status === "canceled")
    throw new Failure("task/refused", `task ${other} was canceled and can never succeed, so nothing can require it`, {
      facts: { status: task.status },
    });
}
