import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { endOrphans, isOwnerGone, OWNER_VARIABLE, ownerName } from "./owner.ts";

test("this process is an owner that is there; its pid with another start is not", () => {
  expect(isOwnerGone(ownerName())).toBe(false);
  expect(isOwnerGone(`${process.pid}-1`)).toBe(true);
});

test("orphans of dead daemons are ended, children of living ones are not", async () => {
  const start = (owner: string) => spawn("sleep", ["60"], { env: { PATH: "/usr/bin:/bin", [OWNER_VARIABLE]: owner } });
  const orphan = start(`${process.pid}-1`);
  const ours = start(ownerName());
  try {
    await Promise.all([once(orphan, "spawn"), once(ours, "spawn")]);
    const exited = once(orphan, "exit");
    endOrphans();
    expect(await exited).toEqual([null, "SIGKILL"]);
    expect(ours.signalCode).toBeNull();
  } finally {
    orphan.kill("SIGKILL");
    ours.kill("SIGKILL");
  }
});
