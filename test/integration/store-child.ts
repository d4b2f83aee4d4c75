import BetterSqlite3 from "better-sqlite3";
import { acquireDaemonLock } from "../../src/adapters/store/daemon-lock.ts";
import { storePaths } from "../../src/adapters/store/home.ts";
import { openStore } from "../../src/adapters/store/open.ts";
import { isFailure } from "../../src/domain/failure.ts";
import { deny, givenTask } from "../contract/store-given.ts";

/*
 * A process of its own for tests: `hold` takes the database's write lock, `lock` the daemon lock, and both keep it until their
 * stdin ends; `append` appends for as long as it lives and says each acknowledgement. One line of JSON per thing said.
 */
const [, , mode, home] = process.argv;
if (home === undefined) throw new Error("which data directory?");

const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const untilStdinEnds = (): Promise<void> =>
  new Promise((resolve) => {
    process.stdin.once("close", resolve).resume();
  });

switch (mode) {
  case "hold": {
    const connection = new BetterSqlite3(storePaths(home).database);
    connection.exec("BEGIN IMMEDIATE");
    say("held");
    await untilStdinEnds();
    connection.exec("ROLLBACK");
    connection.close();
    break;
  }
  case "lock":
    try {
      const lock = await acquireDaemonLock(home);
      say("held");
      await untilStdinEnds();
      await lock.release();
    } catch (error) {
      if (!isFailure(error)) throw error;
      say(error.code);
    }
    break;
  case "append": {
    const store = await openStore({ home, now: Date.now });
    await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const task = `t${index}`;
        let seq = (await store.tasks.task(task))?.seq ?? 0;
        if (seq === 0) seq = (await givenTask(store, task)).seq;
        for (;;) {
          seq = (await store.append(deny(task, seq))).seq;
          say({ task, seq });
        }
      }),
    );
    break;
  }
  default:
    throw new Error(`there is no mode ${mode}`);
}
