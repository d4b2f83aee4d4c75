import { Failure } from "./failure.ts";
import { covers } from "./matter.ts";
import type { PinnedNotes } from "./project-note.ts";
import { inScope, matchesPath } from "./scope.ts";
import type { Seal } from "./seal.ts";
import { type Spec, scopeOf } from "./spec.ts";

export type Risk = "low" | "elevated";

/** One item of a plan. `paths` and `commands` are what it says it will touch and run. */
export interface WorkItem {
  readonly id: string;
  readonly title: string;
  readonly repo: string;
  readonly paths: readonly string[];
  readonly commands: readonly string[];
  readonly risk: Risk;
  readonly criterion: string | null;
  readonly dependsOn: readonly string[];
}

/** The plan as a reviewable artefact. It names the spec and the commits it was made on, so its hash binds to both. */
export interface OpenPlan {
  readonly format: 1;
  readonly spec: string;
  readonly bases: Readonly<Record<string, string>>;
  readonly items: readonly WorkItem[];
  readonly notes: readonly string[];
  /** The project notes it was made with, so that its hash binds them too; not there: none. */
  readonly projectNotes?: PinnedNotes;
}

/** Whether the item says that it changes this path. */
export const declaresPath = (item: WorkItem, path: string): boolean =>
  item.paths.some((pattern) => matchesPath(pattern, path));

/** Whether the item says that it runs this: the same words, or a declared command that ends in `*` and begins like it. */
export function declaresCommand(item: WorkItem, argv: readonly string[]): boolean {
  const [shell = "", flag, text] = argv;
  const isText = argv.length === 3 && flag === "-c" && /(^|\/)(ba|da)?sh$/.test(shell);
  return item.commands.some(
    (declared) =>
      declared === argv.join(" ") ||
      (isText ? declared === text || (isPlain(text) && covers(declared, text.split(" "))) : covers(declared, argv)),
  );
}

/** Text for a shell that is nothing but words with single blanks between. */
const isPlain = (text: string | undefined): text is string =>
  text !== undefined && /^[\w@%+=:,./-]+( [\w@%+=:,./-]+)*$/.test(text);

export type WorkItemStatus = "pending" | "running" | "completed" | "failed" | "skipped";

export const planHash = (seal: Seal, plan: OpenPlan): { readonly text: string; readonly hash: string } => {
  const { text, sha256 } = seal(plan);
  return { text, hash: sha256 };
};

/** Reads a proposed plan back. The text was checked against its hash; another format is another AgentOS's. */
export function planFrom(text: string): OpenPlan {
  const plan = JSON.parse(text) as OpenPlan;
  if (plan.format !== 1) throw new Error(`a plan of format ${String(plan.format)} is not known here`);
  return plan;
}

/** Throws `plan/invalid` when an item is outside the spec or the order cannot be followed. */
export function checkPlan(plan: OpenPlan, spec: Spec): void {
  const ids = new Set<string>();
  for (const item of plan.items) {
    if (ids.has(item.id)) throw new Failure("plan/invalid", `two work items have the id ${item.id}`);
    ids.add(item.id);
    const scope = scopeOf(spec, item.repo);
    if (scope === undefined)
      throw new Failure(
        "plan/invalid",
        `work item ${item.id} names the repo ${item.repo}, which is not in the task's scopes`,
      );
    const outside = scope.access === "paths" ? item.paths.find((path) => !inScope(scope, path)) : undefined;
    if (outside !== undefined)
      throw new Failure(
        "plan/invalid",
        `work item ${item.id} changes ${outside}, which is outside what the spec lets this task change in ${item.repo}`,
      );
    if (scope.access === "read_only" && item.paths.length > 0)
      throw new Failure(
        "plan/invalid",
        `work item ${item.id} changes ${item.paths[0]}, but the repo ${item.repo} is read-only for this task`,
      );
  }
  for (const item of plan.items)
    for (const needed of item.dependsOn)
      if (!ids.has(needed))
        throw new Failure("plan/invalid", `work item ${item.id} depends on ${needed}, which the plan does not have`);
  inOrder(plan.items);
}

/** The items so that each comes after what it depends on, otherwise as written. A circle is `plan/invalid`, with its path. */
export function inOrder<I extends { readonly id: string; readonly dependsOn: readonly string[] }>(
  items: readonly I[],
): readonly I[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const done = new Set<string>();
  const ordered: I[] = [];
  const visit = (item: I, path: readonly string[]): void => {
    if (done.has(item.id)) return;
    if (path.includes(item.id))
      throw new Failure(
        "plan/invalid",
        `the work items depend on each other in a circle: ${[...path.slice(path.indexOf(item.id)), item.id].join(" → ")}`,
      );
    for (const needed of item.dependsOn) {
      const other = byId.get(needed);
      if (other !== undefined) visit(other, [...path, item.id]);
    }
    done.add(item.id);
    ordered.push(item);
  };
  for (const item of items) visit(item, []);
  return ordered;
}
