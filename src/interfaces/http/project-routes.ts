import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { agentFrom } from "../../contract/from-wire.ts";
import {
  NewProjectInput,
  NewRepoInput,
  ProjectChangeInput,
  ProjectOfPathInput,
  ReasonInput,
  RepoChangeInput,
} from "../../contract/inputs.ts";
import { modelPolicyFrom } from "../../contract/model-wire.ts";
import { parse } from "../../contract/parse.ts";
import { projectView, repoView } from "../../contract/present.ts";
import {
  ProbeView,
  ProjectListView,
  ProjectOfPathView,
  ProjectView,
  RepoChangedView,
  RepoListView,
  RepoView,
  ScanView,
} from "../../contract/views.ts";
import { bodyOf, json, jsonBody, optionalBody, problems } from "./shapes.ts";
import type { Surface } from "./surface.ts";

const ProjectParam = z.object({ id: z.string().min(1).max(200) });
const RepoParam = z.object({ id: z.string().min(1).max(200) });

const repoOf = (input: z.infer<typeof NewRepoInput>) => ({
  path: input.path ?? input.url ?? "",
  name: input.name ?? null,
  role: input.role,
  writable: input.writable,
  pathFilters: input.path_filters,
  ...(input.default_branch !== undefined && { defaultBranch: input.default_branch }),
  toolPath: input.tool_path ?? null,
});

const settingsOf = (input: NonNullable<z.infer<typeof ProjectChangeInput>["settings"]>) => ({
  ...(input.agent !== undefined && { agent: input.agent === null ? null : agentFrom(input.agent) }),
  ...(input.agent_grants !== undefined && { agentGrants: input.agent_grants }),
  ...(input.run_mode !== undefined && { runMode: input.run_mode }),
  ...(input.flaky !== undefined && { flaky: input.flaky }),
  ...(input.package_hosts !== undefined && { packageHosts: input.package_hosts }),
  ...(input.approvals !== undefined && {
    approvals: {
      approverNotCreator: input.approvals.approver_not_creator,
      expiresMs: input.approvals.expires_ms,
      delegates: input.approvals.delegates,
    },
  }),
  ...(input.tasks_max !== undefined && { tasksMax: input.tasks_max }),
  ...(input.models !== undefined && { models: modelPolicyFrom(input.models) }),
});

