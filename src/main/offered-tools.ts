import { randomUUID } from "node:crypto";
import type { RunFiles } from "../adapters/system/run-files.ts";
import { startable } from "../domain/found-program.ts";
import type { Egress, EgressTarget } from "../ports/egress.ts";
import type { AgentPrograms, Granted } from "../ports/foreign.ts";
import type { Mount, Sandbox } from "../ports/sandbox.ts";
import type { ToolProtocol, ToolServers } from "../ports/tool-protocol.ts";

const LIMITS = {
  wallMs: 90_000,
  memoryBytes: 2 * 1024 ** 3,
  processes: 128,
  outputBytes: 1024 ** 2,
  fileBytes: 64 * 1024 ** 2,
};

/** Asks a tool server what it offers, the way a task would start it, but with no workspace to see. */
export const offeredTools = (deps: {
  readonly sandbox: Sandbox;
  readonly egress: Egress;
  readonly files: RunFiles;
  readonly programs: AgentPrograms;
  readonly granted: Granted;
  readonly protocol: ToolProtocol;
}): ToolServers => ({
  async offered(toolPath, { name, argv, grants }) {
    const program = startable(
      deps.programs.find(toolPath, argv.slice(0, 1), argv.slice(1)),
      `the program ${argv[0]} of the tool server ${name}`,
      "Install it, or name one that is there, by its whole path: agentos mcp add PROJECT NAME COMMAND.",
    );
    const asking = randomUUID();
    const directory = await deps.files.directory("ask", asking, 1);
    const targets = grants.hosts.map(targetOf);
    const door = targets.length === 0 ? null : await deps.egress.open(`${directory}/egress.sock`, targets, targets);
    const closing = new AbortController();
    try {
      const session = deps.sandbox.open(
        {
          argv: [program.path, ...argv.slice(1)],
          cwd: "/tmp",
          mounts: program.directories.map((one): Mount => ({ host: one, inside: one, access: "read" })),
          scratches: [],
          environment: Object.fromEntries(
            grants.variables.flatMap((variable) => {
              const value = deps.granted.variable(variable);
              return value === undefined ? [] : [[variable, value]];
            }),
          ),
          toolPath,
          egressSocket: door?.socket ?? null,
          limits: LIMITS,
          stall: null,
          onStderr: () => undefined,
          onStart: () => undefined,
        },
        AbortSignal.any([closing.signal, AbortSignal.timeout(LIMITS.wallMs)]),
      );
      session.outcome.catch(() => undefined); // Awaited below; what it says then counts.
      try {
        return await deps.protocol.offered(session, closing.signal);
      } finally {
        closing.abort();
        await session.outcome;
      }
    } finally {
      await door?.close();
      await deps.files.drop("ask", asking, 1);
    }
  },
});

function targetOf(text: string): EgressTarget {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).toLowerCase(), port: Number(text.slice(colon + 1)) };
}
