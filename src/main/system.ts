import { homedir } from "node:os";
import { join } from "node:path";
import { acpProtocol } from "../adapters/acp/acp-client.ts";
import { transcriptText } from "../adapters/acp/transcript-text.ts";
import { egressProxy } from "../adapters/egress/proxy.ts";
import type { RemoteAccess } from "../adapters/git/credentials.ts";
import { gitWorkspaces } from "../adapters/git/workspaces.ts";
import { mcpProtocol } from "../adapters/mcp/mcp-protocol.ts";
import { models as modelClient } from "../adapters/models/models.ts";
import { cedarPolicy } from "../adapters/policy/cedar-policy.ts";
import { standingLayers, userPolicyFile } from "../adapters/policy/layers.ts";
import { readOnce } from "../adapters/runners/read-once.ts";
import { runners } from "../adapters/runners/runners.ts";
import { agentPrograms } from "../adapters/sandbox/agent-program.ts";
import { bubblewrapSandbox, mountWitnessArgv, parseMountWitness } from "../adapters/sandbox/bubblewrap.ts";
import { secrets } from "../adapters/secrets/secrets.ts";
import { openStore } from "../adapters/store/open.ts";
import { seal, sha256Hex } from "../adapters/store/seal.ts";
import { agentHomes } from "../adapters/system/agent-homes.ts";
import { systemClock, systemIds } from "../adapters/system/clock.ts";
import { diskRoom } from "../adapters/system/disk-room.ts";
import { grantedThings } from "../adapters/system/granted.ts";
import { fileLayers } from "../adapters/system/layers.ts";
import { ownProcess } from "../adapters/system/own-process.ts";
import { runFiles } from "../adapters/system/run-files.ts";
import { acpAgent } from "../agents/acp/acp-agent.ts";
import { builtinAgent } from "../agents/builtin/builtin-agent.ts";
import { modelReviewer } from "../agents/builtin/reviewer.ts";
import { commandAgent } from "../agents/command/command-agent.ts";
import { gatesAgent } from "../agents/gates/gates-agent.ts";
import { scriptAgent } from "../agents/script/script-agent.ts";
import { modelCheck } from "../app/check-model.ts";
import type { AppDependencies } from "../app/deps.ts";
import { modelEndpoints } from "../app/model-endpoints.ts";
import { type UseCases, useCases } from "../app/use-cases.ts";
import { createBroker } from "../broker/broker.ts";
import { chatReading } from "../contract/chat-inputs.ts";
import type { Retention } from "../domain/retention.ts";
import { createDelivery } from "../engine/delivery.ts";
import type { EngineDependencies } from "../engine/deps.ts";
import { createStorageWait } from "../engine/storage-wait.ts";
import { createTaskLog } from "../engine/task-log.ts";
import { createWorker, type Worker } from "../engine/worker.ts";
import type { Agents } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { Delivery } from "../ports/delivery.ts";
import type { Egress } from "../ports/egress.ts";
import type { Models } from "../ports/model.ts";
import type { ModelCheck } from "../ports/model-check.ts";
import type { Policy } from "../ports/policy.ts";
import type { Programs } from "../ports/programs.ts";
import type { Providers } from "../ports/providers.ts";
import type { Runners } from "../ports/runners.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import type { Secrets } from "../ports/secrets.ts";
import type { Store } from "../ports/store.ts";
import type { Workspaces } from "../ports/workspaces.ts";
import { agentTrials } from "./agent-trials.ts";
import { confinedProgram, confinedVersions } from "./confined-programs.ts";
import { offeredTools } from "./offered-tools.ts";
import { machineProviders } from "./providers.ts";
import { clientSettings, DEFAULT_REGISTRY, ownRegistries } from "./registries.ts";

