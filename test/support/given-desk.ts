import type { BrokerDependencies, Pass } from "../../src/broker/deps.ts";
import type { TaskEventBodies } from "../../src/domain/event.ts";
import type { Act } from "../../src/domain/step.ts";
import type { Desk, Effect, Opened, StepRun } from "../../src/ports/broker.ts";
import type { EgressRecord, EgressTarget } from "../../src/ports/egress.ts";
import type { Layer } from "../../src/ports/layers.ts";
import type { PolicyAnswer, PolicyQuestion } from "../../src/ports/policy.ts";
import type {
  Captured,
  SandboxCommand,
  SandboxOutcome,
  SessionCommand,
  SessionOutcome,
} from "../../src/ports/sandbox.ts";
import { specGiven } from "./given-spec.ts";

/*
 * One task's desk over fakes that keep no state but what they were asked. What a command does is `sandbox`'s answer; files, layers and
 * hosts are there as `given` says. `seen` is everything that reached the outside, in order.
 */

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (content: Uint8Array): string => new TextDecoder().decode(content);

export const captured = (text: string): Captured => ({ bytes: bytes(text), sha256: `sha256 of ${text}` });

export const ended = (more: Partial<SandboxOutcome> = {}): SandboxOutcome => ({
  exitCode: 0,
  signal: null,
  endedBy: "itself",
  stdout: captured(""),
  stderr: captured(""),
  durationMs: 1.4,
  environmentDigest: "environment",
  ...more,
});

/** A process that goes on until it is ended. */
export const untilEnded = (signal: AbortSignal, more: Partial<SessionOutcome> = {}) =>
  new Promise<Partial<SessionOutcome>>((resolve) => {
    const end = (): void => resolve({ exitCode: null, signal: "SIGKILL", endedBy: "cancel", ...more });
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });

/** What a policy is asked about an act of an agent at work, outside of any work item. */
export const questionGiven = (act: Act, more: Partial<PolicyQuestion> = {}): PolicyQuestion => ({
  principal: { kind: "agent", name: "script" },
  phase: "implementation",
  runMode: "assisted",
  act,
  project: null,
  scope: { repo: "app", access: "full" },
  repoWritable: true,
  packageHosts: [],
  item: null,
  grants: [],
  approvedCommands: [],
  ...more,
});

type Verdict = PolicyAnswer["verdict"];

export interface Given {
  readonly desk?: Partial<Desk>;
  readonly spec?: Partial<Desk["spec"]> | Readonly<Record<string, unknown>>;
  readonly deps?: Partial<BrokerDependencies>;
  /** Of every workspace, by path. */
  readonly files?: Record<string, string>;
  readonly command?: (
    command: SandboxCommand,
    signal: AbortSignal,
  ) => Partial<SandboxOutcome> | Promise<Partial<SandboxOutcome>>;
  readonly session?: (
    command: SessionCommand,
    signal: AbortSignal,
  ) => { readonly says?: readonly string[]; readonly outcome?: Promise<Partial<SessionOutcome>> };
  readonly connections?: readonly EgressRecord[];
  /** `rule`: the one that decides; "r" where none is named. */
  readonly policy?: (question: PolicyQuestion) => Verdict | { readonly verdict: Verdict; readonly rule: string };
  readonly layers?: Readonly<Record<string, Partial<Layer>>>;
  readonly run?: Partial<StepRun>;
}

