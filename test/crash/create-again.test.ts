import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { atNames, exhaust } from "./exhaust.ts";
import { gatesOnly } from "./journeys.ts";

test("a create that is sent again under its Idempotency-Key, because the daemon died before it answered, makes one task", async () => {
  const directory = mkdtempSync(join(tmpdir(), "agentos-crash-"));
  const { points, findings } = await exhaust(directory, gatesOnly, {
    // With the task durable and the answer not remembered yet.
    deaths: atNames("after task: CREATED"),
    chains: 1,
  });
  expect({ points, findings }).toEqual({ points: 1, findings: [] });
  rmSync(directory, { recursive: true, force: true });
});
