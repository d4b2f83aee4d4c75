import { z } from "zod";
import { LAUNCHER_NAMES, NewProjectInput, type ProjectChangeInput } from "../../../contract/inputs.ts";
import { trouble } from "../../client/trouble.ts";
import { command, option, positional } from "../command.ts";
import { projectLines } from "../project-text.ts";
import { SPAN_SAYS, Span } from "../span.ts";

interface Approval {
  readonly approverNotCreator?: "yes" | "no" | undefined;
  readonly approvalExpires?: number | "none" | undefined;
  readonly delegate?: readonly string[] | undefined;
}

const approvalsOf = ({ approverNotCreator, approvalExpires, delegate }: Approval) => ({
  ...(approverNotCreator !== undefined && { approver_not_creator: approverNotCreator === "yes" }),
  ...(approvalExpires !== undefined && { expires_ms: approvalExpires === "none" ? null : approvalExpires }),
  ...(delegate !== undefined && { delegates: delegate.filter((name) => name !== "") }),
});

export const projectSet = command({
  args: z.strictObject({
    project: positional(z.string().min(1), "PROJECT", "its name or id"),
    name: option(NewProjectInput.shape.name.optional(), "NAME", "another name"),
    agent: option(
      z.enum(["gates", "builtin", ...LAUNCHER_NAMES, "none"]).optional(),
      "AGENT",
      "who works on its tasks that name nobody",
    ),
    agentHost: option(
      z.array(z.string()).optional(),
      "HOST:PORT",
      "where its foreign agents reach their models, instead of before; none: nowhere",
    ),
    agentVariable: option(
      z.array(z.string()).optional(),
      "NAME",
      "a variable of the daemon that its foreign agents get, instead of before",
    ),
    agentFile: option(
      z.array(z.string()).optional(),
      "PATH",
      "a file below your home that its foreign agents read, instead of before",
    ),
    mode: option(
      z.enum(["interactive", "assisted", "autonomous"]).optional(),
      "MODE",
      "the run mode of its tasks that name none",
    ),
    tasksMax: option(
      z
        .string()
        .regex(/^([1-9]|[1-5]\d|6[0-4]|none)$/, "must be a number from 1 to 64, or none")
        .optional(),
      "N",
      "how many of its tasks run at the same time; none: as many as the daemon has room for",
    ),
    approverNotCreator: option(
      z.enum(["yes", "no"]).optional(),
      "YES|NO",
      "whether another person than a task's creator has to approve",
    ),
    approvalExpires: option(
      z.union([z.literal("none"), Span], `${SPAN_SAYS}, or none`).optional(),
      "TIME",
      "how long a proposal takes a yes, e.g. 8h; none: for as long as it takes",
    ),
    delegate: option(z.array(z.string()).optional(), "NAME", 'who may approve, instead of those before; "" : everyone'),
    packageHost: option(
      z.array(z.string()).optional(),
      "HOST:PORT",
      "the package hosts its tasks may prepare dependencies from, instead of those before",
    ),
  }),
  examples: ["agentos project set shop --tasks-max 2"],
  async run(
    { project, name, agent, mode, tasksMax, packageHost, agentHost, agentVariable, agentFile, ...approval },
    { api, out },
  ) {
    const grants = [agentHost, agentVariable, agentFile].some((one) => one !== undefined)
      ? grantsAfter((await api.project(project)).settings.agent_grants, {
          agentHost,
          agentVariable,
          agentFile,
        })
      : null;
    const settings: NonNullable<z.input<typeof ProjectChangeInput>["settings"]> = {
      ...(agent !== undefined && {
        agent: agent === "none" ? null : agent === "gates" || agent === "builtin" ? agent : (`acp:${agent}` as const),
      }),
      ...(grants !== null && { agent_grants: grants }),
      ...(mode !== undefined && { run_mode: mode }),
      ...(tasksMax !== undefined && { tasks_max: tasksMax === "none" ? null : Number(tasksMax) }),
      ...(packageHost !== undefined && { package_hosts: packageHost }),
      ...(Object.values(approval).some((one) => one !== undefined) && {
        approvals: { ...(await api.project(project)).settings.approvals, ...approvalsOf(approval) },
      }),
    };
    if (name === undefined && Object.keys(settings).length === 0)
      throw trouble("input/invalid", "nothing was named that should change", {
        next: "agentos project set --help shows what can.",
      });
    const changed = await api.changeProject(project, { ...(name !== undefined && { name }), settings });
    out.result(changed, projectLines, ({ id }) => [id]);
  },
});

interface Grants {
  readonly hosts: readonly string[];
  readonly variables: readonly string[];
  readonly files: readonly string[];
}

/** What was not named stays; `none` takes all of its kind back. */
function grantsAfter(
  before: Grants,
  said: {
    readonly agentHost: readonly string[] | undefined;
    readonly agentVariable: readonly string[] | undefined;
    readonly agentFile: readonly string[] | undefined;
  },
) {
  const now = (named: readonly string[] | undefined, old: readonly string[]): string[] =>
    named === undefined ? [...old] : named.filter((one) => one !== "none");
  return {
    hosts: now(said.agentHost, before.hosts),
    variables: now(said.agentVariable, before.variables),
    files: now(said.agentFile, before.files),
  };
}
