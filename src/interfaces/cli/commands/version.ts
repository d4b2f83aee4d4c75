import { z } from "zod";
import { command } from "../command.ts";

export const version = command({
  args: z.strictObject({}),
  async run(_, context) {
    const found = {
      version: context.version,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    };
    context.out.result(
      found,
      (is) => [`agentos ${is.version}`],
      (is) => [is.version],
    );
  },
});
