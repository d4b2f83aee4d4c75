import { PassThrough } from "node:stream";
import type { EventView, InboxItemView, ProjectView, RepoView, TaskView } from "../../src/contract/views.ts";
import type { Context } from "../../src/interfaces/cli/context.ts";
import { output, type Shape } from "../../src/interfaces/cli/output.ts";
import type { Client } from "../../src/interfaces/client/client.ts";

/*
 * A command of the CLI with a daemon that answers as a test says. What is told is written by the real `output`; whatever a test does not
 * say is not there, so that a command which asks for it fails.
 */

export const ID = "01JDA5Q8Z0000000000000000A";
const AT = "2026-11-22T12:00:00.000Z";
const NOTHING_SPENT = { tokens: 0, usd: 0, turns: 0, time_ms: 0 };

export type FakeClient = { readonly [Name in keyof Client]?: Client[Name] };

export interface CliWanted extends Partial<Omit<Context, "api" | "out">> {
  readonly shape?: Partial<Shape>;
}

export interface GivenCli {
  readonly context: Context;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

export function givenCli(api: FakeClient, { shape, ...more }: CliWanted = {}): GivenCli {
  let stdout = "";
  let stderr = "";
  const { out } = output(
    {
      stdout: (text) => (stdout += typeof text === "string" ? text : new TextDecoder().decode(text)),
      stderr: (text) => (stderr += text),
    },
    { json: false, quiet: false, ...shape },
  );
  const context: Partial<Context> = {
    version: "1.2.3",
    prompt: null,
    signal: new AbortController().signal,
    workingDirectory: "/",
    person: "ada",
    stdoutIsTerminal: false,
    ...more,
    api: api as Client,
    out,
  };
  return { context: context as Context, stdout: () => stdout, stderr: () => stderr };
}

/** A prompt that answers each question as told, and remembers what it was asked. */
export function confirming(...answers: readonly boolean[]) {
  const asked: string[] = [];
  return {
    asked,
    on: { input: new PassThrough(), output: new PassThrough() },
    confirm: async (question: string) => {
      asked.push(question);
      return answers[asked.length - 1] ?? false;
    },
    secret: async () => null,
  };
}

export const taskView = (more: Partial<TaskView> = {}): TaskView => ({
  id: ID,
  title: "Mend it",
  session: "s",
  status: "succeeded",
  phase: "verification",
  attempt: 1,
  project: null,
  block_reason: null,
  exit_reason: null,
  priority: "normal",
  created_by: "ada",
  created_at: AT,
  updated_at: AT,
  seq: 7,
  waiting: null,
  dependencies: [],
  allowed: [],
  metadata: null,
  template: null,
  spec: null,
  plan: null,
  approved_by: null,
  proposal: null,
  bases: {},
  items: [],
  candidate: null,
  gates: [],
  findings: { items: [], accepted: false },
  open_step: null,
  worked_ms: 0,
  granted_ms: 0,
  asked: null,
  grants: [],
  budget: null,
  spent: { total: NOTHING_SPENT, phases: {}, granted: NOTHING_SPENT },
  accepted_unproven: null,
  delivered: null,
  denials: 0,
  fork: null,
  superseded_by: null,
  ended_at: null,
  ...more,
});

export const inboxItem = (more: Partial<InboxItemView> = {}): InboxItemView => ({
  id: ID,
  kind: "question",
  reason: "question",
  title: "Mend it",
  project: null,
  since: AT,
  sentence: "It asks you something.",
  seq: 7,
  answers: ["text"],
  text: null,
  choices: [],
  permission: null,
  plan: null,
  step: null,
  gates: [],
  spent: null,
  detail: null,
  next: "agentos inbox answer",
  ways: [],
  ...more,
});

export const projectView = (more: Partial<ProjectView> = {}): ProjectView => ({
  id: "01JDA5Q8Z0000000000000000P",
  name: "shop",
  created_at: AT,
  settings: {
    agent: null,
    agent_grants: { hosts: [], variables: [], files: [] },
    run_mode: null,
    package_hosts: [],
    flaky: null,
    tasks_max: null,
    models: {},
    approvals: { approver_not_creator: false, expires_ms: null, delegates: [] },
  },
  paused: null,
  repos: [],
  ...more,
});

export const repoView = (more: Partial<RepoView> = {}): RepoView => ({
  id: "01JDA5Q8Z0000000000000000R",
  name: "shop",
  project: "01JDA5Q8Z0000000000000000P",
  path: "/shop",
  kind: "local",
  default_branch: "main",
  role: "code",
  writable: true,
  path_filters: [],
  directory: null,
  ...more,
});

export const eventView = (seq: number, sentence: string): EventView => ({
  position: seq,
  stream: `task/${ID}`,
  seq,
  at: AT,
  actor: "worker:w1",
  type: "QUEUED",
  body: {},
  sentence,
});

/** Events as they come in, and then nothing more. */
export const following = (...events: readonly EventView[]): Client["followTask"] =>
  async function* () {
    for (const event of events) yield { cursor: event.seq, event };
  };

/** Calls that change something, each answered as told, and what they were given in their order. */
export function recorded() {
  const calls: unknown[] = [];
  const answers =
    <T>(name: string, answer: T) =>
    async (...given: readonly unknown[]): Promise<T> => {
      calls.push([name, ...given]);
      return answer;
    };
  return { calls, answers };
}
