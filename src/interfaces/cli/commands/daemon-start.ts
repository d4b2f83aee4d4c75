import { z } from "zod";
import { command, flag } from "../command.ts";
import { daemonLines } from "../daemon-text.ts";

export const daemonStart = command({
  args: z.strictObject({
    paused: flag(
      z.boolean().default(false),
      "take up no task, as after an incident, until agentos daemon resume; also where one runs already",
    ),
  }),
  async run({ paused }, { api, daemon, out }) {
    const found = await daemon.start({ paused });
    const running = paused && found.health.paused === null ? { ...found, health: await api.pauseAll({}) } : found;
    out.result(
      { started: running.started, ...running.health, url: running.url },
      () => [running.started ? "the daemon was started" : "the daemon was running already", ...daemonLines(running)],
      () => [String(running.pid)],
    );
  },
});