export function projectRoutes(api: OpenAPIHono, { cases, person }: Surface): void {
  const { look } = cases;

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/projects",
      summary: "All projects",
      responses: { 200: json(ProjectListView, "Projects"), ...problems },
    }),
    async (c) => c.json({ items: (await look.projects()).map(projectView) }, 200),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/projects",
      summary: "Create a project",
      request: { body: jsonBody(NewProjectInput) },
      responses: { 201: json(ProjectView, "The project"), ...problems },
    }),
    async (c) => {
      const { name, settings, repos } = c.req.valid("json");
      const project = await cases.createProject(person, {
        name,
        settings: { agent: null, runMode: null, packageHosts: [], tasksMax: null, ...settingsOf(settings) },
        repos: repos.map(repoOf),
      });
      return c.json(projectView(project), 201);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/projects/of-path",
      summary: "The project of a repository's path, made when there is none",
      request: { body: jsonBody(ProjectOfPathInput) },
      responses: { 200: json(ProjectOfPathView, "The project"), ...problems },
    }),
    async (c) => {
      const { path, tool_path } = c.req.valid("json");
      const { project, made } = await cases.projectOfPath(person, path, tool_path ?? null);
      return c.json({ project: projectView(project), made }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/projects/{id}",
      summary: "One project, by id or name",
      request: { params: ProjectParam },
      responses: { 200: json(ProjectView, "The project"), ...problems },
    }),
    async (c) => c.json(projectView(await look.project(c.req.valid("param").id)), 200),
  );

  api.openapi(
    createRoute({
      method: "patch",
      path: "/api/projects/{id}",
      summary: "Rename it or change its settings",
      request: { params: ProjectParam, body: jsonBody(ProjectChangeInput) },
      responses: { 200: json(ProjectView, "The project"), ...problems },
    }),
    async (c) => {
      const { name, settings } = c.req.valid("json");
      const change = {
        ...(name !== undefined && { name }),
        ...(settings !== undefined && { settings: settingsOf(settings) }),
      };
      return c.json(projectView(await cases.changeProject(person, c.req.valid("param").id, change)), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "delete",
      path: "/api/projects/{id}",
      summary: "Delete it; refused while a task of it lives",
      request: { params: ProjectParam },
      responses: { 200: json(ProjectView, "The project as it was"), ...problems },
    }),
    async (c) => c.json(projectView(await cases.deleteProject(person, c.req.valid("param").id)), 200),
  );

  for (const [verb, summary, act] of [
    ["pause", "Take up none of its tasks until it is resumed", cases.pauseProject],
    ["resume", "Take up its tasks again", cases.resumeProject],
  ] as const)
    api.openapi(
      createRoute({
        method: "post",
        path: `/api/projects/{id}/${verb}`,
        summary,
        request: { params: ProjectParam, body: optionalBody(ReasonInput) },
        responses: { 200: json(ProjectView, "The project"), ...problems },
      }),
      async (c) => {
        const { reason } = parse(ReasonInput, await bodyOf(c.req));
        return c.json(projectView(await act(person, c.req.valid("param").id, reason ?? null)), 200);
      },
    );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/projects/{id}/repos",
      summary: "Its repos",
      request: { params: ProjectParam },
      responses: { 200: json(RepoListView, "Repos"), ...problems },
    }),
    async (c) => c.json({ items: projectView(await look.project(c.req.valid("param").id)).repos }, 200),
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/projects/{id}/repos",
      summary: "Add a repository",
      request: { params: ProjectParam, body: jsonBody(NewRepoInput) },
      responses: { 201: json(RepoView, "The repo"), ...problems },
    }),
    async (c) => {
      const project = await look.project(c.req.valid("param").id);
      return c.json(repoView(project.id, await cases.addRepo(person, project.id, repoOf(c.req.valid("json")))), 201);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/api/repos/{id}",
      summary: "One repo",
      request: { params: RepoParam },
      responses: { 200: json(RepoView, "The repo"), ...problems },
    }),
    async (c) => {
      const { project, repo } = await cases.findRepo(c.req.valid("param").id);
      return c.json(repoView(project, repo), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "patch",
      path: "/api/repos/{id}",
      summary: "Change where it lies, its branch, role, writability or filters",
      request: { params: RepoParam, body: jsonBody(RepoChangeInput) },
      responses: { 200: json(RepoChangedView, "The repo, and what it means for living tasks"), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const input = c.req.valid("json");
      const { project } = await cases.findRepo(id);
      const { repo, notes } = await cases.changeRepo(person, id, {
        ...(input.path !== undefined && { path: input.path }),
        ...(input.role !== undefined && { role: input.role }),
        ...(input.writable !== undefined && { writable: input.writable }),
        ...(input.path_filters !== undefined && { pathFilters: input.path_filters }),
        ...(input.default_branch !== undefined && { defaultBranch: input.default_branch }),
        ...(input.tool_path !== undefined && { toolPath: input.tool_path }),
      });
      return c.json({ ...repoView(project, repo), notes: [...notes] }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/repos/{id}/scan",
      summary: "What AgentOS sees in it now",
      request: { params: RepoParam },
      responses: { 200: json(ScanView, "Facts, gates, preparation"), ...problems },
    }),
    async (c) => {
      const { state, ...seen } = await cases.scanRepo(c.req.valid("param").id);
      return c.json(
        {
          root: state.root,
          head: state.head,
          branch: state.branch,
          dirty: [...state.dirty],
          unsupported: [...state.unsupported],
          ecosystems: [...seen.ecosystems],
          gates: seen.gates.map((gate) => ({ ...gate, argv: [...gate.argv] })),
          prepare: seen.prepare.map((argv) => [...argv]),
          notes: [...seen.notes],
        },
        200,
      );
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/api/repos/{id}/probe",
      summary: "Whether it can be read and written, tried without changing it",
      request: { params: RepoParam },
      responses: { 200: json(ProbeView, "What was tried, and what it shows"), ...problems },
    }),
    async (c) => {
      const seen = await cases.probeRepo(c.req.valid("param").id);
      return c.json({ ...seen, notes: [...seen.notes] }, 200);
    },
  );
}
