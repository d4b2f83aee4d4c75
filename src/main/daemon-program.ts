import type { FailureCode } from "../domain/failure.ts";
import { loadQuickly } from "./own-code.ts";

/* The daemon as a program of its own. Its settings come from the environment. */

/** What whoever started it has to tell apart. */
const EXIT_OF: ReadonlyMap<FailureCode, number> = new Map([
  ["daemon/running", 73],
  ["store/corrupt", 74],
  ["store/newer", 78],
]);

loadQuickly();
const [{ daemonConfig }, { isFailure }, { runDaemon }] = await Promise.all([
  import("../config/config.ts"),
  import("../domain/failure.ts"),
  import("./daemon.ts"),
]);
try {
  await runDaemon(daemonConfig(process.env));
} catch (error) {
  if (!isFailure(error)) throw error;
  process.stderr.write(`agentos: ${error.message}${error.next === null ? "" : `\n${error.next}`}\n`);
  process.exit(EXIT_OF.get(error.code) ?? 69);
}