export interface SystemOptions {
  readonly home: string;
  readonly toolPath: readonly string[];
  readonly tasksMax: number;
  readonly retention: Retention;
  /** The daemon's means to reach remote repositories; left out: only what asks for nothing. */
  readonly remotes?: RemoteAccess;
  /** The port at which the API of this system listens, as soon as it does: no sandbox reaches it, whoever grants it. */
  readonly ownPort?: () => number | null;
  readonly warn: (sentence: string, error: unknown) => void;
  /** Nothing can be made durable any more: the process must end. */
  readonly onFatal: (error: unknown) => void;
  /** Other adapters behind the same ports, for tests and embedders; the defaults are the product. */
  readonly adapters?: {
    readonly sandbox?: Sandbox;
    readonly egress?: Egress;
    readonly policy?: Policy;
    readonly clock?: Clock;
    readonly agents?: Agents;
    readonly providers?: Providers;
    readonly secrets?: Secrets;
    readonly models?: Models;
    readonly modelCheck?: ModelCheck;
    readonly store?: (store: Store) => Store;
    readonly workspaces?: (workspaces: Workspaces) => Workspaces;
    readonly allowPrivate?: readonly { readonly host: string; readonly port: number }[];
    readonly busyMs?: number;
    /** Below which directory granted files lie; the person's home when not given. */
    readonly grantsHome?: string;
    /** Where granted variables are looked up; the daemon's own environment when not given. */
    readonly grantsFrom?: Readonly<Record<string, string | undefined>>;
  };
}

export interface System {
  readonly store: Store;
  readonly cases: UseCases;
  readonly worker: Worker;
  readonly delivery: Delivery;
  readonly sandbox: Sandbox;
  newId(): string;
  /** Clears what dead runs left and finishes interrupted deliveries. */
  recover(): Promise<void>;
  /** Recovers, unless that is done, and starts to work. */
  start(): Promise<void>;
  /** Puts everything down in good order. */
  stop(): Promise<void>;
}

