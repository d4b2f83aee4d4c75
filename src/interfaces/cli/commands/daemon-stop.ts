import { z } from "zod";
import { command } from "../command.ts";

export const daemonStop = command({
  args: z.strictObject({}),
  async run(_, { daemon, out }) {
    const stopped = await daemon.stop();
    out.result({ stopped }, () => [
      stopped ? "the daemon has stopped; its tasks go on when it starts again" : "no daemon was running",
    ]);
  },
});
