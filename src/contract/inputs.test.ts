import { expect, test } from "vitest";
import { NewRepoInput, RepoChangeInput, ScopeInput } from "./inputs.ts";
import { parse } from "./parse.ts";

const said = (pattern: string): string => {
  try {
    parse(RepoChangeInput, { path_filters: [pattern] });
    return "valid";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

test.each(["src/", "src/**", "**/*.md", "a?.txt", "app/[id].tsx", "nope**['", "a.txt"])(
  "a path pattern may be %s; what is neither * nor ? stands for itself",
  (pattern) => {
    expect(said(pattern)).toBe("valid");
    parse(ScopeInput, { repo: "app", access: "paths", paths: [pattern] });
    parse(NewRepoInput, { path: "/src", path_filters: [pattern] });
  },
);

test.each(["/src/**", "./src", "../lib/", "a//b", ".", "/", "a/../b", "a\0b"])(
  "a path pattern that no path of a repo can match is refused: %j",
  (pattern) => {
    expect(said(pattern)).toBe(
      `the input is not valid: path_filters.0: must be a path from the top of the repo, without a first slash, "." or ".."; * stands for anything within a directory, ** for any depth, not ${JSON.stringify(pattern)}`,
    );
    const issues = (result: { readonly success: boolean }) => result.success;
    expect([
      issues(ScopeInput.safeParse({ repo: "app", access: "paths", paths: [pattern] })),
      issues(NewRepoInput.safeParse({ path: "/src", path_filters: [pattern] })),
    ]).toEqual([false, false]);
  },
);
