import type { Actor } from "../domain/actor.ts";
import type { ProjectEvent, ProjectSettings, RepoFacts } from "../domain/event.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { Project } from "../domain/project.ts";
import { isRemote, parseRemote, remoteName } from "../domain/remote.ts";
import { projectStream } from "../domain/stream.ts";
import { type StagedBlob, StreamMoved } from "../ports/store.ts";
import type { Probe, RepoState } from "../ports/workspaces.ts";
import type { AppDependencies } from "./deps.ts";
import { present, stageText } from "./text.ts";

export interface NewRepo {
  /** Absolute path, or the url of a remote repository. */
  readonly path: string;
  readonly name: string | null;
  readonly role: RepoFacts["role"];
  readonly writable: boolean;
  readonly pathFilters: readonly string[];
  /** Null: whatever is checked out when a task begins. Not said: what is checked out now. */
  readonly defaultBranch?: string | null;
  /** The person's PATH, null: the daemon's. */
  readonly toolPath: readonly string[] | null;
}

export interface NewProject {
  readonly name: string;
  readonly settings: ProjectSettings;
  readonly repos: readonly NewRepo[];
}

export const NO_SETTINGS: ProjectSettings = { agent: null, runMode: null, packageHosts: [], tasksMax: null };

/** By id, else by name. */
export async function findProject(deps: AppDependencies, wanted: string): Promise<Project> {
  const found = (await deps.store.projects.project(wanted)) ?? (await deps.store.projects.projectNamed(wanted));
  if (found === null || found.project.deleted) throw new Failure("project/not-found", `there is no project ${wanted}`);
  return found.project;
}

export async function createProject(deps: AppDependencies, by: Actor, wanted: NewProject): Promise<Project> {
  if ((await deps.store.projects.projectNamed(wanted.name)) !== null)
    throw new Failure("project/refused", `a project called ${wanted.name} exists already`, {
      next: `agentos project show ${wanted.name}`,
    });
  const id = deps.ids.ulid();
  const repos: RepoFacts[] = [];
  for (const repo of wanted.repos) repos.push(await repoFacts(deps, repo, repos));
  const events: ProjectEvent[] = [
    { type: "PROJECT_CREATED", body: { name: wanted.name, settings: wanted.settings } },
    ...repos.map((body): ProjectEvent => ({ type: "REPO_ADDED", body })),
  ];
  return append(deps, by, id, 0, events);
}

export async function changeProject(
  deps: AppDependencies,
  by: Actor,
  wanted: string,
  change: { readonly name?: string; readonly settings?: Partial<ProjectSettings> },
): Promise<Project> {
  const project = await findProject(deps, wanted);
  const name = change.name ?? project.name;
  const other = await deps.store.projects.projectNamed(name);
  if (other !== null && other.project.id !== project.id)
    throw new Failure("project/refused", `a project called ${name} exists already`);
  return changeStream(deps, by, project.id, (now) => [
    {
      type: "PROJECT_CHANGED",
      body: { name: change.name ?? now.name, settings: { ...now.settings, ...change.settings } },
    },
  ]);
}

/** None of its tasks is taken up until it is resumed; what runs is put back into the queue at its next boundary. Twice is once. */
export async function pauseProject(
  deps: AppDependencies,
  by: Actor,
  wanted: string,
  reason: string | null,
): Promise<Project> {
  const project = await findProject(deps, wanted);
  const blob = await stageText(deps, reason);
  return changeStream(
    deps,
    by,
    project.id,
    ({ paused }) => (paused === null ? [{ type: "PROJECT_PAUSED", body: { reason: blob?.ref ?? null } }] : []),
    present([blob]),
  );
}

export async function resumeProject(
  deps: AppDependencies,
  by: Actor,
  wanted: string,
  reason: string | null,
): Promise<Project> {
  const project = await findProject(deps, wanted);
  const blob = await stageText(deps, reason);
  return changeStream(
    deps,
    by,
    project.id,
    ({ paused }) => (paused === null ? [] : [{ type: "PROJECT_RESUMED", body: { reason: blob?.ref ?? null } }]),
    present([blob]),
  );
}

/** Refused while a task of it has not ended. Its history stays. */
export async function deleteProject(deps: AppDependencies, by: Actor, wanted: string): Promise<Project> {
  const project = await findProject(deps, wanted);
  const living = await deps.store.projects.livingTasks(project.id);
  if (living > 0)
    throw new Failure(
      "project/refused",
      `the project ${project.name} has ${living} task${living === 1 ? "" : "s"} that ${living === 1 ? "has" : "have"} not ended`,
      { next: `agentos task list --project ${project.name} shows them; cancel or finish them first.` },
    );
  return changeStream(deps, by, project.id, () => [{ type: "PROJECT_DELETED", body: {} }]);
}

