import { randomBytes } from "node:crypto";
import { monotonicFactory } from "ulid";
import type { Clock, Ids } from "../../ports/clock.ts";

export const systemClock: Clock = { nowMs: () => Date.now() };

/** ULIDs that keep their order also within one millisecond. */
export function systemIds(): Ids {
  const next = monotonicFactory();
  return { ulid: () => next(), nonce: () => randomBytes(16).toString("hex") };
}