export function givenDesk(given: Given = {}) {
  const files = given.files ?? {};
  const seen = {
    acts: [] as Act[],
    opened: [] as Opened[],
    effects: [] as Effect[],
    inputs: [] as unknown[],
    commands: [] as SandboxCommand[],
    sessions: [] as SessionCommand[],
    doors: [] as {
      readonly socket: string;
      readonly targets: readonly EgressTarget[];
      readonly allowPrivate: readonly EgressTarget[];
    }[],
    closed: 0,
    written: {} as Record<string, string>,
    checkouts: [] as string[],
    dropped: [] as string[],
    denied: [] as string[],
    told: [] as TaskEventBodies["TURN_ACTED"][],
    said: [] as string[],
    stdin: "",
    warnings: [] as unknown[],
    homes: [] as unknown[],
    waits: [] as number[],
  };
  const run: StepRun = {
    step: "1.work.1",
    run: 1,
    signal: new AbortController().signal,
    outputFile: "/live",
    onStart: () => undefined,
    onWarning: (warning) => void seen.warnings.push(warning),
    ...given.run,
  };
  const desk = {
    task: "t",
    epoch: 1,
    phase: "implementation",
    attempt: 1,
    runMode: "assisted",
    project: "p",
    spec: { ...specGiven({ agent: { kind: "builtin" } }), ...given.spec },
    repos: { app: { writable: true, toolPath: ["/bin"] } },
    bases: { app: "base" },
    changeRequest: null,
    lastFailure: null,
    item: null,
    models: null,
    grants: [],
    notes: [],
    proposeNote: async () => undefined,
    layers: {},
    inputs: [],
    toolServers: [],
    lastTurn: () => null,
    steps: {
      deny: async (act: string, rule: string, reason: string) => void seen.denied.push(`${act} (${rule}): ${reason}`),
      act: async (acted: TaskEventBodies["TURN_ACTED"]) => void seen.told.push(acted),
      consult: async ({ text }: { readonly text: string }) => `answer to ${text}`,
      permit: async () => true,
    },
    ...given.desk,
  } as unknown as Desk;
  const deps = {
    policy: {
      decide: async (question: PolicyQuestion) => {
        const said = given.policy?.(question) ?? "allow";
        const { verdict, rule } = typeof said === "string" ? { verdict: said, rule: "r" } : said;
        return { verdict, rule, policy: `shipped:${rule}`, set: "s", reason: "because" };
      },
    },
    seal: (value: unknown) => ({ text: JSON.stringify(value), sha256: `seal of ${JSON.stringify(value)}` }),
    digest: (content: Uint8Array) => `digest of ${textOf(content)}`,
    clock: { nowMs: () => 7 },
    blobs: {
      stage: async (inline: Uint8Array) => ({
        ref: { digest: `blob of ${textOf(inline)}`, bytes: inline.byteLength },
        salt: inline,
        inline,
      }),
      get: async () => bytes("left"),
    },
    workspaces: {
      path: ({ repo }: { readonly repo: string }) => `/host/${repo}`,
      objectsPath: ({ repo }: { readonly repo: string }) => `/host/${repo}.git/objects`,
      objectsInside: ({ repo }: { readonly repo: string }) => `/objects/${repo}`,
      readFile: async (_: unknown, path: string) => (files[path] === undefined ? null : bytes(files[path])),
      writeFile: async (_: unknown, path: string, content: Uint8Array | null) => {
        if (content === null) delete files[path];
        else files[path] = textOf(content);
      },
      listFiles: async () => Object.keys(files),
      textAt: async (_: unknown, __: unknown, path: string) => files[path] ?? null,
      gateCheckout: async ({ repo }: { readonly repo: string }, commit: string, name: string) => {
        seen.checkouts.push(`${repo} ${commit} as ${name}`);
        return { path: `/checkout/${repo}`, tree: `tree of ${commit}` };
      },
      dropGateCheckout: async ({ repo }: { readonly repo: string }, name: string) =>
        void seen.dropped.push(`${repo} ${name}`),
      candidate: async () => ({ commit: "made", tree: "tree", changed: [] }),
      treeOf: async () => "base tree",
    },
    runDirectory: async () => "/run/dir",
    reportDirectory: async () => "/run/reports",
    inputDirectory: async (_: string, __: string, ___: number, place: string) =>
      place === "." ? "/in" : `/in/${place}`,
    readReport: async () => null,
    reportsIn: async () => [],
    writeText: async (path: string, text: string | Uint8Array) => {
      seen.written[path] = typeof text === "string" ? text : textOf(text);
    },
    platform: () => "linux",
    toolchain: async () => ["node 24"],
    allowPrivate: async () => [{ host: "registry.lan", port: 443 }],
    noRoom: async () => false,
    appendOutput: (_: string, text: string) => void seen.said.push(text),
    mountWitness: {
      argv: (inside: string) => ["grep", inside],
      parse: (stdout: string) => (stdout === "" ? null : { line: stdout, readOnly: !stdout.includes("rw") }),
    },
    egress: {
      open: async (socket: string, targets: readonly EgressTarget[], allowPrivate: readonly EgressTarget[]) => {
        seen.doors.push({ socket, targets, allowPrivate });
        return {
          socket,
          close: async () => {
            seen.closed += 1;
            return given.connections ?? [];
          },
        };
      },
    },
    layers: {
      find: async (key: string) => {
        const layer = given.layers?.[key];
        return layer === undefined ? null : { key, files: 1, listing: "l", outputs: [], ...layer };
      },
      path: async (key: string, output: string) => `/layers/${key}/${output}`,
      alone: async (_: string, __: AbortSignal, work: () => Promise<unknown>) => work(),
      discard: async () => undefined,
      adopt: async (key: string, _: string, outputs: readonly string[]) => ({
        key,
        files: 2,
        listing: "made",
        outputs,
      }),
    },
    sandbox: {
      systemProgram: (path: string) => (path.startsWith("/usr/") ? `real ${path}` : null),
      run: async (command: SandboxCommand, signal: AbortSignal) => {
        seen.commands.push(command);
        return ended(await given.command?.(command, signal));
      },
      open: (command: SessionCommand, signal: AbortSignal) => {
        seen.commands.push(command);
        seen.sessions.push(command);
        const { says = [], outcome = Promise.resolve({}) } = given.session?.(command, signal) ?? {};
        return {
          input: new WritableStream<Uint8Array>({
            write(chunk) {
              seen.stdin += textOf(chunk);
            },
          }),
          output: ReadableStream.from(says.map(bytes)),
          outcome: outcome.then((more) => ({ ...ended(), stdoutBytes: 0, ...more })),
        };
      },
    },
    agentPrograms: {
      find: (_: unknown, [name]: readonly string[]) =>
        name === undefined ? null : { path: `/opt/${name}`, directories: ["/opt"] },
    },
    agentHomes: {
      begin: async (_: string, from: string | null, to: string, directories: readonly string[]) => {
        seen.homes.push({ from, to, directories });
        return `/homes/${to}`;
      },
      keepOnly: async (_: string, names: readonly string[]) => void seen.homes.push({ keeps: names }),
    },
    granted: {
      variable: (name: string) => (name === "NONE" ? undefined : `value-of-${name}`),
      file: async (path: string) => (path === "none" ? null : bytes(`content of ${path}`)),
    },
    ...given.deps,
  } as unknown as BrokerDependencies;
  /** The bracket without its durability: a refusal is thrown, and a failed run is repeated as the asker says. */
  const pass: Pass = async (input, open, effect, again) => {
    seen.inputs.push(input);
    for (;;)
      try {
        const opened = await open();
        seen.opened.push(opened);
        if ("refused" in opened) return null;
        seen.acts.push(opened.act);
        const done = await effect(run);
        seen.effects.push(done);
        return done.result;
      } catch (error) {
        const waitMs =
          error instanceof Error ? (again?.(error as Parameters<NonNullable<typeof again>>[0]) ?? null) : null;
        if (waitMs === null) throw error;
        seen.waits.push(waitMs);
      }
  };
  return { deps, desk, pass, run, seen, files };
}
