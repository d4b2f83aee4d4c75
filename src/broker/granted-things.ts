import { Failure } from "../domain/failure.ts";
import type { AgentGrants } from "../domain/foreign-agent.ts";
import type { Desk, StepRun } from "../ports/broker.ts";
import type { Mount } from "../ports/sandbox.ts";
import type { BrokerDependencies } from "./deps.ts";
import { secretsIn } from "./transcript.ts";

/** Where an agent or a tool server has its home inside the sandbox. */
export const HOME_INSIDE = "/home/agent";

export interface GrantedThings {
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly secrets: readonly string[];
}

/** What the grants name, as it is now: variables by value, files as read-only copies that only this run sees. */
export async function grantedThings(
  deps: BrokerDependencies,
  desk: Desk,
  run: StepRun,
  { variables, files }: AgentGrants,
): Promise<GrantedThings> {
  const environment: Record<string, string> = {};
  const mounts: Mount[] = [];
  const secrets: string[] = [];
  const gone = (what: string): Failure =>
    new Failure("agent/failed", `${what} was granted to the agent and is not there`, {
      next: "Provide it to the daemon, or take the grant back in the project's settings.",
    });
  for (const name of variables) {
    const value = deps.granted.variable(name);
    if (value === undefined) throw gone(`the variable ${name}`);
    environment[name] = value;
    secrets.push(...secretsIn(value));
  }
  const directory = await deps.runDirectory(desk.task, run.step, run.run);
  for (const [index, path] of files.entries()) {
    const bytes = await deps.granted.file(path);
    if (bytes === null) throw gone(`the file ~/${path}`);
    const host = `${directory}/grant-${index}`;
    await deps.writeText(host, bytes);
    mounts.push({ host, inside: `${HOME_INSIDE}/${path}`, access: "read" });
    secrets.push(...secretsIn(textOf(bytes)));
  }
  return { environment, mounts, secrets };
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