export async function addRepo(deps: AppDependencies, by: Actor, wanted: string, repo: NewRepo): Promise<RepoFacts> {
  const project = await findProject(deps, wanted);
  const facts = await repoFacts(deps, repo, project.repos);
  await changeStream(deps, by, project.id, ({ repos }) => {
    refuseSecond(facts, repos);
    return [{ type: "REPO_ADDED", body: facts }];
  });
  return facts;
}

export type RepoChange = Partial<
  Pick<RepoFacts, "path" | "role" | "writable" | "pathFilters" | "defaultBranch" | "toolPath">
>;

/** Changes what a project says of a repo, and says what that means for tasks that have not ended. */
export async function changeRepo(
  deps: AppDependencies,
  by: Actor,
  id: string,
  change: RepoChange,
): Promise<{ readonly repo: RepoFacts; readonly notes: readonly string[] }> {
  const found = await findRepo(deps, id);
  const moved = change.path === undefined ? null : await usable(deps, change.path);
  const branch = change.defaultBranch ?? null;
  const path = moved?.root ?? found.repo.path;
  if (branch !== null && (await deps.workspaces.branchHead(path, branch)) === null)
    throw new Failure("repo/unsupported", `${path} has no branch ${branch}`, {
      next: "Make it there first, or name another.",
    });
  const role = change.role ?? found.repo.role;
  const part = moved === null ? {} : partOf(role, moved);
  const changed = ({ repos }: Project): RepoFacts => {
    const { directory, ...now } = repos.find((repo) => repo.id === id) ?? found.repo;
    const kept =
      role === "monorepo-subdir" && change.path === undefined && directory !== undefined ? { directory } : part;
    const facts: RepoFacts = { ...now, ...change, path, ...kept };
    refuseSecond(
      facts,
      repos.filter((other) => other.id !== id),
    );
    return facts;
  };
  const project = await changeStream(deps, by, found.project, (before) => [
    { type: "REPO_CHANGED", body: changed(before) },
  ]);
  const repo = project.repos.find((one) => one.id === id);
  if (repo === undefined) throw new Error(`repo ${id} is gone right after it was changed`);
  return { repo, notes: await meansFor(deps, found.project, found.repo, repo) };
}

/** What a change does to tasks of the project that live: they work in clones of their own, on a spec that is frozen. */
async function meansFor(
  deps: AppDependencies,
  project: string,
  before: RepoFacts,
  after: RepoFacts,
): Promise<readonly string[]> {
  const living = await deps.store.projects.livingTasks(project);
  if (living === 0) return [];
  const tasks = living === 1 ? "1 task that has not ended" : `${living} tasks that have not ended`;
  const frozen = (["role", "pathFilters", "defaultBranch", "directory"] as const).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  return [
    ...(before.path === after.path
      ? []
      : [
          `${tasks}: they go on in their own clones and are delivered to ${after.path}; one that has not begun yet begins there`,
        ]),
    ...(before.writable === after.writable
      ? []
      : after.writable
        ? [`${tasks}: a spec that was frozen read-only stays read-only; revise the task to change that`]
        : [`${tasks}: from their next step on they change nothing here any more`]),
    ...(frozen.length === 0
      ? []
      : [
          `${tasks}: they keep the ${frozen.map((key) => WORDS[key]).join(", ")} their spec was frozen with; revise a task to take the new`,
        ]),
  ];
}

const WORDS = {
  role: "role",
  pathFilters: "path filters",
  defaultBranch: "branch",
  directory: "directory",
} as const;

async function usable(deps: AppDependencies, path: string): Promise<RepoState> {
  const state = await deps.workspaces.inspect(path);
  if (state.unsupported.length > 0)
    throw new Failure("repo/unsupported", `${state.root}: ${state.unsupported.join("; ")}`);
  return state;
}

export async function findRepo(
  deps: AppDependencies,
  id: string,
): Promise<{ readonly project: string; readonly repo: RepoFacts }> {
  const found = await deps.store.projects.repo(id);
  if (found === null) throw new Failure("repo/not-found", `there is no repo ${id}`);
  return found;
}

