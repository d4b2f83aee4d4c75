import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Evidence, OfKind } from "../../src/domain/evidence.ts";
import { testAgent } from "../support/acp-kit.ts";
import { gate, git, repository, type Rig, startRig } from "./task-kit.ts";

/*
 * Foreign agents over the protocol, with the small agent of the tests as a real process in the real sandbox. What the transcript says
 * passed on the wire is judged by the JSON schema that ships with the protocol's own SDK.
 */

let rig: Rig;
let command: readonly string[];
beforeAll(async () => {
  command = await testAgent();
  rig = await startRig();
});

const spec = (intent: string, more: Record<string, unknown> = {}) => ({
  intent,
  agent: { kind: "acp", command },
  gates: [gate("test -e a.txt")],
  ...more,
});

const turnsOf = async (id: string): Promise<readonly OfKind<"turn">[]> =>
  (await rig.events(id)).flatMap(({ event }) =>
    event.type === "STEP_COMPLETED" || event.type === "STEP_FAILED"
      ? event.body.evidence.filter((one: Evidence): one is OfKind<"turn"> => one.kind === "turn")
      : [],
  );

const workspace = (id: string, repo = "app") => {
  const epochs = readdirSync(join(rig.home, "workspaces", id)).filter((name) => /^\d+$/.test(name));
  return join(rig.home, "workspaces", id, epochs.at(-1) ?? "", repo);
};

test("an agent plans, works and is judged: edits by itself and through its client land, and each act is recorded", async () => {
  const project = await rig.project(repository());
  const id = await rig.approved(
    project,
    spec("!read a.txt\n!write b/c.txt by client\n!self d.txt by itself\n!terminal cat a.txt | tr o 0"),
  );
  const task = await rig.until(id, "succeeded", "blocked", "failed").catch(async (e) => {
    console.log(await rig.told(id));
    throw e;
  });
  console.log(await rig.told(id));
  console.log(await rig.text((await turnsOf(id)).at(-1)?.transcript ?? null));
  expect(task.status).toBe("succeeded");
});
