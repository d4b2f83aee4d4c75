import { join } from "node:path";

/** Where the files of one crash test lie, below a directory of its own. */
export const placesIn = (directory: string) =>
  ({
    directory,
    home: join(directory, "home"),
    repos: join(directory, "repos"),
    /** One line per command that ran: `task step run`. */
    witness: join(directory, "witness"),
    meet: join(directory, "meet"),
    /** What the driver was answered with 2xx, written down before it acted on it. */
    acknowledged: join(directory, "acknowledged.jsonl"),
    /** Where each life that was killed died. */
    kills: join(directory, "kills.jsonl"),
    /** Each confined command that was killed while the daemon lived on: which run of which step it was. */
    struck: join(directory, "struck.jsonl"),
    /** Each life that was asked to stop in good order. */
    stops: join(directory, "stops.jsonl"),
    /** Each life, with the journal's newest position when it began. */
    lives: join(directory, "lives.jsonl"),
    /** What each task's repository was like before it, and where that is to be delivered. */
    repositories: join(directory, "repositories.jsonl"),
    log: join(directory, "daemon.log"),
  }) as const;
export type Places = ReturnType<typeof placesIn>;
