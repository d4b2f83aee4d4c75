import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Task } from "../../src/domain/task.ts";
import { type Rig, repository, room, startRig, TOOL_PATH } from "../integration/task-kit.ts";
import { NODE_CHEATS } from "./cheats-node.ts";
import { OTHER_CHEATS } from "./cheats-others.ts";
import { NODE_HONEST } from "./honest-node.ts";
import { OTHER_HONEST } from "./honest-others.ts";
import { allowed, LISTED, listed } from "./list.ts";
import { REPOSITORIES, type RepositoryName } from "./repositories.ts";
import type { Cheat, Honest } from "./row.ts";

/*
 * LIST.md, row by row: each cheat is a script plan on a real repository, run by the engine to its end. It never succeeds, and what the list
 * says stopped it is what is shown; each honest change succeeds. `AGENTOS_CHEATS=full` runs every row, otherwise every sixth.
 */

const CHEATS: readonly Cheat[] = [...NODE_CHEATS, ...OTHER_CHEATS];
const HONEST: readonly Honest[] = [...NODE_HONEST, ...OTHER_HONEST];
const EVERY = process.env["AGENTOS_CHEATS"] === "full" ? 1 : 6;
const chosen = <T>(rows: readonly T[]): readonly T[] => rows.filter((_, at) => at % EVERY === 0);

const PERSONAL = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => folder.startsWith("/") && !/[/\\]node_modules[/\\]/.test(folder));
const EVERYTHING = [...TOOL_PATH, ...PERSONAL];
const isThere = (program: string): boolean => EVERYTHING.some((folder) => existsSync(join(folder, program)));

/** A program or file each ecosystem cannot do without. */
const NEEDS = {
  node: isThere("npm") ? null : "npm",
  python: isThere("python3") ? null : "python3",
  pytest: existsSync("/usr/lib/python3/dist-packages/pytest") ? null : "pytest",
  rust: isThere("cargo") ? null : "cargo",
  go: isThere("go") ? null : "go",
} as const;
const missing = (of: RepositoryName): string | null => NEEDS[of.split("-")[0] as keyof typeof NEEDS];

const WAIT_MS = 170_000;

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({}, { toolPath: EVERYTHING, tasksMax: 4, waitMs: WAIT_MS });
});
afterAll(() => expect(rig.warnings).toEqual([]));

test("the suite is the list: every row of it, and nothing else", () => {
  expect([...CHEATS, ...HONEST].map(({ id, of }) => `${id} ${of.split("-")[0]}`)).toEqual(
    LISTED.map(({ id, ecosystem }) => `${id} ${ecosystem}`),
  );
});

describe.concurrent("a cheat never succeeds:", { timeout: WAIT_MS + 10_000 }, () => {
  for (const one of chosen(CHEATS)) {
    const row = listed(one.id);
    const lacking = missing(one.of);
    const name = `${one.id}, ${row.what} (${row.last})`;
    test.skipIf(lacking !== null)(lacking === null ? name : `${name}: ${lacking} is not on this machine`, async () => {
      const { id, task } = await ran(one, one.spec ?? {});
      const told = await rig.told(id);
      expect(task.status, told).toBe("failed");
      expect(stoppedBy(task, told), told).toContain(row.last);
    });
  }
});

describe.concurrent("an honest change succeeds:", { timeout: WAIT_MS + 10_000 }, () => {
  for (const one of chosen(HONEST)) {
    const row = listed(one.id);
    const lacking = missing(one.of);
    const name = `${one.id}, ${row.what}`;
    test.skipIf(lacking !== null)(lacking === null ? name : `${name}: ${lacking} is not on this machine`, async () => {
      const mayChange = allowed(row);
      const { id, task } = await ran(one, mayChange.length === 0 ? {} : { may_change: mayChange });
      expect(`${task.status}\n`, await rig.told(id)).toBe("succeeded\n");
    });
  }
});

async function ran({ of, acts }: Honest, spec: Readonly<Record<string, unknown>>) {
  const path = repository(REPOSITORIES[of], join(room(), "app"));
  const project = await rig.projectWith({ path });
  const id = await rig.queued(project, {
    run_mode: "autonomous",
    attempts: 1,
    agent: "script",
    plan: {
      items: [{ id: "work", title: "Do it", do: acts.map((act) => (typeof act === "string" ? { run: act } : act)) }],
    },
    ...spec,
  });
  return { id, task: await rig.until(id, "succeeded", "blocked", "failed") };
}

/** Everything that stands against the task, in the words of the list. */
function stoppedBy(task: Task, told: string): readonly string[] {
  const verdicts = Object.values(task.verdicts);
  const missingProof = verdicts.flatMap(({ verdict, findings }) => (verdict === "pass" ? [] : findings));
  return [
    ...[...told.matchAll(/\b([a-z_]+) \((?:blocks|asks|shown)\)/g)].map(([, kind]) => `finding: ${kind}`),
    ...(missingProof.some((text) => text.includes("changed since the gate was pinned")) ? ["pin"] : []),
    ...(missingProof.some((text) => /was executed|report of the test runner/.test(text)) ? ["counts"] : []),
    // The command said that all is well, and the report did not.
    ...(verdicts.some(
      ({ verdict, findings }) => verdict === "fail" && !findings.some((text) => text.includes("exited with")),
    )
      ? ["counts"]
      : []),
    // What it did beside the candidate changed nothing: the gate failed as it had failed before.
    ...(verdicts.some(({ verdict }) => verdict === "fail") ? ["fresh checkout", "sandbox"] : []),
    ...(told.includes("nothing was changed, and the spec expects a change") ? ["empty diff"] : []),
    ...(told.includes("was changed outside the paths of the spec") ? ["scope"] : []),
  ];
}
