import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { writeDown } from "./boundaries.ts";
import { sentences } from "./checker/report.ts";
import { listingOf } from "./checker/repository.ts";
import { check } from "./checker.ts";
import { besideOf, openWorld } from "./driver.ts";
import { together } from "./journeys.ts";
import { beginLife, type Life } from "./life.ts";
import { placesIn } from "./places.ts";

/*
 * One task over three repositories, proven once; then its delivery, with the daemon killed between each two of the branches that move.
 * Each death is followed by a next daemon, which has settled what it found when it says that it is ready.
 */
const top = mkdtempSync(join(tmpdir(), "agentos-together-"));
const directory = join(top, "world");
const aside = join(top, "aside");
const places = placesIn(directory);
const app = join(places.repos, "together");
const REPOS = { app, lib: besideOf(app, "lib"), tools: besideOf(app, "tools") } as const;
let task = "";
let life: Life | null = null;

beforeAll(async () => {
  mkdirSync(directory);
  const world = openWorld(directory, { codeCache: join(top, "code") });
  const { findings } = await world.travel(together, "together", []);
  await world.close();
  expect(findings).toEqual([]);
  task = readFileSync(places.acknowledged, "utf8").match(/"path":"\/api\/tasks","view":\{"id":"(\w+)"/)?.[1] ?? "";
  cpSync(directory, aside, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
});
beforeEach(() => {
  rmSync(directory, { recursive: true, force: true });
  cpSync(aside, directory, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
});
afterAll(async () => {
  await life?.stop();
  rmSync(top, { recursive: true, force: true });
});

const git = (repository: string, ...args: readonly string[]): string =>
  execFileSync(
    "git",
    ["-c", "core.hooksPath=/dev/null", "-c", "user.name=Casey", "-c", "user.email=c@example.com", ...args],
    {
      cwd: repository,
      encoding: "utf8",
      env: { PATH: "/usr/bin:/bin", GIT_CONFIG_NOSYSTEM: "1", HOME: top },
    },
  ).trim();

const begin = async (): Promise<Life> => {
  const begun = await beginLife(directory, { dieAt: null, codeCache: join(top, "code"), changed: () => undefined });
  if (begun === null) throw new Error("the daemon died at its start");
  life = begun;
  return begun;
};
const deliver = (now: Life): Promise<Response> =>
  fetch(`${now.url}/api/tasks/${task}/deliver`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ way: "merge" }),
  });
const view = async (now: Life): Promise<Record<string, unknown>> =>
  (await (await fetch(`${now.url}/api/tasks/${task}`)).json()) as Record<string, unknown>;

/** The daemon is asked to deliver and dies at that point; then `meanwhile`, and the next one begins. */
async function killedAt(point: string, meanwhile: () => void = () => undefined): Promise<Life> {
  const first = await begin();
  await first.arm({ name: point });
  const answer = deliver(first).then(
    ({ status }) => status,
    () => "no answer",
  );
  await first.ended;
  expect([first.endedBy(), await answer]).toEqual(["SIGKILL", "no answer"]);
  expect(sentences(check(directory, { stopped: false }).findings)).toEqual([]);
  meanwhile();
  return begin();
}

/** What each repository shows: the line of its file on the branch and in the checkout, and whether anything is half-done there. */
const shown = () =>
  Object.fromEntries(
    Object.entries(REPOS).map(([name, path]) => [
      name,
      [
        git(path, "show", "main:a.txt"),
        readFileSync(join(path, "a.txt"), "utf8").trim(),
        git(path, "status", "--porcelain", "-uno"),
      ],
    ]),
  );
const ONE = ["one", "one", ""];
const TWO = ["two", "two", ""];

async function atRest(now: Life): Promise<void> {
  await now.stop();
  expect(sentences(check(directory, { stopped: true }).findings)).toEqual([]);
}

test.each(["after the move of together$", "after the move of together-lib$", "after the move of together-tools$"])(
  "killed %s: the next daemon brings the work to all three",
  async (point) => {
    const next = await killedAt(point);
    expect(shown()).toEqual({ app: TWO, lib: TWO, tools: TWO });
    expect(Object.keys((await view(next))["delivered"] ?? {})).toEqual(["app", "lib", "tools"]);
    await atRest(next);
  },
);

test("killed after two of three, and somebody took the third branch on: the two go back to where they were", async () => {
  const next = await killedAt("after the move of together-lib$", () => {
    writeFileSync(join(REPOS.tools, "theirs.txt"), "theirs\n");
    git(REPOS.tools, "add", "theirs.txt");
    git(REPOS.tools, "commit", "-q", "-m", "theirs");
    writeDown(places.repositories, {
      label: "together",
      repo: "tools",
      repository: REPOS.tools,
      before: listingOf(REPOS.tools),
    });
  });
  expect(shown()).toEqual({ app: ONE, lib: ONE, tools: ONE });
  expect(await view(next)).toMatchObject({ delivered: null, open_step: null, waiting: null });
  await atRest(next);
});

test("killed on the way back too, it still goes back, although the third branch is free again", async () => {
  const theirs = (): void => {
    git(REPOS.tools, "commit", "-q", "--allow-empty", "-m", "theirs");
  };
  const first = await begin();
  await first.arm({ name: "after the move of together-lib$" });
  await deliver(first).catch(() => null);
  await first.ended;
  theirs();
  const second = await beginLife(directory, {
    dieAt: { name: "after the way back of together-lib$" },
    codeCache: join(top, "code"),
    changed: () => undefined,
  });
  expect(second).toBeNull();
  git(REPOS.tools, "reset", "-q", "--hard", "HEAD~1");
  const next = await begin();
  expect(shown()).toEqual({ app: ONE, lib: ONE, tools: ONE });
  // And the same work can be delivered afterwards, now that nobody is in its way.
  expect((await deliver(next)).status).toBe(200);
  expect(shown()).toEqual({ app: TWO, lib: TWO, tools: TWO });
  await next.stop();
  expect(sentences(check(directory, { stopped: true }).findings.filter((one) => one.check !== "repository"))).toEqual(
    [],
  );
});

test("somebody built on one branch and took another elsewhere: nothing of theirs is undone, and the task says where each branch is", async () => {
  const next = await killedAt("after the move of together-lib$", () => {
    git(REPOS.app, "commit", "-q", "--allow-empty", "-m", "built on it");
    git(REPOS.tools, "commit", "-q", "--allow-empty", "-m", "theirs");
  });
  const before = Object.values(REPOS).map((path) => git(path, "rev-parse", "main"));
  expect((await view(next))["waiting"]).toMatchObject({
    reason: "outcome_unknown",
    sentence: expect.stringMatching(
      /main of app has gone on from the delivered .*; main of lib is at the delivered .*; main of tools was taken to .* by somebody else/,
    ),
  });
  const again = await deliver(next);
  expect([again.status, await again.json()]).toEqual([409, expect.objectContaining({ code: "delivery/torn" })]);
  expect(Object.values(REPOS).map((path) => git(path, "rev-parse", "main"))).toEqual(before);
  const rules = sentences(check(directory, { stopped: false }).findings);
  expect(rules).toEqual([]);
  // The person takes the third branch back to where it was: then all of it can go on.
  git(REPOS.tools, "reset", "-q", "--hard", "HEAD~1");
  expect((await deliver(next)).status).toBe(200);
  expect([shown(), (await view(next))["waiting"]]).toEqual([{ app: TWO, lib: TWO, tools: TWO }, null]);
  await next.stop();
});
