import { loadQuickly } from "./own-code.ts";

/* The daemon as a program of its own. Its settings come from the environment. */

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
  process.exit(error.code === "daemon/running" ? 73 : 69);
}