/** Where adapters meet use cases. The caller holds the daemon lock of `home`. */
export async function assemble(options: SystemOptions): Promise<System> {
  const { home, adapters = {} } = options;
  const clock = adapters.clock ?? systemClock;
  const sandbox = adapters.sandbox ?? bubblewrapSandbox({ privateDirectories: [home], hostEnvironment: process.env });
  const opened = await openStore({
    home,
    now: () => clock.nowMs(),
    onFatal: options.onFatal,
    ...(adapters.busyMs === undefined ? {} : { busyMs: adapters.busyMs }),
  });
  try {
    return await over(opened, options, sandbox, clock);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function over(opened: Store, options: SystemOptions, sandbox: Sandbox, clock: Clock): Promise<System> {
  const { home, toolPath, adapters = {} } = options;
  const store = adapters.store?.(opened) ?? opened;
  const log = createTaskLog(store, clock);
  const ownWorkspaces = gitWorkspaces({
    home,
    owner: sandbox.owner(),
    ...(options.remotes === undefined ? {} : { remotes: options.remotes }),
  });
  const workspaces = adapters.workspaces?.(ownWorkspaces) ?? ownWorkspaces;
  const layers = fileLayers(home);
  const room = diskRoom(home);
  const files = runFiles({ home, owner: sandbox.owner(), digest: sha256Hex });
  // Asked when a task first needs it, for dependencies or a way out: starting npm takes longer than all the rest of a daemon's start.
  const settings = once(() => clientSettings(toolPath));
  const usual = runners({ registry: DEFAULT_REGISTRY });
  const testRunners: Runners = {
    ...usual,
    detect: async (repo, files) => {
      const read = readOnce(files);
      const found = await usual.detect(repo, read);
      return found.prepare.length === 0 ? found : runners(await settings()).detect(repo, read);
    },
  };
  const programs: Programs = { resolve: (path, program) => confinedProgram(sandbox, files, path, program) };
  const toolProtocol = mcpProtocol();
  const looking = {
    store,
    providers: adapters.providers ?? machineProviders(home, toolPath),
    secrets: adapters.secrets ?? secrets({ home, environment: (name) => process.env[name] }),
  };
  const models = adapters.models ?? modelClient(modelEndpoints(looking));
  const egress = adapters.egress ?? egressProxy(options.ownPort === undefined ? {} : { ownPort: options.ownPort });
  const protocol = acpProtocol();
  const homes = agentHomes({ home, owner: sandbox.owner() });
  const agentsHere = agentPrograms([home, homedir()]);
  const granted = grantedThings(adapters.grantsFrom ?? process.env, adapters.grantsHome ?? homedir());
  const userPolicy = userPolicyFile(join(home, "policy.cedar"));
  const policies = cedarPolicy(standingLayers(store, userPolicy));
  const broker = createBroker({
    sandbox,
    workspaces,
    egress,
    layers,
    policy: adapters.policy ?? policies,
    runners: testRunners,
    blobs: store,
    seal,
    digest: sha256Hex,
    mountWitness: { argv: mountWitnessArgv, parse: parseMountWitness },
    runDirectory: files.directory,
    reportDirectory: files.reports,
    inputDirectory: files.inputs,
    readReport: files.readReport,
    reportsIn: files.reportsIn,
    writeText: files.writeText,
    models,
    appendOutput: files.appendOutput,
    toolProtocol,
    protocols: { acp: protocol },
    agentPrograms: agentsHere,
    agentHomes: homes,
    granted,
    dropRunDirectory: files.drop,
    platform: once(() => `${process.platform}-${process.arch}-${glibcVersion()}`),
    toolchain: (path, program) => confinedVersions(sandbox, files, path, program),
    allowPrivate: async () => [...ownRegistries(await settings()), ...(adapters.allowPrivate ?? [])],
    noRoom: room.full,
    clock,
  });
  const ids = systemIds();
  const self = ownProcess();
  const engine: EngineDependencies = {
    store,
    log,
    workspaces,
    sandbox,
    broker,
    layers,
    reviewer: modelReviewer,
    agents: adapters.agents ?? {
      builtin: builtinAgent,
      script: scriptAgent,
      gates: gatesAgent,
      acp: acpAgent,
      command: commandAgent,
    },
    seal,
    digest: sha256Hex,
    clock,
    self,
    worker: `daemon-${self.pid}`,
    outputFile: files.outputFile,
    partialOutput: files.output,
    fatal: options.onFatal,
    storage: createStorageWait({ log, store, room, warn: options.warn }),
    warn: options.warn,
  };
  const app: AppDependencies = {
    ...looking,
    models,
    agents: {
      programs: agentsHere,
      toolPath,
      trials: agentTrials({ sandbox, files, egress, protocol, granted, toolPath }),
    },
    log,
    workspaces,
    runners: testRunners,
    programs,
    seal,
    digest: sha256Hex,
    clock,
    ids,
    liveOutput: files.output,
    outputFrom: files.outputFrom,
    dropOutput: files.dropOutput,
    outputUse: files.outputUse,
    transcriptText,
    agentHomes: homes,
    toolServers: offeredTools({ sandbox, egress, files, programs: agentsHere, granted, protocol: toolProtocol }),
    policies,
    userPolicy,
    layers,
    modelCheck: adapters.modelCheck ?? modelCheck(looking),
    chatReading,
    retention: options.retention,
    toolPath,
  };
  const worker = createWorker(engine, { tasksMax: options.tasksMax });
  const delivery = createDelivery(engine);
  let recovered: Promise<void> | null = null;
  const recover = (): Promise<void> =>
    (recovered ??= (async () => {
      await files.dropAll();
      await delivery.recover();
    })());
  return {
    store,
    cases: useCases(app, delivery),
    worker,
    delivery,
    sandbox,
    newId: () => ids.ulid(),
    recover,
    async start() {
      await recover();
      await worker.start();
    },
    async stop() {
      await Promise.all([delivery.stop(), worker.stop()]);
      await store.close();
    },
  };
}

function once<T extends object | string>(ask: () => T): () => T {
  let answer: T | null = null;
  return () => (answer ??= ask());
}

/** Binary dependencies are built for a C library; musl has no such entry. */
function glibcVersion(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // the report describes the call stack, which takes long and is of no use here
  const { header } = process.report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };
  Error.stackTraceLimit = stackTraceLimit;
  return header.glibcVersionRuntime ?? "musl";
}

/** Where the built page lies in a checkout or an installed package. */
export const webDirectory = join(import.meta.dirname, "..", "..", "web", "dist");
