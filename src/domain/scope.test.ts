import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inScope, isPlainPath, narrowed } from "./scope.ts";
import type { RepoScope } from "./spec.ts";

const within =
  (...paths: string[]) =>
  (path: string) =>
    inScope({ repo: "app", access: "paths", paths }, path);

describe("a scope narrowed by what its project says of the repo", () => {
  const open = { pathFilters: [] };
  const full = { repo: "app", access: "full" } as const;
  const some = { repo: "app", access: "paths", paths: ["src/"] } as const;

  it.each<[RepoScope, Parameters<typeof narrowed>[1], RepoScope]>([
    [full, open, full],
    [some, open, some],
    [full, { ...open, pathFilters: ["docs/"] }, { ...some, paths: ["docs/"] }],
    [some, { ...open, pathFilters: ["**/*.md"] }, { ...some, within: [["**/*.md"]] }],
    [full, { ...open, directory: "packages/web" }, { ...some, paths: ["packages/web/"] }],
    [some, { ...open, pathFilters: ["a"], directory: "b" }, { ...some, within: [["a"], ["b/"]] }],
    [
      { repo: "app", access: "read_only" },
      { ...open, pathFilters: ["a"] },
      { repo: "app", access: "read_only" },
    ],
  ])("%#", (scope, repo, narrow) => expect(narrowed(scope, repo)).toEqual(narrow));

  it("lets through only what each of them lets through", () => {
    const scope = narrowed(some, { ...open, pathFilters: ["**/*.md", "*.txt"] });
    expect(["src/a.md", "src/a.ts", "a.txt", "docs/a.md"].filter((path) => inScope(scope, path))).toEqual(["src/a.md"]);
  });
});

describe("a scope of paths", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["src/", ["src/a.ts", "src/deep/er/a.ts", "src/.hidden"], ["src", "srcs/a.ts", "lib/src/a.ts", "a.ts"]],
    ["src/**", ["src/a.ts", "src/deep/a.ts"], ["src", "srcs/a.ts"]],
    ["src/*.ts", ["src/a.ts", "src/.ts"], ["src/deep/a.ts", "src/a.tsx", "src/ats"]],
    ["**/*.md", ["README.md", "docs/a.md", "docs/deep/a.md"], ["README.mdx", "a.md/x"]],
    ["docs/**/a.md", ["docs/a.md", "docs/x/y/a.md"], ["docs/xa.md", "a.md"]],
    ["a?.txt", ["ab.txt"], ["a.txt", "a/.txt", "abc.txt"]],
    ["package.json", ["package.json"], ["sub/package.json", "packageXjson", "package.json/x"]],
    ["a+(b)[c]{d}^$|.txt", ["a+(b)[c]{d}^$|.txt"], ["aab.txt"]],
    ["**", ["a", "a/b/c"], []],
    ["*", ["a", ".gitignore"], ["a/b"]],
  ])("%s", (pattern, inside, outside) => {
    expect(inside.filter((path) => !within(pattern)(path))).toEqual([]);
    expect(outside.filter((path) => within(pattern)(path))).toEqual([]);
  });

  it("holds a name with a line break to its pattern", () => {
    expect(within("src/*.ts")("src/a\nb.ts")).toBe(true);
    expect(within("src/a.ts")("src/a.ts\nother")).toBe(false);
  });

  it("takes any of several, and nothing when there are none", () => {
    expect(within("a/", "b/")("b/x")).toBe(true);
    expect(within()("a")).toBe(false);
  });

  it("full is everything, read_only is nothing", () => {
    expect(inScope({ repo: "app", access: "full" }, "any/where")).toBe(true);
    expect(inScope({ repo: "app", access: "read_only" }, "any/where")).toBe(false);
  });
});

describe("a plain path", () => {
  it.each(["a", "a/b.txt", ".gitignore", "a b/ü.txt", "a\\b", "...", "a/..b", "-rf", "~"])("%j is one", (path) =>
    expect(isPlainPath(path)).toBe(true),
  );

  it.each([
    "",
    "/",
    "/etc/passwd",
    "..",
    "../a",
    "a/../b",
    "a/..",
    ".",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "a\0b",
    `${"a/".repeat(3_000)}b`,
  ])("%j is none", (path) => expect(isPlainPath(path)).toBe(false));

  it("stays below the directory it is joined to", () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "..", ".", "", "b c", "\0"), { maxLength: 6 }), (parts) => {
        const path = parts.join("/");
        if (isPlainPath(path)) expect(new URL(path, "file:///w/").pathname.startsWith("/w/")).toBe(true);
      }),
    ));
});