export interface Scan {
  readonly state: RepoState;
  readonly ecosystems: readonly string[];
  readonly gates: readonly { readonly id: string; readonly argv: readonly string[]; readonly judgement: string }[];
  readonly prepare: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** Whether it can be read and written, tried without changing it. */
export async function probeRepo(deps: AppDependencies, id: string): Promise<Probe> {
  const { repo } = await findRepo(deps, id);
  return deps.workspaces.probe(repo.path, repo.defaultBranch);
}

/** What AgentOS sees in a repository at its present commit: what a task's spec would be completed with. */
export async function scanRepo(deps: AppDependencies, id: string): Promise<Scan> {
  const { repo } = await findRepo(deps, id);
  const state = await deps.workspaces.inspect(repo.path, repo.defaultBranch);
  const commit = state.head;
  if (commit === null) return { state, ecosystems: [], gates: [], prepare: [], notes: ["there is no commit yet"] };
  const detected = await deps.runners.detect(repo.name, {
    text: (path) => deps.workspaces.fileAt(repo.path, commit, path),
    paths: (prefix, most) => deps.workspaces.pathsAt(repo.path, commit, prefix, most),
  });
  return {
    state,
    ecosystems: detected.ecosystems,
    gates: detected.gates.map(({ id: gate, argv, judgement }) => ({ id: gate, argv, judgement })),
    prepare: detected.prepare.map(({ argv }) => argv),
    notes: detected.notes,
  };
}

/** The project of the repository at this path; made, named after its folder, when there is none. */
export async function projectOfPath(
  deps: AppDependencies,
  by: Actor,
  path: string,
  toolPath: readonly string[] | null,
): Promise<{ readonly project: Project; readonly made: boolean }> {
  const { root } = await deps.workspaces.inspect(path);
  const stem = slug(root.split("/").findLast((part) => part !== "") ?? "repo");
  for (let tries = 1; ; tries += 1) {
    const known = await deps.store.projects.projectOfPath(root);
    if (known !== null) return { project: known, made: false };
    let name = stem;
    for (let n = 2; (await deps.store.projects.projectNamed(name)) !== null; n += 1) name = `${stem}-${n}`;
    try {
      const project = await createProject(deps, by, {
        name,
        settings: NO_SETTINGS,
        repos: [
          { path: root, name: null, role: "code", writable: true, pathFilters: [], defaultBranch: null, toolPath },
        ],
      });
      return { project, made: true };
    } catch (error) {
      // Someone else took the name meanwhile, for this path or for another of the same name: looked at again.
      if (tries === NAME_TRIES || !isFailure(error, "project/refused")) throw error;
    }
  }
}

const NAME_TRIES = 20;

async function repoFacts(deps: AppDependencies, wanted: NewRepo, others: readonly RepoFacts[]): Promise<RepoFacts> {
  if (isRemote(wanted.path)) parseRemote(wanted.path);
  const state = await usable(deps, wanted.path);
  const name = wanted.name ?? slug(remoteName(state.root));
  const facts: RepoFacts = {
    id: deps.ids.ulid(),
    name,
    path: state.root,
    defaultBranch: wanted.defaultBranch === undefined ? state.branch : wanted.defaultBranch,
    role: wanted.role,
    writable: wanted.writable,
    pathFilters: wanted.pathFilters,
    ...partOf(wanted.role, state),
    toolPath: wanted.toolPath ?? deps.toolPath,
  };
  refuseSecond(facts, others);
  return facts;
}

/** The part of a monorepo that is meant: where the path led below the repository's top. */
const partOf = (role: RepoFacts["role"], { below }: RepoState): Pick<RepoFacts, "directory"> =>
  role === "monorepo-subdir" && below !== "" ? { directory: below } : {};

/** A project has each name and each repository once. */
function refuseSecond({ name, path }: RepoFacts, others: readonly RepoFacts[]): void {
  if (others.some((other) => other.name === name))
    throw new Failure("project/refused", `the project has a repo called ${name} already`, {
      next: "Name it: --name NAME",
    });
  if (others.some((other) => other.path === path))
    throw new Failure("project/refused", `the project has the repository ${path} already`);
}

const slug = (text: string): string => {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  return plain === "" ? "repo" : plain.slice(0, 64);
};

/** Decides on the project as it is, and again where someone else spoke in between. */
export async function changeStream(
  deps: AppDependencies,
  by: Actor,
  id: string,
  decide: (project: Project) => readonly ProjectEvent[],
  blobs: readonly StagedBlob[] = [],
): Promise<Project> {
  for (let tries = 0; tries < 20; tries += 1) {
    const found = await deps.store.projects.project(id);
    if (found === null || found.project.deleted) throw new Failure("project/not-found", `there is no project ${id}`);
    const events = decide(found.project);
    if (events.length === 0) return found.project;
    try {
      return await append(deps, by, id, found.seq, events, blobs);
    } catch (error) {
      if (!(error instanceof StreamMoved)) throw error;
    }
  }
  throw new Failure("store/busy", `project ${id} changed 20 times meanwhile`);
}

async function append(
  deps: AppDependencies,
  by: Actor,
  id: string,
  expected: number,
  events: readonly ProjectEvent[],
  blobs: readonly StagedBlob[] = [],
): Promise<Project> {
  const atMs = deps.clock.nowMs();
  await deps.store.append({
    stream: projectStream(id),
    expected,
    events: events.map((event) => ({ actor: by, atMs, event })),
    blobs,
    lease: null,
  });
  const found = await deps.store.projects.project(id);
  if (found === null) throw new Error(`project ${id} is gone right after it was written`);
  return found.project;
}
