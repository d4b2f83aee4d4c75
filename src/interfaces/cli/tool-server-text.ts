import type { LookedAtServerView, ToolServerListView } from "../../contract/views.ts";

export const toolServerLines = ({ items }: ToolServerListView): readonly string[] =>
  items.length === 0
    ? ["no tool servers"]
    : items.map(
        ({ name, argv, hosts, tools }) =>
          `${name}  ${argv.join(" ")}${hosts.length === 0 ? "" : `  reaches ${hosts.join(", ")}`}  ${tools.length === 0 ? "no tool agreed to" : tools.map((tool) => tool.name).join(", ")}`,
      );

/** Everything a model would be told of the tools: what is agreed to is this, to the letter. */
export const offeredToolLines = ({ name, offered, changes }: LookedAtServerView): readonly string[] => [
  `${name} offers ${offered.length === 0 ? "no tools" : `${offered.length} tools`}`,
  ...offered.flatMap(({ name: tool, callable, description, schema, digest, agreed }) => [
    "",
    `${tool}  ${callable === null ? "cannot be called: its name cannot be told apart" : agreed ? "agreed to" : "not agreed to"}`,
    `  ${description}`,
    `  ${JSON.stringify(schema)}`,
    `  ${digest}`,
  ]),
  ...(changes.length === 0 ? [] : ["", `changed since it was agreed to: ${changes.join("; ")}`]),
];
