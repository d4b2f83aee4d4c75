import { HealthForm, TaskListForm } from "../../contract/first-forms.ts";
import type * as inboxInputs from "../../contract/inbox-inputs.ts";
import type * as inputs from "../../contract/inputs.ts";
import type * as modelInputs from "../../contract/model-inputs.ts";
import type * as noteInputs from "../../contract/note-inputs.ts";
import type * as providerInputs from "../../contract/provider-inputs.ts";
import type * as allViews from "../../contract/views.ts";
import { type ChatTold, sayInChat } from "./chat-stream.ts";
import { type Followed, followEvents } from "./event-stream.ts";
import { type Call, exchange, type FindDaemon } from "./transport.ts";
import { trouble } from "./trouble.ts";

/** What the contract's schemas are to this side: their input as a type, and a check of what came. */
type In<S extends { readonly _zod: { readonly input: unknown } }> = S["_zod"]["input"];
interface Form<T> {
  safeParse(
    value: unknown,
    how: { readonly jitless: true },
  ):
    | { readonly success: true; readonly data: T }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
        };
      };
}
type View<T> = () => Promise<Form<T>>;
type AllViews = typeof allViews;
type Views = {
  readonly [Name in keyof AllViews]: AllViews[Name] extends { readonly _zod: { readonly output: infer T } }
    ? View<T>
    : never;
};

/** Making all views takes longer than most answers take to come: those of the commonest commands are here, the others come with the first. */
const FIRST = { HealthView: HealthForm, TaskListView: TaskListForm };
const views = new Proxy<Partial<Record<keyof AllViews, unknown>>>(FIRST, {
  get: (_, name: keyof AllViews) => async () =>
    name === "HealthView" || name === "TaskListView" ? FIRST[name] : (await import("../../contract/views.ts"))[name],
}) as Views;

type Query = Readonly<Record<string, string | number | undefined>>;

/** Delivering runs gates on the merged tree, and freezing looks through the repository. */
const LONG_MS = 60 * 60_000;
/** A model may be as large as a disk, and a line slow. */
const DOWNLOAD_MS = 24 * 60 * 60_000;
/** Nice to know, and not worth waiting long for a remote that is away. */
const MOVED_MS = 20_000;

/**
 * The HTTP API as functions, each with the types of the wire. Every one throws `Trouble` where the daemon says no, and
 * `daemon/unreachable` where there is none.
 */
