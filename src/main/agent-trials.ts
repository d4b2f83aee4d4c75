import { randomUUID } from "node:crypto";
import { chown, lstat, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { RunFiles } from "../adapters/system/run-files.ts";
import type { AgentTrials, TrialReport, TriedAgent } from "../app/agents.ts";
import { type Redactor, redactorOf, secretsIn } from "../broker/transcript.ts";
import { Failure } from "../domain/failure.ts";
import type { Egress } from "../ports/egress.ts";
import type { ForeignProtocol, Granted, TurnClient } from "../ports/foreign.ts";
import type { Sandbox, SandboxSession } from "../ports/sandbox.ts";

const LIMITS = {
  wallMs: 180_000,
  memoryBytes: 4 * 1024 ** 3,
  processes: 1_024,
  outputBytes: 1024 ** 2,
  fileBytes: 1024 ** 3,
};
const PLACE = "/workspace/scratch";

export interface TrialParts {
  readonly sandbox: Sandbox;
  readonly files: RunFiles;
  readonly egress: Egress;
  readonly protocol: ForeignProtocol;
  readonly granted: Granted;
  readonly toolPath: readonly string[];
}

/** An agent tried outside of any task: a scratch directory, an empty home, the granted hosts, and all of it gone afterwards. */
export function agentTrials(parts: TrialParts): AgentTrials {
  return {
    probe: (agent) => inScratch(parts, agent, async (talk, _, signal) => parts.protocol.probe(talk, PLACE, signal)),
    test: (agent, prompt) =>
      inScratch(parts, agent, async (talk, directory, signal, redactor) => {
        const { redact } = redactor;
        const asked: string[] = [];
        const denied: string[] = [];
        const wanted = {
          prompt,
          background: "",
          notice: "",
          cwd: PLACE,
          directories: [],
          mode: agent.launcher?.workMode ?? null,
          session: null,
        };
        const report = await parts.protocol.turn(talk, wanted, trialClient(asked, denied, redactor), signal);
        const trial: TrialReport = {
          stop: report.stop,
          message: redact(report.message).slice(0, 2_000),
          changed: await namesIn(directory),
          asked: asked.map((one) => redact(one).slice(0, 200)),
          denied: denied.map(redact),
          trouble: report.trouble === null ? null : redact(report.trouble),
        };
        return trial;
      }),
  };
}

/** Says yes to what an agent may do by itself in its scratch anyway, and keeps its hands still: a trial changes nothing of a person's. */
function trialClient(asked: string[], denied: string[], { redact, pieces }: Redactor): TurnClient {
  const no = async (what: string): Promise<never> => {
    denied.push(what);
    throw new Failure("act/denied", `${what}: not in a trial`);
  };
  return {
    read: (path) => no(`read ${path}`),
    write: (path) => no(`write ${path}`),
    startTerminal: ({ command }) => no(`run ${command}`),
    permit: async ({ tool, title }) => {
      asked.push(`${tool}: ${title}`);
      return tool === "edit" || tool === "read" ? "allow" : "deny";
    },
    needsPerson: new Promise(() => undefined),
    hear: () => undefined,
    tell: () => true,
    redact,
    pieces,
  };
}

async function inScratch<T>(
  { sandbox, files, egress, granted, toolPath }: TrialParts,
  agent: TriedAgent,
  /** `redactor` takes out of texts what was granted: none of it goes into a report. */
  work: (talk: SandboxSession, directory: string, signal: AbortSignal, redactor: Redactor) => Promise<T>,
): Promise<T> {
  const name = randomUUID();
  const directory = await files.directory("trial", name, 1);
  const ending = new AbortController();
  try {
    const [scratch, home] = await Promise.all(
      ["scratch", "home"].map((place) => made(join(directory, place), sandbox)),
    );
    if (scratch === undefined || home === undefined) throw new Error("a trial has no place");
    const targets = agent.grants.hosts.map((host) => {
      const at = host.lastIndexOf(":");
      return { host: host.slice(0, at).toLowerCase(), port: Number(host.slice(at + 1)) };
    });
    const door = targets.length === 0 ? null : await egress.open(join(directory, "egress.sock"), targets, targets);
    try {
      const secrets: string[] = [];
      const environment: Record<string, string> = { NO_PROXY: "127.0.0.1,::1", ...agent.launcher?.environment };
      for (const variable of agent.grants.variables) {
        const value = granted.variable(variable);
        if (value === undefined) continue;
        environment[variable] = value;
        secrets.push(...secretsIn(value));
      }
      const session = sandbox.open(
        {
          argv: [agent.path, ...agent.args],
          cwd: PLACE,
          mounts: [
            { host: scratch, inside: PLACE, access: "write" },
            { host: home, inside: "/home/agent", access: "write" },
            ...agent.directories.map((one) => ({ host: one, inside: one, access: "read" as const })),
          ],
          scratches: [],
          environment,
          toolPath,
          egressSocket: door?.socket ?? null,
          limits: LIMITS,
          stall: null,
          onStderr: () => undefined,
          onStart: () => undefined,
        },
        ending.signal,
      );
      session.outcome.catch(() => undefined);
      try {
        return await work(session, scratch, ending.signal, redactorOf(secrets));
      } finally {
        ending.abort();
        await session.outcome;
      }
    } finally {
      await door?.close();
    }
  } finally {
    await files.drop("trial", name, 1);
  }
}

async function made(path: string, sandbox: Sandbox): Promise<string> {
  await mkdir(path);
  const owner = sandbox.owner();
  if (owner !== null) await chown(path, owner.uid, owner.gid);
  return path;
}

/** Names at the top of the scratch, with their sizes; what an agent made there is not looked into. */
async function namesIn(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).sort().slice(0, 20);
  return Promise.all(names.map(async (name) => `${name} (${(await lstat(join(directory, name))).size} bytes)`));
}
