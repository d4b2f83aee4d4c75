import { join } from "node:path";
import { usualHome } from "../config/usual-home.ts";
import { ownAccount } from "./account.ts";
import { loadQuickly, SUFFIX } from "./own-code.ts";
import { VERSION } from "./version.ts";

loadQuickly();

const QUIET = "--disable-warning=ExperimentalWarning";
/*
 * A daemon is idle for most of its life. By default V8 lets its heap grow to many times what a daemon needs, and glibc keeps a pool of
 * freed memory per thread: after some long lists both stay, a hundred megabytes of nothing (docs/guarantees/scale.md).
 */
const SMALL = ["--optimize-for-size", "--max-semi-space-size=4"];
const ONE_ARENA = { MALLOC_ARENA_MAX: "1" };
const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) process.stdout.write(`agentos ${VERSION}\n`);
else await main();

/** Loaded as it is needed: `--help` waits for none of it. */
async function main(): Promise<void> {
  const { run } = await import("../interfaces/cli/run.ts");
  const config = () => import("../config/config.ts");
  await run(words, {
    version: VERSION,
    person: () => ownAccount().name,
    usualHome: () => usualHome(process.env),
    settings: async (flags) => (await config()).cliConfig(process.env, flags),
    launch: async (settings) => ({
      program: process.execPath,
      // Older Node needs a flag to run the sources; whatever this process was given to do so, its child needs too.
      argv: [
        ...process.execArgv.filter((flag) => !flag.startsWith("--inspect") && flag !== QUIET),
        QUIET,
        ...SMALL,
        join(import.meta.dirname, `daemon-program${SUFFIX}`),
      ],
      environment: { ...ONE_ARENA, ...(await config()).daemonEnvironment(process.env, settings) },
    }),
    offline: async () => (await import("./offline.ts")).offline,
    serve: async (settings) => {
      const { daemonConfig, daemonEnvironment } = await config();
      await (await import("./daemon.ts")).runDaemon(daemonConfig(daemonEnvironment(process.env, settings)));
    },
  });
}
