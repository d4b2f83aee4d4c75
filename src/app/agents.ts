import { Failure } from "../domain/failure.ts";
import { type AgentGrants, NO_GRANTS } from "../domain/foreign-agent.ts";
import { startable } from "../domain/found-program.ts";
import { CUSTOM_AGENT, LAUNCHERS, type Launcher, launcherNamed } from "../domain/launchers.ts";
import type { AgentPrograms, ProbeReport } from "../ports/foreign.ts";

/** An agent AgentOS knows how to start, and where its program is on this machine. */
export interface KnownAgent {
  readonly launcher: Launcher;
  readonly path: string | null;
}

/** Starts an agent in a sandbox of its own over an empty repository, and says what it answered. */
export interface AgentTrials {
  probe(agent: TriedAgent): Promise<ProbeReport>;
  test(agent: TriedAgent, prompt: string): Promise<TrialReport>;
}

export interface TriedAgent {
  readonly launcher: Launcher | null;
  readonly path: string;
  readonly directories: readonly string[];
  readonly args: readonly string[];
  readonly grants: AgentGrants;
}

export interface TrialReport {
  readonly stop: string;
  readonly message: string;
  readonly changed: readonly string[];
  /** What it asked its client for. */
  readonly asked: readonly string[];
  readonly denied: readonly string[];
  readonly trouble: string | null;
}

export interface AgentCasesDependencies {
  readonly programs: AgentPrograms;
  readonly trials: AgentTrials;
  readonly toolPath: readonly string[];
}

/** The agents of this machine: which there are, whether one answers, and whether it can do a small thing. */
export const agentCases = (deps: AgentCasesDependencies) => ({
  list: (): readonly KnownAgent[] =>
    LAUNCHERS.map((launcher) => ({
      launcher,
      path: pathOf(deps.programs.find(deps.toolPath, launcher.programs, [])),
    })),
  probe: async (named: NamedTrial): Promise<ProbeReport> => deps.trials.probe(tried(deps, named)),
  test: async (named: NamedTrial): Promise<TrialReport> => deps.trials.test(tried(deps, named), PROMPT),
});

export interface NamedTrial {
  readonly agent: string;
  readonly argv: readonly string[] | null;
  /** Of the project whose settings count; null: nothing is granted. */
  readonly grants: AgentGrants | null;
}

const PROMPT =
  'Create a file called hello.txt that holds the one word "hello", and nothing else. Do not run any command.';

const pathOf = (found: ReturnType<AgentPrograms["find"]>): string | null =>
  found !== null && "path" in found ? found.path : null;

function tried({ programs, toolPath }: AgentCasesDependencies, { agent, argv, grants }: NamedTrial): TriedAgent {
  const launcher = agent === CUSTOM_AGENT ? null : (launcherNamed(agent) ?? null);
  if (launcher === null && argv === null)
    throw new Failure("input/invalid", `${agent} is no agent that AgentOS knows how to start`, {
      next: `It knows ${LAUNCHERS.map(({ name }) => name).join(", ")}; any other by its command.`,
    });
  const names = argv === null ? (launcher?.programs ?? []) : argv.slice(0, 1);
  const found = startable(
    programs.find(toolPath, names, argv?.slice(1) ?? []),
    `the program ${names.join(" or ")} of the agent ${agent}`,
    launcher === null ? undefined : `Install it: ${launcher.install}`,
  );
  return {
    launcher,
    path: found.path,
    directories: found.directories,
    args: argv === null ? (launcher?.args ?? []) : argv.slice(1),
    grants: grants ?? NO_GRANTS,
  };
}
