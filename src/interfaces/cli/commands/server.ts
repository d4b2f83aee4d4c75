import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { command } from "../command.ts";
import { field } from "../escape.ts";

export const server = command({
  args: z.strictObject({}),
  async run(_, { daemon, serve, settings, out }) {
    const running = await daemon.find();
    if (running !== null)
      throw trouble(
        "daemon/running",
        `a daemon is running on ${settings.home} already: ${running.url} (pid ${running.pid})`,
        { next: "Use it, or stop it first: agentos daemon stop" },
      );
    out.note(`the daemon of ${field(settings.home)} runs here until it is interrupted`);
    await serve();
  },
});
