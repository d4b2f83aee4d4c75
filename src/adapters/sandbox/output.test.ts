import { once } from "node:events";
import { writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { outputPipes } from "./output.ts";

test("a command that begins the moment another one ended gets its own report, and does not wait for ever", async () => {
  const pool = outputPipes();
  for (let round = 0; round < 20; round += 1) {
    const before = await pool.borrow();
    before.status.read.resume();
    for (const pipe of [before.stdout, before.stderr]) {
      pipe.read.resume();
      pipe.closeWriteEnd();
      await once(pipe.read, "close");
    }
    writeSync(before.status.writeFd, "the report of the one before\n");
    before.status.closeWriteEnd();
    await before.giveBack();

    const after = await pool.borrow();
    const heard = once(after.status.read, "data");
    writeSync(after.status.writeFd, "its own\n");
    // A reader left from before would be the first in line.
    await turn();
    expect(String((await heard)[0])).toBe("its own\n");
    for (const pipe of [after.stdout, after.stderr, after.status]) {
      pipe.read.resume();
      pipe.closeWriteEnd();
      await once(pipe.read, "close");
    }
    await after.giveBack();
  }
});
