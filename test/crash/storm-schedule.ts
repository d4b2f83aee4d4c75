import { seeded } from "../support/sample.ts";

/** What is struck, and how it goes on from there. */
export const TARGETS = ["daemon", "group", "child", "starting", "frozen"] as const;
export type Target = (typeof TARGETS)[number];

/**
 * One strike. It falls `afterEvents` events of the journal after the last one was dealt with, and `delayMs` later (for a daemon that is
 * to die while it starts: that long after its process was made).
 *
 * - `daemon`: SIGKILL to the daemon alone. `group`: to its process group. `starting`: to a daemon that does not listen yet.
 * - `frozen`: SIGSTOP to the daemon; SIGCONT when a second daemon was refused; and SIGKILL.
 * - `child`: SIGKILL to one of the processes of a confined command, `pick` of all that are there; the daemon lives on.
 */
export interface Strike {
  readonly target: Target;
  readonly afterEvents: number;
  readonly delayMs: number;
  /** In [0, 1). */
  readonly pick: number;
}

/** Shares of a hundred. */
const SHARES: Readonly<Record<Target, number>> = { daemon: 30, group: 20, child: 30, starting: 15, frozen: 5 };

const DELAY_MS_MAX = 40;
const START_MS_MAX = 600;

/** The same for the same seed, on every machine. `eventsMean` is how far the work gets between two strikes. */
export function scheduleOf(seed: number, strikes: number, eventsMean: number): readonly Strike[] {
  const random = seeded(seed);
  let lives = true;
  return Array.from({ length: strikes }, () => {
    const wanted = drawn(random());
    // Only when the strike before it left no daemon does one start.
    const target = wanted === "starting" && lives ? "daemon" : wanted;
    lives = target === "child";
    const afterEvents = target === "starting" ? 0 : Math.floor(random() * 2 * eventsMean);
    return {
      target,
      afterEvents,
      delayMs: Math.floor(random() * (target === "starting" ? START_MS_MAX : DELAY_MS_MAX)),
      pick: random(),
    };
  });
}

function drawn(at: number): Target {
  let left = at * Object.values(SHARES).reduce((sum, share) => sum + share, 0);
  for (const target of TARGETS) {
    left -= SHARES[target];
    if (left < 0) return target;
  }
  return "daemon";
}
