import { z } from "zod";
import { command } from "../command.ts";
import { daemonLines } from "../daemon-text.ts";

export const daemonStart = command({
  args: z.strictObject({}),
  async run(_, { daemon, out }) {
    const running = await daemon.start();
    out.result(
      { started: running.started, ...running.health, url: running.url },
      () => [running.started ? "the daemon was started" : "the daemon was running already", ...daemonLines(running)],
      () => [String(running.pid)],
    );
  },
});
