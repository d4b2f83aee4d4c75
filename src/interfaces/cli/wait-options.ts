import { z } from "zod";
import { flag, option } from "./command.ts";

export const WAIT_OPTIONS = {
  wait: flag(
    z.boolean().default(false),
    "follow it until it ends (exit code 0, 12 failed, 13 canceled) or waits for you (10 approval, 11 blocked)",
  ),
  timeout: option(
    z
      .string()
      .regex(/^\d{1,6}(\.\d+)?$/, "must be seconds")
      .optional(),
    "SECONDS",
    "with --wait: stop following after so long (exit code 124); the task goes on",
  ),
};

/** As milliseconds. */
export const seconds = (timeout: string | undefined): number | null =>
  timeout === undefined ? null : Math.round(Number(timeout) * 1000);
