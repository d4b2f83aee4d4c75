import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { command } from "../command.ts";
import { daemonLines } from "../daemon-text.ts";

export const daemonStatus = command({
  args: z.strictObject({}),
  async run(_, { daemon, settings, out }) {
    const running = await daemon.find();
    if (running === null) throw trouble("daemon/unreachable", `no daemon runs on ${settings.home}`);
    out.result(
      { ...running.health, url: running.url },
      () => daemonLines(running),
      () => [String(running.pid)],
    );
  },
});
