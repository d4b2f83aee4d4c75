import type { RepoFacts } from "./event.ts";
import type { RepoScope } from "./spec.ts";

/**
 * Whether a path is inside a scope. Patterns: `dir/` or `dir/**` (everything below), `*` (within a segment), `**` (any
 * depth), or an exact path.
 */
export function inScope(scope: RepoScope, path: string): boolean {
  switch (scope.access) {
    case "full":
      return true;
    case "read_only":
      return false;
    case "paths":
      return [scope.paths, ...(scope.within ?? [])].every((list) => list.some((pattern) => matchesPath(pattern, path)));
  }
}

/** The scope a person gave, narrowed to the paths that the repo's project lets any task change. Whether it is writable at all is asked at each step. */
export function narrowed(
  scope: RepoScope,
  { pathFilters, directory }: Pick<RepoFacts, "pathFilters" | "directory">,
): RepoScope {
  const { repo, access } = scope;
  if (access === "read_only") return scope;
  const [paths, ...within] = [
    ...(access === "paths" ? [scope.paths] : []),
    ...(pathFilters.length > 0 ? [pathFilters] : []),
    ...(directory === undefined ? [] : [[`${directory}/`]]),
  ];
  if (paths === undefined) return { repo, access: "full" };
  return { repo, access: "paths", paths, ...(within.length > 0 && { within }) };
}

/** One pattern, as `inScope` reads them. */
export function matchesPath(pattern: string, path: string): boolean {
  // Runs of stars say no more than one, and would make the search below take its time.
  const whole = (pattern.endsWith("/") ? `${pattern}**` : pattern)
    .replace(/(\*\*\/)+/g, "**/")
    .replace(/\*{3,}/g, "**");
  const source = whole
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) =>
      part === "**/"
        ? "(?:.*/)?"
        : part === "**"
          ? ".*"
          : part === "*"
            ? "[^/]*"
            : part === "?"
              ? "[^/]"
              : part.replace(/[.+^${}()|[\]\\]/g, "\\$&"),
    )
    .join("");
  return new RegExp(`^${source}$`, "s").test(path);
}

/** Relative, without `..`, empty or absolute parts, or NUL. A backslash is a plain character. */
export const isPlainPath = (path: string): boolean =>
  path.length > 0 &&
  path.length <= 4096 &&
  !path.startsWith("/") &&
  !path.includes("\0") &&
  path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
