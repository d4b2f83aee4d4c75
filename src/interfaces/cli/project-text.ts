import type { ProjectView, RepoView } from "../../contract/views.ts";
import { columns, moment } from "./columns.ts";
import { field } from "./escape.ts";
import { spanText } from "./span.ts";

export const projectLines = (project: ProjectView): readonly string[] => [
  `project ${field(project.name)}`,
  `Id: ${project.id}`,
  `Created: ${moment(project.created_at)}`,
  `Agent of tasks that name none: ${agentText(project.settings.agent)}`,
  `Run mode of tasks that name none: ${project.settings.run_mode ?? "assisted"}`,
  `Tasks at the same time: ${project.settings.tasks_max === null ? "as many as the daemon has room for" : `at most ${project.settings.tasks_max}`}`,
  ...(project.paused === null
    ? []
    : [
        `Paused: since ${moment(project.paused.since)} by ${field(project.paused.by)}; agentos project resume ${field(project.name)}`,
      ]),
  ...approvalLines(project.settings.approvals),
  ...(project.settings.package_hosts.length === 0
    ? []
    : [`Package hosts: ${project.settings.package_hosts.map(field).join(", ")}`]),
  ...(project.repos.length === 0 ? ["Repos: none"] : ["Repos:", ...repoTable(project.repos).map((row) => `  ${row}`)]),
];

const agentText = (agent: ProjectView["settings"]["agent"]): string => {
  if (agent === null) return "none";
  if (typeof agent === "string") return agent;
  return agent.kind === "command"
    ? `the command ${agent.command.map(field).join(" ")}`
    : field(agent.agent ?? agent.kind);
};

const approvalLines = ({
  approver_not_creator,
  expires_ms,
  delegates,
}: ProjectView["settings"]["approvals"]): readonly string[] => [
  ...(approver_not_creator ? ["Approvals: not by whoever created the task"] : []),
  ...(delegates.length === 0 ? [] : [`Approvals: only by ${delegates.map(field).join(", ")}`]),
  ...(expires_ms === null ? [] : [`Approvals: within ${spanText(expires_ms)} of the proposal`]),
];

const REPO_HEAD = ["NAME", "ID", "ROLE", "WRITABLE", "PATH"];
const repoRow = (repo: RepoView): readonly string[] => [
  repo.name,
  repo.id,
  repo.role,
  repo.writable ? "yes" : "no",
  repo.path,
];

const repoTable = (repos: readonly RepoView[]): readonly string[] => columns([REPO_HEAD, ...repos.map(repoRow)]);

/** With the project of each: names of repos are only its own. */
export const repoTableOf = (projects: readonly Pick<ProjectView, "name" | "repos">[]): readonly string[] =>
  columns([
    ["PROJECT", ...REPO_HEAD],
    ...projects.flatMap(({ name, repos }) => repos.map((repo) => [name, ...repoRow(repo)])),
  ]);

export const repoLines = (repo: RepoView): readonly string[] => [
  `repo ${field(repo.name)}`,
  `Id: ${repo.id}`,
  `Project: ${field(repo.project)}`,
  `Path: ${field(repo.path)}`,
  `Default branch: ${repo.default_branch === null ? "the one checked out" : field(repo.default_branch)}`,
  `Role: ${repo.role}`,
  `Writable: ${repo.writable ? "yes" : "no"}`,
  ...(repo.directory === null ? [] : [`Directory: ${field(repo.directory)}`]),
  ...(repo.path_filters.length === 0 ? [] : [`Path filters: ${repo.path_filters.map(field).join(", ")}`]),
];
