import { z } from "zod";
import { agentLines } from "../agent-text.ts";
import { command } from "../command.ts";

export const agentList = command({
  args: z.strictObject({}),
  async run(_, { api, out }) {
    out.result(await api.agents(), agentLines, ({ items }) =>
      items.flatMap(({ name, path }) => (path === null ? [] : [name])),
    );
  },
});
