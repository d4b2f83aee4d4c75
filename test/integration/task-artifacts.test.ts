import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { INPUT_BYTES_MAX } from "../../src/domain/inputs.ts";
import type { Project } from "../../src/domain/project.ts";
import { taskStream } from "../../src/domain/stream.ts";
import { ADA, gate, type Rig, repository, startRig } from "./task-kit.ts";

let rig: Rig;
let project: Project;
beforeAll(async () => {
  rig = await startRig();
  project = await rig.project(repository({ "a.txt": "one\n", ".gitignore": "dist/\n" }));
});

const MAKES = {
  agent: "script",
  run_mode: "autonomous",
  gates: [gate("true")],
  expects_change: false,
  plan: {
    items: [
      {
        id: "make",
        title: "Make it",
        do: [{ run: "mkdir dist && printf '{\"answer\":42}' > dist/out.json" }],
        artifacts: ["dist/out.json"],
      },
    ],
  },
};
/** Sees them while planning, while working and at its gate, and can change nothing about them. */
const TAKES = (maker: string) => {
  const look = `test "$(cat "$AGENTOS_INPUTS/${maker}/out.json")" = '{"answer":42}'`;
  return {
    agent: "script",
    run_mode: "autonomous",
    gates: [gate(`${look} && test -f taken`)],
    attempts: 1,
    plan: {
      explore: [{ run: `cat "$AGENTOS_INPUTS"/*/out.json` }],
      items: [
        {
          id: "take",
          title: "Take it",
          do: [
            { run: `${look} && cp "$AGENTOS_INPUTS/inputs.json" taken` },
            { run: `! sh -c 'echo x > "$AGENTOS_INPUTS/${maker}/out.json"' && ! touch "$AGENTOS_INPUTS/new"` },
          ],
          artifacts: ["taken"],
        },
      ],
    },
  };
};

let maker: string;
const requiring = async (id: string, spec: Record<string, unknown>): Promise<string> => {
  const task = await rig.frozen(project, spec);
  await rig.system.cases.dependencies.add(ADA, { task, kind: "requires", other: id });
  return task;
};

describe("what a task left", () => {
  it("is kept from its workspace with evidence, ignored by git or not", async () => {
    maker = await rig.queued(project, MAKES);
    const { artifacts } = await rig.until(maker, "succeeded");
    expect(artifacts).toMatchObject([{ name: "out.json", mediaType: "application/json", content: { bytes: 13 } }]);
    const [stored] = await rig.bodies(maker, "ARTIFACT_STORED");
    const step = (await rig.bodies(maker, "STEP_COMPLETED")).find((one) => one.step === stored?.step);
    expect(step?.evidence).toEqual([
      expect.objectContaining({ kind: "decision", rule: "default", verdict: "allow" }),
      expect.objectContaining({ kind: "file", path: "dist/out.json" }),
      { kind: "artifact", ...artifacts[0] },
    ]);
  });

  it("is shown read-only to what requires it: while it plans, at work and at its gates; pinned at the claim", async () => {
    const taker = await requiring(maker, TAKES(maker));
    await rig.system.cases.answer.ready(ADA, taker);
    const done = await rig.until(taker, "succeeded");
    const { artifacts } = await rig.task(maker);
    expect(await rig.bodies(taker, "INPUTS_PINNED")).toEqual([{ inputs: [{ task: maker, artifacts }] }]);
    expect(JSON.parse(await rig.text(done.artifacts[0]?.content ?? null))).toEqual({
      inputs: [
        {
          task: maker,
          name: "out.json",
          media_type: "application/json",
          bytes: 13,
          digest: artifacts[0]?.content.digest,
          path: `${maker}/out.json`,
        },
      ],
    });
    const plan = await rig.system.cases.look.plan(taker);
    expect(plan.value.notes).toEqual([expect.stringContaining('exited with 0: {"answer":42}')]);
    expect(await rig.system.cases.look.artifacts(maker)).toMatchObject({ from: [], to: [{ task: taker, artifacts }] });
    expect((await rig.system.cases.look.artifacts(taker)).from).toEqual([{ task: maker, artifacts }]);
  });

  it("is refused when it no longer has the digest that was pinned", async () => {
    const taker = await requiring(maker, TAKES(maker));
    const database = new BetterSqlite3(join(rig.home, "agentos.db"));
    const [artifact] = (await rig.task(maker)).artifacts;
    const change = database.prepare(
      "UPDATE blobs SET content = CAST(replace(CAST(content AS TEXT), ?, ?) AS BLOB) WHERE digest = ?",
    );
    try {
      change.run("42", "43", artifact?.content.digest);
      await rig.system.cases.answer.ready(ADA, taker);
      expect(await rig.until(taker, "blocked")).toMatchObject({ reason: "integrity" });
    } finally {
      change.run("43", "42", artifact?.content.digest);
      database.close();
    }
  });

  it("is not handed over when it is more than can be, and says so with the figures", async () => {
    const giver = await rig.frozen(project, MAKES);
    const taker = await requiring(giver, TAKES(giver));
    await rig.system.cases.answer.ready(ADA, taker);
    const { seq } = await rig.system.cases.look.task(giver).then(({ row }) => row);
    // Four names for the same content: what is shown is written out by name.
    const part = await rig.system.store.stage(new Uint8Array(INPUT_BYTES_MAX / 4 + 1));
    await rig.system.store.append({
      stream: taskStream(giver),
      expected: seq,
      events: [
        ...["a", "b", "c", "d"].map(
          (name) =>
            ({ type: "ARTIFACT_STORED", body: { name, mediaType: "x/y", content: part.ref, step: null } }) as const,
        ),
        { type: "COMPLETED", body: { exitReason: "done", gates: [] } } as const,
      ].map((event) => ({ actor: ADA, atMs: 1, event })),
      blobs: [part],
      lease: null,
    });
    expect(await rig.until(taker, "blocked")).toMatchObject({
      reason: "dependency_failed",
      detail: `the tasks it requires left ${INPUT_BYTES_MAX + 4} bytes of artifacts, and ${INPUT_BYTES_MAX} can be handed over`,
    });
  });
});
