import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Bench, ratio, rounds, took } from "../bench.ts";
import { startDaemonChild } from "../daemon.ts";
import { CHECKOUT } from "../place.ts";

const SIZES = { usual: { rounds: 25 }, tiny: { rounds: 1 } } as const;

/** Whole commands through the launcher, each beside a bare `node -e 0` of the same Node. */
export const cli: Bench = {
  name: "cli",
  about: "whole commands through `./agentos`, beside `node -e 0` of the same Node",
  async run(size, place) {
    const { rounds: count } = SIZES[size];
    const home = join(place.directory("home"), "data");
    mkdirSync(home, { mode: 0o700 });
    const daemon = await startDaemonChild(home);
    const environment = { ...process.env, AGENTOS_HOME: home };
    const run = (program: string, ...words: string[]): Promise<number> =>
      took(() => promisify(execFile)(program, words, { env: environment }));
    const agentos = (...words: string[]): Promise<number> => run(join(CHECKOUT, "agentos"), ...words);
    const ms = { node: [] as number[], version: [] as number[], help: [] as number[], list: [] as number[] };
    try {
      await agentos("task", "list"); // What is parsed once is kept.
      for (const _ of rounds(count)) {
        ms.node.push(await run(launchersNode, "-e", "0"));
        ms.version.push(await agentos("--version"));
        ms.help.push(await agentos("--help"));
        ms.list.push(await agentos("task", "list"));
      }
    } finally {
      await daemon.stop();
    }
    return {
      figures: [
        { name: "node -e 0", unit: "ms", values: ms.node },
        { name: "agentos --version", unit: "ms", values: ms.version },
        { name: "agentos --help", unit: "ms", values: ms.help },
        { name: "agentos task list", unit: "ms", values: ms.list },
      ],
      ratios: [
        ratio("agentos --version / node -e 0", ms.version, ms.node, size === "usual" ? { most: 1.6 } : null),
        ratio("agentos --help / node -e 0", ms.help, ms.node),
        ratio("agentos task list / node -e 0", ms.list, ms.node, size === "usual" ? { most: 3 } : null),
      ],
    };
  },
};

const own = join(CHECKOUT, "node_modules", ".bin", "node");
/** The Node that the launcher takes: the checkout's own where there is one. */
const launchersNode = existsSync(own) ? own : process.execPath;
