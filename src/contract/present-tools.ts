import type { OfferedTool, ToolServer } from "../domain/tool-server.ts";
import type { LookedAtServerView, ToolServerListView } from "./views.ts";

export const toolServerView = ({ name, argv, grants, tools }: ToolServer): ToolServerListView["items"][number] => ({
  name,
  argv: [...argv],
  hosts: [...grants.hosts],
  tools: tools.map((tool) => ({ name: tool.name, digest: tool.digest })),
});

export const lookedAtServerView = ({
  server,
  offered,
  changes,
}: {
  readonly server: ToolServer;
  readonly offered: readonly (OfferedTool & {
    readonly digest: string;
    readonly callable: string | null;
    readonly agreed: boolean;
  })[];
  readonly changes: readonly string[];
}): LookedAtServerView => ({
  ...toolServerView(server),
  offered: offered.map(({ name, callable, description, schema, digest, agreed }) => ({
    name,
    callable,
    description,
    schema: JSON.parse(JSON.stringify(schema)),
    digest,
    agreed,
  })),
  changes: [...changes],
});
