import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/store/open.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import { scriptAgent } from "../../src/agents/script/script-agent.ts";
import { isFailure } from "../../src/domain/failure.ts";
import { NOTES_MAX, noteId, PROPOSALS_OF_ONE_TASK_MAX } from "../../src/domain/project-note.ts";
import { projectStream } from "../../src/domain/stream.ts";
import type { EngineDependencies } from "../../src/engine/deps.ts";
import { type Hold, holdTask, noWishes } from "../../src/engine/hold.ts";
import { notesToPin, pinnedNotes, proposeNote } from "../../src/engine/project-notes.ts";
import { createTaskLog } from "../../src/engine/task-log.ts";
import type { Agent } from "../../src/ports/agent.ts";
import type { Store } from "../../src/ports/store.ts";
import { AT, givenRunning, happened, utf8 } from "../contract/store-given.ts";
import { FIRST, setModels } from "./builtin-kit.ts";
import { ADA, gate, repository, startRig } from "./task-kit.ts";

it("a note that an agent proposes is told to nobody until a person approves it; a task keeps the notes it began with", async () => {
  const told: (readonly string[])[] = [];
  const learner: Agent = {
    ...scriptAgent,
    kind: "builtin",
    async plan(can) {
      told.push(can.notes);
      const item = { id: "work", title: "Learn", repo: "app", paths: ["n.txt"], commands: [], risk: "low" as const };
      return { items: [{ ...item, criterion: null, dependsOn: [] }], notes: [] };
    },
    async work({ repo }, can) {
      told.push(can.notes);
      await can.proposeNote("The tests need port 5432", repo);
      await can.proposeNote("The tests need port 5432", repo);
      for (const wrong of ["", "two\nlines", "x".repeat(501)])
        await expect(can.proposeNote(wrong, null)).rejects.toSatisfy((error) => isFailure(error, "act/denied"));
      await can.write(repo, "n.txt", "n\n", null);
      return { done: true };
    },
  };
  const rig = await startRig({ agents: { builtin: learner } });
  await setModels(rig, FIRST);
  const { notes, inbox } = rig.system.cases;
  const project = await rig.project(repository());
  const spec = { agent: "builtin", gates: [gate("test -f n.txt")] };
  const first = await rig.approved(project, spec);
  await rig.until(first, "succeeded");
  expect(told).toEqual([[], []]);
  const [proposed, ...others] = (await inbox.list({ project: project.id, after: null, most: 10 })).items;
  expect([proposed?.kind, proposed?.title, others]).toEqual(["note", "The tests need port 5432", []]);

  const own = await notes.add(ADA, project.name, "Write British English", null);
  await inbox.answer(ADA, proposed?.id ?? "", { answer: "approve", reason: null, seq: 1 });
  expect((await notes.list(project.name, false)).map(({ text, status, by }) => [text, status, by])).toEqual([
    ["The tests need port 5432", "approved", "agent:builtin"],
    ["Write British English", "approved", "person:ada"],
  ]);
  const second = await rig.queued(project, spec);
  await rig.until(second, "awaiting_approval");
  const { value, hash } = await rig.system.cases.look.plan(second);
  expect(value.projectNotes?.ids).toEqual([proposed?.id, own.id]);
  // The hash that is approved is over the notes too.
  expect(hash).toBe((await rig.task(second)).plan?.hash);
  await notes.retire(ADA, project.name, own.id);
  await rig.approve(second);
  await rig.until(second, "succeeded");
  const both = ["app: The tests need port 5432", "Write British English"];
  expect(told.slice(2)).toEqual([both, both]);
  const third = await rig.queued(project, spec);
  await rig.until(third, "awaiting_approval");
  expect(told.at(-1)).toEqual(both.slice(0, 1));
  expect(rig.warnings).toEqual([]);
});

