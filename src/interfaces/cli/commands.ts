import type { AnyCommand } from "./command.ts";

export interface CommandRow {
  readonly summary: string;
  readonly load: () => Promise<AnyCommand>;
}

/** Every command by its name. A file is loaded only when its command is typed, so that help and version come at once. */
export const COMMANDS: Readonly<Record<string, CommandRow>> = {
  init: {
    summary: "Make the data directory and its database",
    load: async () => (await import("./commands/init.ts")).init,
  },
  doctor: {
    summary: "Look whether this machine has what AgentOS needs",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  server: {
    summary: "Run the daemon in the foreground",
    load: async () => (await import("./commands/server.ts")).server,
  },
  completion: {
    summary: "Print a script that completes commands in your shell",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
  version: { summary: "Say which AgentOS this is", load: async () => (await import("./commands/version.ts")).version },

  "daemon start": {
    summary: "Start the daemon in the background",
    load: async () => (await import("./commands/daemon-start.ts")).daemonStart,
  },
  "daemon stop": {
    summary: "Stop the daemon in good order; tasks go on at the next start",
    load: async () => (await import("./commands/daemon-stop.ts")).daemonStop,
  },
  "daemon pause": {
    summary: "Take up no task, now and after any restart, until it is resumed",
    load: async () => (await import("./commands/daemon-pause.ts")).daemonPause,
  },
  "daemon resume": {
    summary: "Take up tasks again",
    load: async () => (await import("./commands/daemon-resume.ts")).daemonResume,
  },
  "daemon status": {
    summary: "Say whether the daemon runs, and where",
    load: async () => (await import("./commands/daemon-status.ts")).daemonStatus,
  },

  "project create": {
    summary: "Create a project",
    load: async () => (await import("./commands/project-create.ts")).projectCreate,
  },
  "project list": {
    summary: "List the projects",
    load: async () => (await import("./commands/project-list.ts")).projectList,
  },
  "project show": {
    summary: "Show a project and its repos",
    load: async () => (await import("./commands/project-show.ts")).projectShow,
  },
  "project set": {
    summary: "Change a project's settings",
    load: async () => (await import("./commands/project-set.ts")).projectSet,
  },
  "project pause": {
    summary: "Take up none of a project's tasks until it is resumed",
    load: async () => (await import("./commands/project-pause.ts")).projectPause,
  },
  "project resume": {
    summary: "Take up a project's tasks again",
    load: async () => (await import("./commands/project-resume.ts")).projectResume,
  },
  "project delete": {
    summary: "Delete a project; its history stays",
    load: async () => (await import("./commands/project-delete.ts")).projectDelete,
  },

  "project notes list": {
    summary: "List a project's notes: what agents are told about it, and what they propose",
    load: async () => (await import("./commands/project-notes-list.ts")).projectNotesList,
  },
  "project notes add": {
    summary: "Write a note; tasks that begin to plan are told it",
    load: async () => (await import("./commands/project-notes-add.ts")).projectNotesAdd,
  },
  "project notes approve": {
    summary: "Let a note count that an agent proposed",
    load: async () => (await import("./commands/project-notes-approve.ts")).projectNotesApprove,
  },
  "project notes retire": {
    summary: "Let a note count no more, or refuse a proposed one",
    load: async () => (await import("./commands/project-notes-retire.ts")).projectNotesRetire,
  },

  "repo add": {
    summary: "Add a git repository to a project",
    load: async () => (await import("./commands/repo-add.ts")).repoAdd,
  },
  "repo list": {
    summary: "List the repos of a project, or of all",
    load: async () => (await import("./commands/repo-list.ts")).repoList,
  },
  "repo set": {
    summary: "Change where a repo lies, its branch, role, writability or filters",
    load: async () => (await import("./commands/repo-set.ts")).repoSet,
  },
  "repo show": { summary: "Show one repo", load: async () => (await import("./commands/repo-show.ts")).repoShow },
  "repo probe": {
    summary: "Try whether a repo can be read and written, without changing it",
    load: async () => (await import("./commands/repo-probe.ts")).repoProbe,
  },
  "repo scan": {
    summary: "Show what AgentOS sees in a repo: gates, preparation, uncommitted files",
    load: async () => (await import("./commands/repo-scan.ts")).repoScan,
  },

  "mcp list": {
    summary: "List a project's tool servers and the tools that were agreed to",
    load: async () => (await import("./commands/mcp-list.ts")).mcpList,
  },
  "mcp add": {
    summary: "Add a server of tools for the built-in agent, and agree to what it offers",
    load: async () => (await import("./commands/mcp-add.ts")).mcpAdd,
  },
  "mcp probe": {
    summary: "Show what a tool server offers now, and what of it changed",
    load: async () => (await import("./commands/mcp-probe.ts")).mcpProbe,
  },
  "mcp pin": {
    summary: "Agree to the tools of a server as they are now",
    load: async () => (await import("./commands/mcp-pin.ts")).mcpPin,
  },
  "mcp remove": {
    summary: "Take a tool server out of a project",
    load: async () => (await import("./commands/mcp-remove.ts")).mcpRemove,
  },

  "agent list": {
    summary: "List the foreign agents AgentOS knows how to start, and where they are",
    load: async () => (await import("./commands/agent-list.ts")).agentList,
  },
  "agent probe": {
    summary: "Start a foreign agent in a sandbox and show what it says of itself",
    load: async () => (await import("./commands/agent-probe.ts")).agentProbe,
  },
  "agent test": {
    summary: "Have a foreign agent do one small thing in a scratch directory",
    load: async () => (await import("./commands/agent-test.ts")).agentTest,
  },

  "policy check": {
    summary: "Try a file of policies without using it",
    load: async () => (await import("./commands/policy-check.ts")).policyCheck,
  },
  "policy show": {
    summary: "Show the policies in force",
    load: async () => (await import("./commands/policy-show.ts")).policyShow,
  },
  "policy set": {
    summary: "Set a project's policies, or your own",
    load: async () => (await import("./commands/policy-set.ts")).policySet,
  },
  "policy test": {
    summary: "Compare decisions with a table of what they should be",
    load: async () => (await import("./commands/policy-test.ts")).policyTest,
  },
  "policy explain": {
    summary: "Say which policy decided a step, or would decide an act, and why",
    load: async () => (await import("./commands/policy-explain.ts")).policyExplain,
  },
  "gate detect": {
    summary: "Show which gates a task here would get, how its dependencies are prepared, and what is missing",
    load: async () => (await import("./commands/gate-detect.ts")).gateDetect,
  },
  "gate list": {
    summary: "List the gates of a task or a project",
    load: async () => (await import("./commands/gate-list.ts")).gateList,
  },
  "gate run": {
    summary: "Run the gates of the repository you are in, as a task that changes nothing, and print their counts",
    load: async () => (await import("./commands/gate-run.ts")).gateRun,
  },

  "task create": {
    summary: "Create a task, freeze its spec and let it run",
    load: async () => (await import("./commands/task-create.ts")).taskCreate,
  },
  "task list": {
    summary: "List tasks, newest first, or in another order",
    load: async () => (await import("./commands/task-list.ts")).taskList,
  },
  "task search": {
    summary: "Find tasks by the words in them",
    load: async () => (await import("./commands/task-search.ts")).taskSearch,
  },
  "task show": {
    summary: "Show where a task stands and what it waits for",
    load: async () => (await import("./commands/task-show.ts")).taskShow,
  },
  "task plan": {
    summary: "Show the plan a task proposed",
    load: async () => (await import("./commands/task-plan.ts")).taskPlan,
  },
  "task approve": {
    summary: "Say yes to the plan or work item that waits",
    load: async () => (await import("./commands/task-approve.ts")).taskApprove,
  },
  "task request-changes": {
    summary: "Ask for another plan, saying what should be different",
    load: async () => (await import("./commands/task-request-changes.ts")).taskRequestChanges,
  },
  "task reject": {
    summary: "Say no to the plan; the task ends",
    load: async () => (await import("./commands/task-reject.ts")).taskReject,
  },
  "task prioritize": {
    summary: "Say how soon a task is wanted",
    load: async () => (await import("./commands/task-prioritize.ts")).taskPrioritize,
  },
  "task mode": {
    summary: "Say how much you are asked, from a task's next step on",
    load: async () => (await import("./commands/task-mode.ts")).taskMode,
  },
  "task pause": {
    summary: "Let a task, or many, stop at the next boundary",
    load: async () => (await import("./commands/task-pause.ts")).taskPause,
  },
  "task resume": {
    summary: "Let a waiting task, or many, go on",
    load: async () => (await import("./commands/task-resume.ts")).taskResume,
  },
  "task deps": {
    summary: "Show what a task depends on and what depends on it",
    load: async () => (await import("./commands/task-deps.ts")).taskDeps,
  },
  "task deps add": {
    summary: "Let a task require, block or suggest another",
    load: async () => (await import("./commands/task-deps-add.ts")).taskDepsAdd,
  },
  "task deps remove": {
    summary: "Take such a dependency back",
    load: async () => (await import("./commands/task-deps-remove.ts")).taskDepsRemove,
  },
  "task deps graph": {
    summary: "Draw all dependencies of a project, a session or everything",
    load: async () => (await import("./commands/task-deps-graph.ts")).taskDepsGraph,
  },
  "task fork": {
    summary: "Try a task again beside itself: same spec, same base, as often as wanted",
    load: async () => (await import("./commands/task-fork.ts")).taskFork,
  },
  "task compare": {
    summary: "Show attempts side by side: gates, size of the change, time, findings",
    load: async () => (await import("./commands/task-compare.ts")).taskCompare,
  },
  "task supersede-others": {
    summary: "Say that a delivered attempt is the one; the others end as superseded",
    load: async () => (await import("./commands/task-supersede-others.ts")).taskSupersedeOthers,
  },
  "task cancel": {
    summary: "Stop a task, or many, for good; history and evidence stay",
    load: async () => (await import("./commands/task-cancel.ts")).taskCancel,
  },
  "task retry": {
    summary: "Begin another attempt of a failed task, or of many",
    load: async () => (await import("./commands/task-retry.ts")).taskRetry,
  },
  "task accept": {
    summary: "Accept on record what is not proven",
    load: async () => (await import("./commands/task-accept.ts")).taskAccept,
  },
  "task deliver": {
    summary: "Bring proven work into your repository",
    load: async () => (await import("./commands/task-deliver.ts")).taskDeliver,
  },
  "task attach": {
    summary: "Follow a task live: what happens, and what its steps put out",
    load: async () => (await import("./commands/task-attach.ts")).taskAttach,
  },
  "task logs": {
    summary: "Show the output of a task's steps",
    load: async () => (await import("./commands/task-logs.ts")).taskLogs,
  },
  "task diff": {
    summary: "Show what a task changed",
    load: async () => (await import("./commands/task-diff.ts")).taskDiff,
  },
  "task evidence": {
    summary: "Show what proves each criterion, and every step's evidence",
    load: async () => (await import("./commands/task-evidence.ts")).taskEvidence,
  },
  "task trace": {
    summary: "Show everything that happened to a task, in order",
    load: async () => (await import("./commands/task-trace.ts")).taskTrace,
  },
  "task verify": {
    summary: "Check a task's history and stored evidence again, from the files themselves",
    load: async () => (await import("./commands/task-verify.ts")).taskVerify,
  },
  "task artifacts": {
    summary: "List what a task stored, or get one of it",
    load: async () => (await import("./commands/task-artifacts.ts")).taskArtifacts,
  },
  "task revise": {
    summary: "Change what a task is to do; it is a draft again",
    load: async () => (await import("./commands/task-revise.ts")).taskRevise,
  },
  "task freeze": {
    summary: "Freeze a draft's spec under its hash",
    load: async () => (await import("./commands/task-freeze.ts")).taskFreeze,
  },
  "task bind": {
    summary: "Bind a draft to a project",
    load: async () => (await import("./commands/task-bind.ts")).taskBind,
  },
  "task ready": {
    summary: "Let a frozen and bound draft run",
    load: async () => (await import("./commands/task-ready.ts")).taskReady,
  },

  "model policy show": {
    summary: "Show which model is asked in which phase, and who said so",
    load: async () => (await import("./commands/model-policy-show.ts")).modelPolicyShow,
  },
  "model policy set": {
    summary: "Say which model is to be asked in a phase, with fallbacks and a budget",
    load: async () => (await import("./commands/model-policy-set.ts")).modelPolicySet,
  },
  "model policy check": {
    summary: "Look whether the named models can be asked",
    load: async () => (await import("./commands/model-policy-check.ts")).modelPolicyCheck,
  },

  chat: {
    summary: "Talk about projects and tasks, and let drafts be left; nothing is started by it",
    load: async () => (await import("./commands/chat.ts")).chat,
  },

  inbox: {
    summary: "List what waits for you, the longest wait first",
    load: async () => (await import("./commands/inbox.ts")).inbox,
  },
  "inbox show": {
    summary: "Show all there is to decide on, and how it is answered",
    load: async () => (await import("./commands/inbox-show.ts")).inboxShow,
  },
  "inbox answer": {
    summary: "Answer it: a plan, a question, a permission, whatever a task waits for",
    load: async () => (await import("./commands/inbox-answer.ts")).inboxAnswer,
  },

  "provider list": {
    summary: "List the providers of models and how each stands now",
    load: async () => (await import("./commands/provider-list.ts")).providerList,
  },
  "provider show": {
    summary: "Show one provider: how it stands, what is configured, what the last probe found",
    load: async () => (await import("./commands/provider-show.ts")).providerShow,
  },
  "provider detect": {
    summary: "Look for servers that run, added or not",
    load: async () => (await import("./commands/provider-detect.ts")).providerDetect,
  },
  "provider add": {
    summary: "Add a provider of models",
    load: async () => (await import("./commands/provider-add.ts")).providerAdd,
  },
  "provider set": {
    summary: "Change what is configured of a provider",
    load: async () => (await import("./commands/provider-set.ts")).providerSet,
  },
  "provider remove": {
    summary: "Forget a provider; its history stays",
    load: async () => (await import("./commands/provider-remove.ts")).providerRemove,
  },
  "provider key": {
    summary: "Store the key of a provider, for the daemon alone",
    load: async () => (await import("./commands/provider-key.ts")).providerKey,
  },
  "provider start": {
    summary: "Start a provider's server",
    load: async () => (await import("./commands/provider-start.ts")).providerStart,
  },
  "provider stop": {
    summary: "Stop a provider's server, if AgentOS started it",
    load: async () => (await import("./commands/provider-stop.ts")).providerStop,
  },
  "provider restart": {
    summary: "Stop and start a provider's server, if AgentOS started it",
    load: async () => (await import("./commands/provider-restart.ts")).providerRestart,
  },
  "provider logs": {
    summary: "Show the end of what a provider's server said",
    load: async () => (await import("./commands/provider-logs.ts")).providerLogs,
  },
  "provider models": {
    summary: "List the models a provider has",
    load: async () => (await import("./commands/provider-models.ts")).providerModels,
  },
  "provider pull": {
    summary: "Have a provider fetch a model",
    load: async () => (await import("./commands/provider-pull.ts")).providerPull,
  },
  "provider probe": {
    summary: "Try a tool call, the real context and the speed of a model",
    load: async () => (await import("./commands/provider-probe.ts")).providerProbe,
  },

  "workspace list": {
    summary: "List the working directories of tasks",
    load: async () => (await import("./commands/workspace-list.ts")).workspaceList,
  },
  "workspace clean": {
    summary: "Remove the working directories of a task that ended; what is not in git is kept",
    load: async () => (await import("./commands/workspace-clean.ts")).workspaceClean,
  },

  gc: {
    summary: "Clean up what nobody needs any more",
    load: async () => (await import("./commands/gc.ts")).gc,
  },

  "audit log": {
    summary: "Show who did what, over everything or for one task",
    load: async () => (await import("./commands/audit-log.ts")).auditLog,
  },
  "audit verify": {
    summary: "Check the whole history and every stored byte again, without the daemon",
    load: async () => (await import("./commands/audit-verify.ts")).auditVerify,
  },
};

/** Nouns that stand under a noun and are no command themselves. */
export const INNER_NOUNS: Readonly<Record<string, string>> = {
  "project notes": "Short facts about a project that agents are told",
  "model policy": "Which model is asked in which phase, and what that may cost",
};

/** The nouns, and what stands behind each in the overview. */
export const NOUNS: Readonly<Record<string, string>> = {
  task: "Work to be done, with its whole history",
  project: "Repositories that belong together, and their settings",
  repo: "Git repositories of projects",
  gate: "Checks that prove work: which there are, and running them",
  inbox: "What waits for you",
  model: "Which models do the work",
  agent: "Agents of other makers: which there are, and trying one",
  mcp: "Tool servers of projects, and which of their tools may be called",
  policy: "What may be done without asking, what is asked, and what is refused",
  provider: "Where models come from: servers on this machine, and APIs",
  workspace: "Working directories of tasks",
  audit: "The history of everything, and whether it is whole",
  daemon: "The process that runs tasks",
};
