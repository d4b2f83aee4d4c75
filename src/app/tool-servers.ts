import type { Actor } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import type { Project } from "../domain/project.ts";
import { callableName, type OfferedTool, type ToolServer, toolChanges, toolDigest } from "../domain/tool-server.ts";
import type { AppDependencies } from "./deps.ts";
import { changeProject, findProject } from "./projects.ts";

/** A server as the project has it, with what it offers now. */
export interface LookedAtServer {
  readonly server: ToolServer;
  /** `callable`: what a model would call it by, null: it cannot be called; `agreed`: a person has seen it as it is. */
  readonly offered: readonly (OfferedTool & {
    readonly digest: string;
    readonly callable: string | null;
    readonly agreed: boolean;
  })[];
  readonly changes: readonly string[];
}

export const toolServersOf = async (deps: AppDependencies, project: string): Promise<readonly ToolServer[]> =>
  serversIn(await findProject(deps, project));

/** Starts it once, in the sandbox, and keeps it; none of its tools is offered to a model before a person has agreed to it. */
export async function addToolServer(
  deps: AppDependencies,
  by: Actor,
  wanted: string,
  server: Omit<ToolServer, "tools">,
): Promise<LookedAtServer> {
  const project = await findProject(deps, wanted);
  if (serversIn(project).some(({ name }) => name === server.name))
    throw new Failure("project/refused", `the project ${project.name} has a tool server ${server.name} already`, {
      next: `agentos mcp remove ${project.name} ${server.name}`,
    });
  const looked = await lookAt(deps, project, { ...server, tools: [] });
  await keep(deps, by, project, [...serversIn(project), looked.server]);
  return looked;
}

export async function probeToolServer(deps: AppDependencies, wanted: string, name: string): Promise<LookedAtServer> {
  const project = await findProject(deps, wanted);
  return lookAt(deps, project, serverNamed(project, name));
}

/** Agrees to exactly the tools with these digests, as they are offered now; all others of the server are not agreed to. */
export async function pinTools(
  deps: AppDependencies,
  by: Actor,
  wanted: string,
  name: string,
  digests: readonly string[],
): Promise<LookedAtServer> {
  const project = await findProject(deps, wanted);
  const { server, offered } = await lookAt(deps, project, serverNamed(project, name));
  const tools = digests.map((digest) => {
    const tool = offered.find((one) => one.digest === digest);
    if (tool === undefined)
      throw new Failure("project/refused", `the server ${name} offers no tool with the digest ${digest} now`, {
        next: `agentos mcp probe ${project.name} ${name} shows what it offers.`,
      });
    if (tool.callable === null)
      throw new Failure("project/refused", `the tool ${tool.name} of ${name} has a name that no model could call`);
    return { name: tool.name, description: tool.description, schema: tool.schema, digest };
  });
  const pinned = { ...server, tools };
  await keep(
    deps,
    by,
    project,
    serversIn(project).map((one) => (one.name === name ? pinned : one)),
  );
  return { server: pinned, ...compared(deps, pinned, offered) };
}

export async function removeToolServer(deps: AppDependencies, by: Actor, wanted: string, name: string): Promise<void> {
  const project = await findProject(deps, wanted);
  serverNamed(project, name);
  await keep(
    deps,
    by,
    project,
    serversIn(project).filter((one) => one.name !== name),
  );
}

async function lookAt(deps: AppDependencies, project: Project, server: ToolServer): Promise<LookedAtServer> {
  const toolPath = project.repos[0]?.toolPath ?? deps.toolPath;
  const offered = await deps.toolServers.offered(toolPath, server);
  return { server, ...compared(deps, server, offered) };
}

function compared(
  deps: AppDependencies,
  server: ToolServer,
  offered: readonly OfferedTool[],
): Pick<LookedAtServer, "offered" | "changes"> {
  return {
    offered: offered.map(({ name, description, schema }) => {
      const digest = toolDigest(deps.seal, { name, description, schema });
      return {
        name,
        description,
        schema,
        digest,
        callable: callableName(server.name, name),
        agreed: server.tools.some((one) => one.digest === digest),
      };
    }),
    changes: server.tools.length === 0 ? [] : toolChanges(deps.seal, server.tools, offered),
  };
}

const serversIn = (project: Project): readonly ToolServer[] => project.settings.toolServers ?? [];

function serverNamed(project: Project, name: string): ToolServer {
  const server = serversIn(project).find((one) => one.name === name);
  if (server !== undefined) return server;
  throw new Failure("project/refused", `the project ${project.name} has no tool server ${name}`, {
    next: `agentos mcp list ${project.name}`,
  });
}

const keep = (deps: AppDependencies, by: Actor, project: Project, toolServers: readonly ToolServer[]) =>
  changeProject(deps, by, project.id, { settings: { toolServers } });
