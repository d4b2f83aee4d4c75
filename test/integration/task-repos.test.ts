import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { expect, test } from "vitest";
import { NO_SETTINGS } from "../../src/app/projects.ts";
import type { RepoFacts } from "../../src/domain/event.ts";
import { ADA, commit, git, put, type Rig, repository, room, startRig } from "./task-kit.ts";

/* A task over several repositories: what each of them is, who may change what, and what proves the whole. */

const projectOf = (rig: Rig, name: string, ...repos: readonly ({ path: string } & Partial<RepoFacts>)[]) =>
  rig.system.cases.createProject(ADA, {
    name,
    settings: NO_SETTINGS,
    repos: repos.map(({ path, ...over }) => ({
      path,
      name: null,
      role: "code",
      writable: true,
      pathFilters: [],
      toolPath: null,
      ...over,
    })),
  });

test("three repositories, one of them only read: a hostile write fails by its mount, and the gate over all of them turns from red to green", async () => {
  const rig = await startRig();
  const place = room();
  const app = repository({ "src/a.txt": "one\n" }, `${place}/app`);
  git(app, "checkout", "-q", "-b", "release");
  put(app, { "src/a.txt": "one of the release\n" });
  const release = commit(app, "release");
  git(app, "checkout", "-q", "main");
  const lib = repository({ "a.txt": "two\n" }, `${place}/lib`);
  const mono = repository({ "packages/web/a.txt": "one\n", "top.txt": "top\n" }, `${place}/mono`);
  const project = await projectOf(
    rig,
    "three",
    { path: app, pathFilters: ["src/"] },
    { path: lib, writable: false, role: "docs" },
    { path: `${mono}/packages/web`, role: "monorepo-subdir", name: "web" },
  );
  const hostile =
    "! (echo hostile > $AGENTOS_REPOS/lib/a.txt) 2>/dev/null && ! rm -rf $AGENTOS_REPOS/lib/a.txt 2>/dev/null";
  const id = await rig.queued(project, {
    agent: "script",
    branches: { app: "release" },
    gates: [
      {
        id: "fits",
        repo: "app",
        beside: "all",
        run: `cd $AGENTOS_REPOS && ${hostile} && grep -qx two app/src/a.txt && cmp lib/a.txt web/packages/web/a.txt`,
      },
    ],
    plan: {
      items: [
        {
          id: "app",
          title: "App",
          repo: "app",
          do: [
            { write: "src/a.txt", content: "two\n" },
            {
              run: "cd /workspace/lib && (echo hostile > a.txt; rm -f a.txt; touch b.txt; chmod 777 .) 2> /workspace/app/src/said.txt; true",
            },
          ],
        },
        {
          id: "web",
          title: "Web",
          repo: "web",
          depends_on: ["app"],
          do: [{ run: "pwd > /tmp/here && grep -q packages/web /tmp/here && echo two > a.txt" }],
        },
      ],
    },
  });
  await rig.until(id, "awaiting_approval");
  expect((await rig.system.cases.look.plan(id)).value.notes).toEqual([
    "app (code, branch release) may be changed in src/",
    "lib (docs, branch main) is only read",
    "web (monorepo-subdir in packages/web, branch main) may be changed in packages/web/",
  ]);
  await rig.approve(id);
  const done = await rig.until(id, "succeeded");
  expect(done.bases).toMatchObject({ app: { commit: release, branch: "release" } });
  expect([done.baseline["fits"]?.verdict, done.verdicts["fits"]?.verdict]).toEqual(["fail", "pass"]);
  const candidate = done.candidate ?? {};
  expect(done.verdicts["fits"]).toMatchObject({
    repo: "app",
    tree: candidate["app"]?.tree,
    beside: { lib: { tree: candidate["lib"]?.baseTree }, web: { tree: candidate["web"]?.tree } },
  });
  expect(candidate["lib"]).toMatchObject({ changed: 0, leftOut: [] });
  // The kernel's own word for it, in implementation and in the gate.
  const seen = await rig.system.cases.look.steps(id);
  const mounted = seen.flatMap(({ act, step, evidence }) =>
    evidence.flatMap((one) =>
      one.kind === "mount" && !step.includes(".plan") ? [[act.kind, one.repo, / ro[, ]/.test(one.line)] as const] : [],
    ),
  );
  expect(new Set(mounted.map((one) => one.join(" ")))).toEqual(new Set(["read lib true", "gate lib true"]));

  await expect(
    rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null, push: "fits" }),
  ).rejects.toMatchObject({
    code: "delivery/refused",
    message: "app, web are local repositories, and --push is for remotes",
    next: `agentos task deliver ${id} --way branch --branch fits writes that branch in each of them.`,
  });
  const { repos } = await rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null });
  expect([repos["app"]?.branch, repos["web"]?.branch, Object.keys(repos)]).toEqual(["release", "main", ["app", "web"]]);
  expect(
    git(app, "show", "release:src/said.txt")
      .split("\n")
      .map((line) => line.replace(/.*: /, "")),
  ).toEqual(Array.from({ length: 4 }, () => "Read-only file system"));
  expect(readFileSync(`${app}/src/a.txt`, "utf8")).toBe("one\n");
  expect(git(app, "rev-parse", "HEAD")).toBe(git(app, "rev-parse", "main"));
  expect(readFileSync(`${mono}/packages/web/a.txt`, "utf8")).toBe("two\n");
  expect(readFileSync(`${lib}/a.txt`, "utf8")).toBe("two\n");
  expect(rig.warnings).toEqual([]);
});

