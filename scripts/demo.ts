/**
 * The journey of one task, on a real repository, with a real SIGKILL in the middle. `npm run demo` makes a small sample repository;
 * `npm run demo -- PATH` runs a repository of yours through its own gates. Data directory and port are the demo's own.
 */
import { DemoDaemon } from "./demo/daemon.ts";
import { journey } from "./demo/journey.ts";
import { ownRepository } from "./demo/own-repository.ts";
import { madePlace } from "./demo/place.ts";
import { say } from "./demo/say.ts";

const [path, ...more] = process.argv.slice(2);
if (more.length > 0 || path?.startsWith("-")) {
  say.trouble("npm run demo takes no option and at most one path: npm run demo -- PATH");
  process.exit(2);
}

const place = await madePlace();
const daemon = new DemoDaemon(place.home);
try {
  process.exitCode = path === undefined ? await journey(place, daemon) : await ownRepository(place, daemon, path);
} catch (error) {
  say.trouble(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await daemon.stop();
}
