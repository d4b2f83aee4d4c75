/**
 * How one task hangs on another, in the words people use:
 * - "A requires B": A may be claimed only once B succeeded;
 * - "A blocks B": B may be claimed only once A has ended, however it ended;
 * - "A suggests B": where both could be claimed B is taken first; it never holds A.
 */
export const DEPENDENCY_KINDS = ["requires", "blocks", "suggests"] as const;
export type DependencyKind = (typeof DEPENDENCY_KINDS)[number];

/** As it stands in the stream of the task that comes later: `blocks` is what `on` does to it, the others are its own wish. */
export interface Dependency {
  readonly on: string;
  readonly kind: DependencyKind;
}

/** As people say it, of the task that comes later: the order of `blocks` is turned back. */
export const spoken = (
  task: string,
  { on, kind }: Dependency,
): { readonly task: string; readonly kind: DependencyKind; readonly other: string } =>
  kind === "blocks" ? { task: on, kind, other: task } : { task, kind, other: on };

/** What was said as it is recorded: whose stream it belongs to, and the dependency there. */
export const recordedAs = (
  task: string,
  kind: DependencyKind,
  other: string,
): { readonly later: string; readonly dependency: Dependency } =>
  kind === "blocks"
    ? { later: other, dependency: { on: task, kind } }
    : { later: task, dependency: { on: other, kind } };

/** One task waits for the other. */
export interface Waits {
  readonly task: string;
  readonly on: string;
}

/** The circle through `task`, from it back to it, as short as there is one; null when there is none. */
export function circleThrough(task: string, edges: readonly Waits[]): readonly string[] | null {
  const next = new Map<string, string[]>();
  for (const edge of edges) next.set(edge.task, [...(next.get(edge.task) ?? []), edge.on]);
  const seen = new Set<string>();
  let paths: (readonly string[])[] = [[task]];
  while (paths.length > 0) {
    const longer: (readonly string[])[] = [];
    for (const path of paths)
      for (const on of next.get(path.at(-1) ?? "") ?? []) {
        if (on === task) return [...path, on];
        if (seen.has(on)) continue;
        seen.add(on);
        longer.push([...path, on]);
      }
    paths = longer;
  }
  return null;
}