test("what a project says of a repo can be changed, with word on what living tasks make of it; filters hold in the candidate too", async () => {
  const rig = await startRig();
  const place = room();
  const app = repository({ "src/a.txt": "one\n", "b.txt": "one\n" }, `${place}/app`);
  const project = await projectOf(rig, "moving", { path: app });
  const [repo] = project.repos;
  if (repo === undefined) throw new Error("the project has no repo");
  const change = (what: Parameters<typeof rig.system.cases.changeRepo>[2]) =>
    rig.system.cases.changeRepo(ADA, repo.id, what);
  expect((await change({ pathFilters: ["src/"] })).notes).toEqual([]);
  await expect(change({ defaultBranch: "nowhere" })).rejects.toMatchObject({
    code: "repo/unsupported",
    message: `${app} has no branch nowhere`,
  });

  const spec = (text: string) => ({
    agent: "script",
    attempts: 1,
    gates: [{ id: "check", run: "true" }],
    plan: { items: [{ id: "work", title: "Do it", do: [{ run: text }] }] },
  });
  const outside = await rig.approved(project, spec("echo two > src/a.txt; echo two > b.txt"));
  expect(await rig.until(outside, "blocked")).toMatchObject({
    reason: "gates_exhausted",
    detail: expect.stringContaining("app: b.txt was changed outside the paths of the spec"),
  });
  const inside = await rig.approved(project, spec("echo two > src/a.txt"));
  await rig.until(inside, "succeeded");

  mkdirSync(`${place}/moved`);
  renameSync(app, `${place}/moved/app`);
  const moved = await change({ path: `${place}/moved/app`, pathFilters: [], writable: false });
  expect(moved.repo).toMatchObject({ path: `${place}/moved/app`, pathFilters: [], writable: false });
  expect(moved.notes).toEqual([
    `1 task that has not ended: they go on in their own clones and are delivered to ${place}/moved/app; one that has not begun yet begins there`,
    "1 task that has not ended: from their next step on they change nothing here any more",
    "1 task that has not ended: they keep the path filters their spec was frozen with; revise a task to take the new",
  ]);
  await rig.system.cases.deliver({ task: inside, by: ADA, way: "merge", branch: null });
  expect(readFileSync(`${place}/moved/app/src/a.txt`, "utf8")).toBe("two\n");
  expect(rig.warnings).toEqual([]);
});
