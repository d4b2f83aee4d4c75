import { Failure } from "../domain/failure.ts";
import { startable } from "../domain/found-program.ts";
import { placeIn } from "../domain/spec.ts";
import { callableName, type OfferedTool, type ToolServer, toolDigest } from "../domain/tool-server.ts";
import { type CallableTool, OUTPUT_TOLD_BYTES, type ToolCapabilities, type ToolTold } from "../ports/agent.ts";
import type { Desk, Effect, StepRun } from "../ports/broker.ts";
import type { AgentProgram } from "../ports/foreign.ts";
import type { Mount, SessionOutcome } from "../ports/sandbox.ts";
import type { ToolResult } from "../ports/tool-protocol.ts";
import {
  allLayers,
  firstRepo,
  insideOf,
  limitsOf,
  targetOf,
  toolPathOf,
  workspaceMounts,
  writableRepos,
} from "./confine.ts";
import type { BrokerDependencies, Pass } from "./deps.ts";
import { egressEvidence, tellDenied } from "./egress-evidence.ts";
import { grantedThings } from "./granted-things.ts";
import { transcriptOf } from "./transcript.ts";

/**
 * Tools of servers that a person configured. Each call is a step: the server is started in the sandbox with the mounts of the phase, says
 * again what it offers, and is called only if that is, to the letter, what the person agreed to. Then it is ended.
 */
export function toolCapabilities(deps: BrokerDependencies, desk: Desk, pass: Pass): ToolCapabilities {
  const tools = desk.toolServers.flatMap((server) =>
    server.tools.flatMap(({ name, description, schema }): CallableTool[] => {
      const callable = callableName(server.name, name);
      return callable === null ? [] : [{ name: callable, server: server.name, tool: name, description, schema }];
    }),
  );
  return {
    tools,
    async callTool(name, input) {
      const called = tools.find((one) => one.name === name);
      const server = desk.toolServers.find((one) => one.name === called?.server);
      const pinned = server?.tools.find((one) => one.name === called?.tool);
      if (server === undefined || pinned === undefined) throw new Failure("input/invalid", `there is no tool ${name}`);
      const repo = firstRepo(desk);
      const timeoutMs = desk.spec.limits.stepMs;
      return (await pass(
        { tool: { item: desk.item?.id ?? null, server: server.name, tool: pinned.name, digest: pinned.digest, input } },
        async () => {
          const told = await deps.blobs.stage(new TextEncoder().encode(JSON.stringify(input)));
          return {
            act: {
              kind: "tool",
              repo,
              server: server.name,
              tool: pinned.name,
              digest: pinned.digest,
              argv: server.argv,
              input: told.ref,
              network: server.grants.hosts,
              timeoutMs,
            },
            blobs: [told],
          };
        },
        (run) =>
          callServer(deps, desk, run, { server, tool: pinned.name, digest: pinned.digest, input, repo, timeoutMs }),
      )) as ToolTold;
    },
  };
}

interface Called {
  readonly server: ToolServer;
  readonly tool: string;
  readonly digest: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly repo: string;
  readonly timeoutMs: number;
}

async function callServer(deps: BrokerDependencies, desk: Desk, run: StepRun, called: Called): Promise<Effect> {
  const { server, tool, digest, input, repo, timeoutMs } = called;
  const program = findProgram(deps, desk, repo, server);
  const directory = await deps.runDirectory(desk.task, run.step, run.run);
  const granted = await grantedThings(deps, desk, run, server.grants);
  const place = placeIn(desk.spec, repo, ".");
  const layers = await allLayers(deps, desk, repo, place);
  const access = desk.phase === "planning" ? "read" : "by-scope";
  const { hosts } = server.grants;
  const door =
    hosts.length === 0
      ? null
      : await deps.egress.open(`${directory}/egress.sock`, hosts.map(targetOf), [
          ...(await deps.allowPrivate()),
          ...hosts.map(targetOf),
        ]);
  const transcript = transcriptOf(
    granted.secrets,
    (text) => deps.appendOutput(run.outputFile, text),
    desk.spec.limits.outputBytes,
  );
  const { redact } = transcript;
  const stderrTold = transcript.stream();
  const closing = new AbortController();
  const ending = AbortSignal.any([run.signal, closing.signal]);
  let records: Awaited<ReturnType<NonNullable<typeof door>["close"]>> = [];
  let result: ToolResult;
  let outcome: SessionOutcome;
  try {
    const session = deps.sandbox.open(
      {
        argv: [program.path, ...server.argv.slice(1)],
        cwd: place === "." ? insideOf(repo) : `${insideOf(repo)}/${place}`,
        mounts: [
          ...workspaceMounts(deps, desk, access),
          ...layers.mounts,
          ...granted.mounts,
          ...program.directories.map((one): Mount => ({ host: one, inside: one, access: "read" })),
        ],
        scratches: layers.scratches,
        environment: { ...layers.environment, ...granted.environment },
        toolPath: toolPathOf(desk, repo),
        egressSocket: door?.socket ?? null,
        limits: limitsOf(desk, timeoutMs),
        stall: null,
        onStderr: stderrTold.take,
        onStart: run.onStart,
      },
      ending,
    );
    // Awaited below; until then its failure must not count as nobody's.
    session.outcome.catch(() => undefined);
    const agreed = (offered: OfferedTool | null): void => {
      if (offered === null || toolDigest(deps.seal, offered) !== digest)
        throw new Failure(
          "act/denied",
          `the tool ${tool} of ${server.name} ${offered === null ? "is gone" : "is not what was agreed on any more"}`,
          { next: `agentos mcp probe PROJECT ${server.name} shows what changed; agentos mcp pin agrees to it.` },
        );
    };
    try {
      result = await deps.toolProtocol.call(session, { tool, input, agreed, timeoutMs, redact }, ending);
    } finally {
      closing.abort();
      outcome = await session.outcome;
    }
  } finally {
    records = (await door?.close()) ?? [];
  }
  await tellDenied(desk, records);
  stderrTold.end();
  const told: ToolTold = { text: result.text, isError: result.isError };
  const answer = await deps.blobs.stage(new TextEncoder().encode(told.text));
  const stderr = await deps.blobs.stage(
    new TextEncoder().encode(endOf(redact(new TextDecoder().decode(outcome.stderr.bytes)))),
  );
  return {
    evidence: [
      {
        kind: "tool",
        server: server.name,
        tool,
        digest,
        argv: server.argv,
        environment: outcome.environmentDigest,
        answer: answer.ref,
        stderr: stderr.ref,
        isError: result.isError,
        durationMs: Math.round(outcome.durationMs),
      },
      ...egressEvidence(records),
    ],
    touched: access === "read" ? [] : writableRepos(desk),
    result: told,
    failed: null,
    blobs: [answer, stderr],
  };
}

const endOf = (text: string): string => text.slice(-OUTPUT_TOLD_BYTES).toWellFormed();

function findProgram(deps: BrokerDependencies, desk: Desk, repo: string, { name, argv }: ToolServer): AgentProgram {
  return startable(
    deps.agentPrograms.find(toolPathOf(desk, repo), argv.slice(0, 1), argv.slice(1)),
    `the program ${argv[0]} of the tool server ${name}`,
    "Install it, or change the server: agentos mcp remove and agentos mcp add.",
  );
}
