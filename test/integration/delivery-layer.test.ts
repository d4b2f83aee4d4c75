import { beforeAll, expect, test } from "vitest";
import { isFailure } from "../../src/domain/failure.ts";
import { ADA, commit, gate, git, plan, planIn, put, type Rig, repository, room, startRig } from "./task-kit.ts";

/* A branch that moved on may need other dependencies than the work that is merged with it. */

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});

/** A proven task whose gate only passes with the dependencies of the lock file that lies beside it. */
async function proven(): Promise<{ readonly id: string; readonly repo: string }> {
  const repo = repository({ "a.txt": "one\n", lock: "1\n" });
  const id = await rig.approved(await rig.project(repo), {
    ...plan("echo two > a.txt"),
    gates: [gate("cmp -s lock node_modules/version && grep -qx two a.txt")],
    prepare: [
      {
        run: [
          "sh",
          "-c",
          "if grep -q gone lock; then echo 'error: no such package' >&2; exit 3; fi; mkdir node_modules && cp lock node_modules/version",
        ],
        inputs: ["lock"],
        outputs: ["node_modules"],
      },
    ],
  });
  await rig.until(id, "succeeded");
  return { id, repo };
}

const deliver = (id: string) => rig.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null });

test("the gates of a merge run with the dependencies of the merged commit", async () => {
  const { id, repo } = await proven();
  put(repo, { lock: "2\n" });
  commit(repo, "another version");
  expect((await deliver(id)).notes).toEqual(["app: main had moved on; the merged tree passed the same gates"]);
  expect(git(repo, "show", "main:lock")).toBe("2");
  const prepared = (await rig.bodies(id, "STEP_STARTED")).filter(
    ({ act }) => act.kind === "prepare" && act.on === "merge",
  );
  expect(prepared).toHaveLength(1);
});

test("dependencies of the merged commit that cannot be prepared: refused with what the installer said, and nothing moves", async () => {
  const { id, repo } = await proven();
  put(repo, { lock: "gone\n" });
  const theirs = commit(repo, "a version that is gone");
  const no = await deliver(id).then(
    () => null,
    (error: unknown) => error,
  );
  expect(isFailure(no, "delivery/refused") && no.message).toContain("error: no such package");
  expect(git(repo, "rev-parse", "main")).toBe(theirs);
  const failed = await rig.bodies(id, "STEP_FAILED");
  expect(failed.map(({ cause }) => cause)).toEqual([expect.stringContaining("exited with 3")]);
  expect(await rig.task(id)).toMatchObject({ status: "succeeded", openStep: null, delivered: null });
});

test("dependencies of a repo beside the merged one, which a clean-up took away meanwhile, are prepared again for the gates", async () => {
  const cleaned = await startRig(
    {},
    { retention: { succeededDays: 14, failedDays: 60, canceledDays: 14, layersDays: 0 } },
  );
  const place = room();
  const app = repository({ "a.txt": "one\n" }, `${place}/app`);
  const lib = repository({ lock: "1\n" }, `${place}/lib`);
  const id = await cleaned.approved(await cleaned.project(app, lib), {
    ...planIn("app", "echo two > a.txt"),
    gates: [
      {
        id: "fits",
        repo: "app",
        beside: "all",
        run: "cmp -s $AGENTOS_REPOS/lib/lock $AGENTOS_REPOS/lib/node_modules/version",
      },
    ],
    prepare: [
      {
        repo: "lib",
        run: ["sh", "-c", "mkdir node_modules && cp lock node_modules/version"],
        inputs: ["lock"],
        outputs: ["node_modules"],
      },
    ],
  });
  await cleaned.until(id, "succeeded");
  const layers = Object.values((await cleaned.task(id)).layers);
  const gone = (await cleaned.system.cases.gc(ADA, false)).items.flatMap(({ kind, id: key, goes }) =>
    kind === "layer" && goes ? [key] : [],
  );
  expect(gone).toEqual([...new Set(layers)]);
  put(app, { "theirs.txt": "x\n" });
  commit(app, "theirs");
  const { notes } = await cleaned.system.cases.deliver({ task: id, by: ADA, way: "merge", branch: null });
  expect(notes).toEqual(["app: main had moved on; the merged tree passed the same gates"]);
  expect(git(app, "show", "main:a.txt")).toBe("two");
  expect(cleaned.warnings).toEqual([]);
});

test("leaves nothing to warn about", () => expect(rig.warnings).toEqual([]));