describe("notes of a running task", () => {
  const TASK = "T1";
  const PROJECT = "p";
  const endings: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  interface Bench {
    readonly deps: EngineDependencies;
    readonly hold: Hold;
    readonly store: Store;
    propose(text: string, repo?: string | null): Promise<void>;
    /** What stands in the project, in words. */
    texts(): Promise<readonly string[]>;
    /** Notes of a person's, approved at once; their ids. */
    add(texts: readonly string[], repo?: string | null): Promise<readonly string[]>;
  }

  /** `before`: what somebody else does before a proposal is appended. */
  async function bench(before: () => Promise<void> = async () => undefined): Promise<Bench> {
    const home = mkdtempSync(join(realpathSync(tmpdir()), "agentos-notes-"));
    const store = await openStore({ home, now: () => AT });
    endings.push(async () => {
      await store.close();
      rmSync(home, { recursive: true, force: true });
    });
    await givenRunning(store, TASK);
    const append: Store["append"] = async (one) => {
      await before();
      return store.append(one);
    };
    const deps = { store: { ...store, append }, seal, clock: { nowMs: () => AT } } as unknown as EngineDependencies;
    const log = createTaskLog(store, { nowMs: () => AT });
    const spec = { agent: { kind: "builtin" }, scopes: [{ repo: "app", access: "full" }] } as never;
    const hold = holdTask(deps, await log.load(TASK), spec, 1, new AbortController().signal, noWishes());
    const notes = async () => (await store.projects.project(PROJECT))?.project.notes ?? [];
    return {
      deps,
      hold,
      store,
      propose: (text, repo = null) => proposeNote(deps, hold, text, repo),
      texts: async () =>
        Promise.all(
          (await notes()).map(async ({ text }) => new TextDecoder().decode((await store.get(text)) ?? undefined)),
        ),
      async add(texts, repo = null) {
        const blobs = await Promise.all(texts.map((text) => store.stage(utf8(text))));
        const ids = texts.map((text) => noteId(seal, "", text));
        await store.append({
          stream: projectStream(PROJECT),
          expected: (await store.projects.project(PROJECT))?.seq ?? 0,
          events: blobs.flatMap(({ ref }, at) => {
            const note = ids[at] ?? "";
            return [
              happened({ type: "NOTE_PROPOSED", body: { note, text: ref, repo, task: null } }),
              happened({ type: "NOTE_APPROVED", body: { note } }),
            ];
          }),
          blobs,
          lease: null,
        });
        return ids;
      },
    };
  }

  it("are about its own repos, and there are few of them from one task", async () => {
    const { propose, texts } = await bench();
    await expect(propose("It needs a port", "lib")).rejects.toMatchObject({
      code: "act/denied",
      message: "the repo lib is not in the task's scopes",
    });
    const proposed = Array.from({ length: PROPOSALS_OF_ONE_TASK_MAX }, (_, n) => `Note ${n}`);
    for (const text of proposed) await propose(text, "app");
    await expect(propose("One more")).rejects.toMatchObject({
      code: "act/denied",
      message: `a task proposes at most ${PROPOSALS_OF_ONE_TASK_MAX} notes`,
    });
    // What is there already is no further one.
    await propose("Note 0", "app");
    expect(await texts()).toEqual(proposed);
  });

  it("are not proposed to a project that has its fill", async () => {
    const { add, propose, texts } = await bench();
    await add(Array.from({ length: NOTES_MAX }, (_, n) => `Note ${n}`));
    await expect(propose("One more")).rejects.toMatchObject({
      code: "act/denied",
      message: `the project project p has ${NOTES_MAX} notes already`,
    });
    expect((await texts()).length).toBe(NOTES_MAX);
  });

  it("are proposed again when somebody else changed the project first, but not for ever", async () => {
    let others = 2;
    const one = await bench(async () => {
      if (others === 0) return;
      others -= 1;
      await one.add([`Theirs ${others}`]);
    });
    await one.propose("Mine");
    expect(await one.texts()).toEqual(["Theirs 1", "Theirs 0", "Mine"]);
    others = 30;
    await expect(one.propose("Mine too")).rejects.toMatchObject({
      code: "store/busy",
      message: `the project of task ${TASK} changed 20 times meanwhile`,
    });
    expect(others).toBe(10);
  });

  it("that it pinned are those it is told, and none where one of them says something else", async () => {
    const { add, deps, hold } = await bench();
    expect([await notesToPin(deps, hold), await pinnedNotes(deps, hold)]).toEqual([null, []]);
    const ids = [...(await add(["Write British English"])), ...(await add(["It needs a port"], "app"))];
    await add(["Of another repo"], "lib");
    const withRepos: Hold = { ...hold, spec: { ...hold.spec, repos: { app: { role: "code" } } } as never };
    const pinned = await notesToPin(deps, withRepos);
    expect(pinned?.ids).toEqual(ids);
    const pinnedAs = (notes: unknown): Hold => ({ ...hold, task: () => ({ ...hold.task(), notes }) as never });
    expect(await pinnedNotes(deps, pinnedAs(pinned))).toEqual(["Write British English", "app: It needs a port"]);
    await expect(pinnedNotes(deps, pinnedAs({ ...pinned, ids: ids.slice(1) }))).rejects.toMatchObject({
      code: "store/corrupt",
      message: `the project notes of task ${TASK} are not those it pinned`,
    });
    await expect(pinnedNotes(deps, pinnedAs({ ...pinned, ids: ["gone"] }))).rejects.toMatchObject({
      code: "store/corrupt",
      message: `note gone of the project of task ${TASK} is gone from the store`,
    });
  });
});
