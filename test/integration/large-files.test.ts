import { createHash } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { commit, put, type Rig, repository, startRig } from "./task-kit.ts";

/* Files that decide what is installed and run can be large: the lock files of real repositories have several MiB. */

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

const PACKAGE = JSON.stringify({
  name: "app",
  scripts: { build: "true", test: "node --test" },
  dependencies: { a: "1.0.0" },
});
const lock = (packages: number): string => {
  const entries = Array.from({ length: packages }, (_, at) => [
    `node_modules/a${at}`,
    { version: "1.0.0", resolved: `https://registry.npmjs.org/a/-/a-${at}.tgz`, integrity: "x".repeat(90) },
  ]);
  return JSON.stringify({ name: "app", lockfileVersion: 3, packages: Object.fromEntries(entries) });
};
const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
const offered = async (repo: string) => {
  const { prepare, notes } = await rig.system.cases.detectGates(repo, null);
  return { notes, prepare: prepare.map(({ argv, inputs, reproducible }) => ({ argv, reproducible, lock: inputs[0] })) };
};

test("a lock file of several MiB is installed from and pinned, and a change of it is seen", async () => {
  const first = lock(30_000);
  expect(first.length).toBeGreaterThan(5 * 1024 ** 2);
  const repo = repository({ "package.json": PACKAGE, "package-lock.json": first });
  const installed = (text: string) => ({
    notes: [],
    prepare: [
      {
        argv: ["npm", "ci", "--no-audit", "--no-fund"],
        reproducible: true,
        lock: { path: "package-lock.json", pointer: null, sha256: digest(text) },
      },
    ],
  });
  expect(await offered(repo)).toEqual(installed(first));
  const second = lock(30_001);
  put(repo, { "package-lock.json": second });
  commit(repo, "one package more");
  expect(await offered(repo)).toEqual(installed(second));
});

test("a lock file that is too large to be read is named with its size, and not taken for none", async () => {
  const bytes = 64 * 1024 ** 2 + 1;
  const repo = repository({ "package.json": PACKAGE, "package-lock.json": " ".repeat(bytes) });
  await expect(offered(repo)).rejects.toMatchObject({
    code: "repo/unsupported",
    message: expect.stringMatching(
      new RegExp(`^package-lock\\.json in commit [0-9a-f]{12} has ${bytes} bytes, and a file .* up to 67108864 bytes$`),
    ),
    next: "Commit a smaller package-lock.json, or take it out of the repository.",
  });
});

test("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
