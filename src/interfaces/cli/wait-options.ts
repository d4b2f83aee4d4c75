import { z } from "zod";
import { flag, option } from "./command.ts";

/** Anew for each option: its words are kept by the schema. */
const secondsGiven = () =>
  z
    .string()
    .regex(/^\d{1,6}(\.\d+)?$/, "must be seconds")
    .optional();
const STOPS = "stop following after so long (exit code 124); the task goes on";

export const WAIT_OPTIONS = {
  wait: flag(
    z.boolean().default(false),
    "follow it until it ends (exit code 0, 12 failed, 13 canceled) or waits for you (10 approval, 11 blocked)",
  ),
  timeout: option(secondsGiven(), "SECONDS", `with --wait: ${STOPS}`),
};
/** For a command that waits in any case. */
export const TIMEOUT = option(secondsGiven(), "SECONDS", STOPS);

/** As milliseconds. */
export const seconds = (timeout: string | undefined): number | null =>
  timeout === undefined ? null : Math.round(Number(timeout) * 1000);