export function connect(find: FindDaemon) {
  async function call<T>(view: View<T>, wanted: Call): Promise<T> {
    const bytes = await exchange(find, wanted);
    // A check compiled to code is faster from the hundredth time on; a command asks once.
    const answer = (await view()).safeParse(json(bytes, wanted), { jitless: true });
    if (answer.success) return answer.data;
    const first = answer.error.issues[0];
    throw trouble(
      "internal",
      `the daemon's answer to ${wanted.method} ${wanted.path} is not in the form this AgentOS knows (${first?.path.join(".") ?? ""}: ${first?.message ?? ""})`,
      {
        next: "If AgentOS was updated while the daemon ran: agentos daemon stop, then try again.",
      },
    );
  }
  const get = <T>(view: View<T>, path: string, query: Query = {}) =>
    call(view, { method: "GET", path: path + queryText(query) });
  const post = <T>(view: View<T>, path: string, body: unknown = {}, timeoutMs?: number) =>
    call(view, { method: "POST", path, body, ...(timeoutMs !== undefined && { timeoutMs }) });
  const patch = <T>(view: View<T>, path: string, body: unknown) => call(view, { method: "PATCH", path, body });
  const task = (id: string, rest = "") => `/api/tasks/${encodeURIComponent(id)}${rest}`;
  const project = (id: string, rest = "") => `/api/projects/${encodeURIComponent(id)}${rest}`;
  const provider = (id: string, rest = "") => `/api/providers/${encodeURIComponent(id)}${rest}`;
  const repo = (id: string, rest = "") => `/api/repos/${encodeURIComponent(id)}${rest}`;

  return {
    health: () => get(views.HealthView, "/api/health"),
    stopDaemon: async (): Promise<void> =>
      void (await exchange(find, { method: "POST", path: "/api/daemon/stop", body: {} })),

    pauseAll: (input: In<typeof inputs.ReasonInput>) => post(views.HealthView, "/api/daemon/pause", input),
    resumeAll: (input: In<typeof inputs.ReasonInput>) => post(views.HealthView, "/api/daemon/resume", input),

    agents: () => get(views.AgentListView, "/api/agents"),
    probeAgent: (input: In<typeof inputs.AgentTrialInput>) =>
      post(views.AgentProbeView, "/api/agents/probe", input, LONG_MS),
    testAgent: (input: In<typeof inputs.AgentTrialInput>) =>
      post(views.AgentTestView, "/api/agents/test", input, LONG_MS),

    projects: () => get(views.ProjectListView, "/api/projects"),
    createProject: (input: In<typeof inputs.NewProjectInput>) =>
      post(views.ProjectView, "/api/projects", input, LONG_MS),
    projectOfPath: (input: In<typeof inputs.ProjectOfPathInput>) =>
      post(views.ProjectOfPathView, "/api/projects/of-path", input),
    project: (idOrName: string) => get(views.ProjectView, project(idOrName)),
    changeProject: (idOrName: string, input: In<typeof inputs.ProjectChangeInput>) =>
      patch(views.ProjectView, project(idOrName), input),
    deleteProject: (idOrName: string) => call(views.ProjectView, { method: "DELETE", path: project(idOrName) }),
    pauseProject: (idOrName: string, input: In<typeof inputs.ReasonInput>) =>
      post(views.ProjectView, project(idOrName, "/pause"), input),
    resumeProject: (idOrName: string, input: In<typeof inputs.ReasonInput>) =>
      post(views.ProjectView, project(idOrName, "/resume"), input),
    repos: (projectIdOrName: string) => get(views.RepoListView, project(projectIdOrName, "/repos")),
    addRepo: (projectIdOrName: string, input: In<typeof inputs.NewRepoInput>) =>
      post(views.RepoView, project(projectIdOrName, "/repos"), input, LONG_MS),
    repo: (id: string) => get(views.RepoView, repo(id)),
    changeRepo: (id: string, input: In<typeof inputs.RepoChangeInput>) => patch(views.RepoChangedView, repo(id), input),
    probeRepo: (id: string) => post(views.ProbeView, repo(id, "/probe"), {}, LONG_MS),
    scanRepo: (id: string) => post(views.ScanView, repo(id, "/scan"), {}, LONG_MS),

    toolServers: (idOrName: string) => get(views.ToolServerListView, project(idOrName, "/tool-servers")),
    addToolServer: (idOrName: string, input: In<typeof inputs.NewToolServerInput>) =>
      post(views.LookedAtServerView, project(idOrName, "/tool-servers"), input, LONG_MS),
    probeToolServer: (idOrName: string, server: string) =>
      post(
        views.LookedAtServerView,
        project(idOrName, `/tool-servers/${encodeURIComponent(server)}/probe`),
        {},
        LONG_MS,
      ),
    pinTools: (idOrName: string, server: string, input: In<typeof inputs.PinToolsInput>) =>
      post(
        views.LookedAtServerView,
        project(idOrName, `/tool-servers/${encodeURIComponent(server)}/pin`),
        input,
        LONG_MS,
      ),
    removeToolServer: (idOrName: string, server: string) =>
      call(views.ToolServerListView, {
        method: "DELETE",
        path: project(idOrName, `/tool-servers/${encodeURIComponent(server)}`),
      }),
    inbox: (query: Partial<In<typeof inboxInputs.InboxQuery>> & { readonly limit?: number } = {}) =>
      get(views.InboxListView, "/api/inbox", query),
    inboxItem: (id: string) => get(views.InboxItemView, `/api/inbox/${encodeURIComponent(id)}`),
    answerInbox: (id: string, input: In<typeof inboxInputs.InboxAnswerInput>) =>
      post(views.InboxAnsweredView, `/api/inbox/${encodeURIComponent(id)}/answer`, input),

    notes: (projectIdOrName: string, all: boolean) =>
      get(views.NoteListView, project(projectIdOrName, "/notes"), { all: String(all) }),
    addNote: (projectIdOrName: string, input: In<typeof noteInputs.NewNoteInput>) =>
      post(views.NoteView, project(projectIdOrName, "/notes"), input),
    approveNote: (projectIdOrName: string, note: string) =>
      post(views.NoteView, project(projectIdOrName, `/notes/${encodeURIComponent(note)}/approve`)),
    retireNote: (projectIdOrName: string, note: string) =>
      post(views.NoteView, project(projectIdOrName, `/notes/${encodeURIComponent(note)}/retire`)),

    chatHistory: (session: string) => get(views.ChatHistoryView, `/api/chat/${encodeURIComponent(session)}`),
    say: (session: string, text: string, signal: AbortSignal): AsyncGenerator<ChatTold> =>
      sayInChat(find, session, text, signal),

    modelPolicy: (query: In<typeof modelInputs.ModelPolicyQuery>) =>
      get(views.ModelPolicyLayersView, "/api/model-policy", query),
    setModelPolicy: (input: In<typeof modelInputs.ModelPolicyInput>) =>
      call(views.ModelPolicyLayersView, { method: "PUT", path: "/api/model-policy", body: input }),
    checkModels: (query: In<typeof modelInputs.ModelPolicyQuery>) =>
      get(views.ModelCheckView, "/api/model-policy/check", query),
    providers: () => get(views.ProviderListView, "/api/providers"),
    detectProviders: () => post(views.DetectedView, "/api/providers/detect"),
    addProvider: (input: In<typeof providerInputs.NewProviderInput>) =>
      post(views.ProviderView, "/api/providers", input),
    provider: (id: string) => get(views.ProviderView, provider(id)),
    changeProvider: (id: string, input: In<typeof providerInputs.ProviderChangeInput>) =>
      patch(views.ProviderView, provider(id), input),
    removeProvider: (id: string) => call(views.ProviderRemovedView, { method: "DELETE", path: provider(id) }),
    startProvider: (id: string) => post(views.ProviderRanView, provider(id, "/start"), {}, LONG_MS),
    stopProvider: (id: string) => post(views.ProviderRanView, provider(id, "/stop"), {}, LONG_MS),
    restartProvider: (id: string) => post(views.ProviderRanView, provider(id, "/restart"), {}, LONG_MS),
    storeKey: (id: string, input: In<typeof providerInputs.KeyInput>) =>
      post(views.KeyKeptView, provider(id, "/key"), input),
    forgetKey: (id: string) => call(views.KeyForgottenView, { method: "DELETE", path: provider(id, "/key") }),
    providerModels: (id: string) => get(views.ProviderModelsView, provider(id, "/models")),
    pullModel: (id: string, input: In<typeof providerInputs.PullInput>) =>
      post(views.PulledView, provider(id, "/pull"), input, DOWNLOAD_MS),
    probeProvider: (id: string, input: In<typeof providerInputs.ProbeInput>) =>
      post(views.ProbeResultView, provider(id, "/probe"), input, LONG_MS),
    providerLog: (id: string) => get(views.ProviderLogView, provider(id, "/log")),
    browse: (path?: string) => get(views.BrowsedView, "/api/browse", { path }),

    policy: (projectIdOrName?: string) => get(views.PolicyView, "/api/policy", { project: projectIdOrName }),
    setPolicy: (input: In<typeof inputs.PolicySetInput>) => post(views.PolicyView, "/api/policy", input),
    checkPolicy: (input: In<typeof inputs.PolicyCheckInput>) => post(views.PolicyView, "/api/policy/check", input),
    explainPolicy: (input: In<typeof inputs.PolicyExplainInput>) =>
      post(views.DecisionView, "/api/policy/explain", input),

    detectGates: (input: In<typeof inputs.DetectGatesInput>) =>
      post(views.OfferedGatesView, "/api/gates/detect", input, LONG_MS),
    projectGates: (idOrName: string) => get(views.OfferedGatesListView, project(idOrName, "/gates")),
    taskGates: (id: string) => get(views.PinnedGatesView, task(id, "/gates")),

    tasks: (
      query: Readonly<
        Partial<
          Record<Exclude<keyof In<typeof inputs.TaskListQuery>, "limit">, string | undefined> & {
            limit: number | undefined;
          }
        >
      > = {},
    ) => get(views.TaskListView, "/api/tasks", query),
    createTask: (input: In<typeof inputs.NewTaskInput>) => post(views.TaskView, "/api/tasks", input),
    task: (id: string) => get(views.TaskView, task(id)),
    moved: (id: string) => call(views.MovedListView, { method: "GET", path: task(id, "/moved"), timeoutMs: MOVED_MS }),
    changeTask: (id: string, input: In<typeof inputs.TaskChangeInput>) => patch(views.TaskView, task(id), input),
    bulk: (input: In<typeof inputs.BulkInput>) => post(views.BulkView, "/api/tasks/bulk", input, LONG_MS),
    spec: (id: string) => get(views.SpecView, task(id, "/spec")),
    reviseTask: (id: string, input: In<typeof inputs.SpecChangeInput>) =>
      patch(views.TaskView, task(id, "/spec"), input),
    freezeTask: (id: string) => post(views.TaskView, task(id, "/spec/freeze"), {}, LONG_MS),
    bindTask: (id: string, input: In<typeof inputs.BindInput>) => post(views.TaskView, task(id, "/bind"), input),
    readyTask: (id: string) => post(views.TaskView, task(id, "/ready")),
    plan: (id: string) => get(views.PlanView, task(id, "/plan")),
    approveTask: (id: string, input: In<typeof inputs.ApproveInput>) =>
      post(views.TaskView, task(id, "/approve"), input),
    requestChanges: (id: string, input: In<typeof inputs.RequestChangesInput>) =>
      post(views.TaskView, task(id, "/request-changes"), input),
    rejectTask: (id: string, input: In<typeof inputs.ReasonInput>) => post(views.TaskView, task(id, "/reject"), input),
    pauseTask: (id: string, input: In<typeof inputs.ReasonInput>) => post(views.TaskView, task(id, "/pause"), input),
    resumeTask: (id: string, input: In<typeof inputs.ResumeInput>) => post(views.TaskView, task(id, "/resume"), input),
    cancelTask: (id: string, input: In<typeof inputs.ReasonInput>) => post(views.TaskView, task(id, "/cancel"), input),
    retryTask: (id: string) => post(views.TaskView, task(id, "/retry")),
    acceptTask: (id: string, input: In<typeof inputs.AcceptInput>) => post(views.TaskView, task(id, "/accept"), input),
    deliverTask: (id: string, input: In<typeof inputs.DeliverInput>) =>
      post(views.DeliveredView, task(id, "/deliver"), input, LONG_MS),
    dependencies: (query: { project?: string | undefined; session?: string | undefined } = {}) =>
      get(views.DependencyGraphView, "/api/dependencies", query),
    dependenciesOf: (id: string) => get(views.DependencyGraphView, task(id, "/dependencies")),
    addDependency: (id: string, input: In<typeof inputs.DependencyInput>) =>
      post(views.DependencyGraphView, task(id, "/dependencies"), input),
    removeDependency: (id: string, input: In<typeof inputs.DependencyInput>) =>
      call(views.DependencyGraphView, { method: "DELETE", path: task(id, "/dependencies") + queryText(input) }),
    forkTask: (id: string, input: In<typeof inputs.ForkInput>) => post(views.ForkedView, task(id, "/fork"), input),
    attemptsOf: (id: string) => get(views.AttemptsView, task(id, "/attempts")),
    compareTasks: (ids: readonly string[]) => get(views.ComparedView, "/api/compare", { tasks: ids.join(",") }),
    supersedeOthers: (id: string) => post(views.AttemptsView, task(id, "/supersede-others")),
    artifacts: (id: string) => get(views.ArtifactListView, task(id, "/artifacts")),
    artifact: (id: string, name: string): Promise<Buffer> =>
      exchange(find, { method: "GET", path: task(id, `/artifacts/${encodeURIComponent(name)}`), accept: "*/*" }),
    taskEvents: (id: string, after: number, limit: number) =>
      get(views.EventListView, task(id, "/events"), { after, limit }),
    audits: (id: string, after: number, limit: number) =>
      get(views.EventListView, task(id, "/audits"), { after, limit }),
    evidence: (id: string) => get(views.EvidenceView, task(id, "/evidence")),
    logs: (id: string, step?: string) => get(views.LogsView, task(id, "/logs"), { step }),
    output: (id: string, query: { step: string; run: number; offset: number }) =>
      get(views.OutputView, task(id, "/output"), query),
    diff: (id: string, ofRepo?: string) => get(views.DiffView, task(id, "/diff"), { repo: ofRepo }),
    followTask: (id: string, after: number, signal: AbortSignal): AsyncGenerator<Followed> =>
      followEvents(find, task(id, "/events"), after, signal),

    workspaces: () => get(views.WorkspaceListView, "/api/workspaces"),
    cleanWorkspace: (input: In<typeof inputs.CleanInput>) =>
      post(views.CleanedView, "/api/workspaces/clean", input, LONG_MS),
    gc: (input: In<typeof inputs.GcInput>) => post(views.GcView, "/api/gc", input, LONG_MS),
    events: (after: number, limit: number) => get(views.EventListView, "/api/events", { after, limit }),
    followEvents: (after: number, signal: AbortSignal): AsyncGenerator<Followed> =>
      followEvents(find, "/api/events", after, signal),
  };
}

export type Client = ReturnType<typeof connect>;

/** A body that is no JSON is not from a daemon of ours. */
function json(bytes: Buffer, { method, path }: Call): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw trouble("daemon/unreachable", `what answered ${method} ${path} is not AgentOS: its answer is no JSON`, {
      cause,
    });
  }
}

function queryText(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
