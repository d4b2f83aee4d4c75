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
      return scope.paths.some((pattern) => matches(pattern, path));
  }
}

function matches(pattern: string, path: string): boolean {
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
