import { expect, test } from "vitest";
import type { z } from "zod";
import { InboxQuery } from "./inbox-inputs.ts";
import {
  AllEventsQuery,
  EventsQuery,
  LogsQuery,
  NewRepoInput,
  OutputQuery,
  RepoChangeInput,
  ScopeInput,
  SpecInput,
  TaskListQuery,
} from "./inputs.ts";
import { parse } from "./parse.ts";

const told = (schema: z.ZodType, value: unknown): string => {
  try {
    parse(schema, value);
    return "valid";
  } catch (error) {
    return error instanceof Error ? error.message.replace("the input is not valid: ", "") : String(error);
  }
};
const said = (pattern: string): string => told(RepoChangeInput, { path_filters: [pattern] });

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
      `path_filters.0: must be a path from the top of the repo, without a first slash, "." or ".."; * stands for anything within a directory, ** for any depth, not ${JSON.stringify(pattern)}`,
    );
    const issues = (result: { readonly success: boolean }) => result.success;
    expect([
      issues(ScopeInput.safeParse({ repo: "app", access: "paths", paths: [pattern] })),
      issues(NewRepoInput.safeParse({ path: "/src", path_filters: [pattern] })),
    ]).toEqual([false, false]);
  },
);

const WHEN = "must be a day or a moment as ISO 8601, e.g. 2026-01-31 or 2026-01-31T09:30:00Z";
const AGENT =
  'must be builtin, script, gates, acp:NAME of one that agentos agent list shows, or your own: {"kind": "acp" or "command", "command": …}';
const COMMAND = "must be a command: a text for a shell, or a list of words";

test.each<readonly [schema: z.ZodType, value: Readonly<Record<string, unknown>>, says: string]>([
  [TaskListQuery, { created_from: "yesterday" }, `created_from: ${WHEN}, not "yesterday"`],
  [TaskListQuery, { created_before: "31.1.2026" }, `created_before: ${WHEN}, not "31.1.2026"`],
  [TaskListQuery, { limit: "many" }, 'limit: must be a whole number, not "many"'],
  [InboxQuery, { limit: "many" }, 'limit: must be a whole number, not "many"'],
  [EventsQuery, { after: "then" }, 'after: must be a whole number, not "then"'],
  [AllEventsQuery, { after: "then" }, 'after: must be a whole number, or now, not "then"'],
  [LogsQuery, { bytes: "1k" }, 'bytes: must be a whole number, not "1k"'],
  [OutputQuery, { step: "s", run: "a" }, 'run: must be a whole number, not "a"'],
  [SpecInput, { title: "t", agent: "clod" }, `agent: ${AGENT}, not "clod"`],
  [SpecInput, { title: "t", agent: { kind: "acpp", command: "x" } }, `agent: ${AGENT}`],
  [SpecInput, { title: "t", criteria: [1] }, 'criteria.0: must be a text, or {"text": …, "gate": …}, not 1'],
  [SpecInput, { title: "t", gates: [{ id: "g", run: 1 }] }, `gates.0.run: ${COMMAND}, not 1`],
  [
    SpecInput,
    { title: "t", gates: [{ id: "g", run: "x", beside: "some" }] },
    'gates.0.beside: must be all, or a list of repos, not "some"',
  ],
  [
    SpecInput,
    { title: "t", scopes: [{ repo: "App", access: "full" }] },
    'scopes.0.repo: must be lower-case letters, digits, dot, dash or underscore, 64 at most, not "App"',
  ],
  [
    SpecInput,
    { title: "t", scopes: [{ repo: "app", access: "some" }] },
    'scopes.0.access: must be full, read_only or paths, not "some"',
  ],
])("a value that may be several things and is none of them is told what it may be", (schema, value, says) => {
  expect(told(schema, value)).toBe(says);
});
