import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { firstBreak } from "../../src/domain/chain.ts";
import type { Recorded, TaskEvent } from "../../src/domain/event.ts";
import { isFailure } from "../../src/domain/failure.ts";
import { evolveProject } from "../../src/domain/project.ts";
import type { Seal } from "../../src/domain/seal.ts";
import { taskStream } from "../../src/domain/stream.ts";
import { born, evolve } from "../../src/domain/task.ts";
import { type Append, LeaseLost, type Positioned, type Store, StreamMoved } from "../../src/ports/store.ts";
import {
  ADA,
  ALL,
  AT,
  askAnything,
  claimed,
  denied,
  deny,
  EMPTY_PROJECT,
  event,
  freeze,
  givenProject,
  givenQueued,
  givenRunning,
  givenTask,
  happened,
  NO_TASKS,
  OTHER,
  projectAppend,
  repoOf,
  rowsOf,
  started,
  stepStarted,
  systemAppend,
  taskAppend,
  utf8,
} from "./store-given.ts";

/** One implementation under test, empty, and what only it can say about itself. */
export interface StoreUnderTest {
  readonly store: Store;
  readonly seal: Seal;
  /** Commits that made writes durable until now. */
  commits(): number;
  /** Closes the store and opens the same data again. */
  reopen(): Promise<Store>;
  /** One statement that changes one row, as the data's owner can run it: past every guard, and the guards are back afterwards. */
  edit(statement: string): Promise<void>;
  dispose(): Promise<void>;
}

/** What every store keeps, whatever it is made of. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`a store on ${name}`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());
    const claimableIds = async (most: number) => (await store.operations.claimable(most)).map(({ id }) => id);

    describe("the journal", () => {
      test("is empty at first", async () => {
        expect(await store.position()).toBe(0);
        expect(await store.since(0, 10)).toEqual([]);
        expect(await store.read("system", 0, 10)).toEqual([]);
      });

      test("says what came last in a stream, of all or of some types", async () => {
        expect(await store.latest("system")).toBeNull();
        await store.append(
          systemAppend(0, started("1"), { type: "SYSTEM_PAUSED", body: { reason: null } }, started("2")),
        );
        expect((await store.latest("system"))?.seq).toBe(3);
        expect((await store.latest("system", ["SYSTEM_PAUSED", "SYSTEM_RESUMED"]))?.seq).toBe(2);
        expect(await store.latest("system", ["DAEMON_STOPPED"])).toBeNull();
      });

      test("gives back what was appended, numbered in its stream and placed in the order of all", async () => {
        await store.append(systemAppend(0, started("1")));
        await givenTask(store, "a");
        expect(await store.append(systemAppend(1, started("2"), started("3")))).toEqual({ seq: 3, position: 4 });
        expect(await store.read("system", 1, 10)).toEqual([
          { seq: 2, atMs: AT, actor: ADA, event: started("2") },
          { seq: 3, atMs: AT, actor: ADA, event: started("3") },
        ]);
        expect(
          (await store.since(0, 10)).map(({ position, stream, recorded }) => [position, stream, recorded.seq]),
        ).toEqual([
          [1, "system", 1],
          [2, "task/a", 1],
          [3, "system", 2],
          [4, "system", 3],
        ]);
        expect((await store.since(2, 1)).map(({ position }) => position)).toEqual([3]);
        expect(await store.position()).toBe(4);
      });

      test("is the same after it was closed and opened again", async () => {
        await givenTask(store, "a");
        await store.append(systemAppend(0, started("1")));
        const before = await rowsOf(store);
        store = await under.reopen();
        expect(await rowsOf(store)).toEqual(before);
        expect(await store.append(systemAppend(1, started("2")))).toEqual({ seq: 2, position: 3 });
      });

      test("chains the rows of each stream by their hashes", async () => {
        await givenTask(store, "a");
        await store.append(deny("a", 1));
        await store.append(deny("a", 2));
        const rows = await rowsOf(store, "task/a");
        expect(rows.map(({ seq, type, v, actor }) => [seq, type, v, actor])).toEqual([
          [1, "CREATED", 1, "person:ada"],
          [2, "DENIED", 1, "person:ada"],
          [3, "DENIED", 1, "person:ada"],
        ]);
        expect(firstBreak(under.seal, rows)).toBeNull();
      });

      test("refuses an append to a stream that has moved", async () => {
        await givenTask(store, "a");
        await expect(store.append(deny("a", 0))).rejects.toThrow(StreamMoved);
        await expect(store.append(deny("a", 2))).rejects.toThrow(StreamMoved);
        expect(await store.position()).toBe(1);
      });

      test("lets exactly one of many racing writers win", async () => {
        await givenTask(store, "a");
        const tries = await Promise.allSettled(Array.from({ length: 50 }, () => store.append(deny("a", 1))));
        expect(tries.filter((one) => one.status === "fulfilled")).toHaveLength(1);
        for (const one of tries) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(StreamMoved);
        expect(await store.position()).toBe(2);
      });

      test("makes many waiting appends durable with few commits", async () => {
        const before = under.commits();
        await Promise.all(Array.from({ length: 200 }, (_, number) => givenTask(store, `t${number}`)));
        expect(await store.position()).toBe(200);
        expect(under.commits() - before).toBeLessThan(20);
      });

      test("undoes only the append that fails, not those that share its commit", async () => {
        await Promise.all([givenTask(store, "a"), givenTask(store, "b")]);
        const wrong: Append = {
          ...deny("b", 1),
          blobs: [],
          events: [happened({ type: "BOUND", body: { project: "none", repos: {} } })],
        };
        const tries = await Promise.allSettled([
          store.append(deny("a", 1)),
          store.append(wrong),
          store.append(deny("a", 2)),
        ]);
        expect(tries.map((one) => one.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
        expect((await store.read("task/b", 0, 10)).map((one) => one.event.type)).toEqual(["CREATED"]);
        expect((await store.tasks.task("b"))?.seq).toBe(1);
        expect((await store.tasks.task("a"))?.task.denials).toBe(2);
      });

      test("takes nothing that does not belong in the stream or has no canonical form", async () => {
        await givenTask(store, "a");
        await expect(store.append({ ...deny("a", 1), stream: "system", expected: 0 })).rejects.toThrow(
          "DENIED does not belong in the stream system",
        );
        const surrogate = happened({ type: "DENIED", body: { act: "\ud800", rule: "r", reason: "x", item: null } });
        await expect(store.append({ ...deny("a", 1), events: [surrogate] })).rejects.toThrow();
        await expect(
          store.append({ ...systemAppend(0), stream: taskStream("new"), events: [happened(denied)] }),
        ).rejects.toThrow("begins with DENIED");
        expect(await store.position()).toBe(1);
      });

      test("tells listeners after the commit, in the order of positions", async () => {
        const told: Positioned[] = [];
        const leave = store.onAppended((appended) => told.push(appended));
        await Promise.all(Array.from({ length: 20 }, (_, number) => givenTask(store, `t${number}`)));
        expect(told).toEqual(await store.since(0, 100));
        leave();
        await store.append(systemAppend(0, started("1")));
        expect(told).toHaveLength(20);
      });

      test("does not tell listeners of an append that failed", async () => {
        const told: Positioned[] = [];
        await givenTask(store, "a");
        store.onAppended((appended) => told.push(appended));
        await expect(store.append(deny("a", 7))).rejects.toThrow(StreamMoved);
        expect(told).toEqual([]);
      });
    });

    describe("content", () => {
      test.each([0, 1, 64 * 1024, 64 * 1024 + 1, 1_000_000])("of %i bytes comes back as it was", async (bytes) => {
        const content = new Uint8Array(bytes).map((_, index) => index * 7);
        const staged = await store.stage(content);
        await givenTask(store, "a", { metadata: staged });
        store = await under.reopen();
        expect(await store.get(staged.ref)).toEqual(content);
      });

      test("is named with a salt: the same content twice has two names", async () => {
        const [one, other] = await Promise.all([store.stage(utf8("yes")), store.stage(utf8("yes"))]);
        expect(one.ref.digest).not.toBe(other.ref.digest);
      });

      test("must be stored when an event names it", async () => {
        const draft = await store.stage(utf8("{}"));
        const append = await taskAppend(store, "a", { draft });
        await expect(store.append({ ...append, blobs: append.blobs.filter((blob) => blob !== draft) })).rejects.toThrow(
          "was never stored",
        );
        expect(await store.position()).toBe(0);
      });

      test("that nobody stored is a failure, not nothing", async () => {
        await expect(store.get({ digest: "0".repeat(64), bytes: 1 })).rejects.toSatisfy((error) =>
          isFailure(error, "store/corrupt"),
        );
      });

      test("does not change when the caller goes on using its buffer", async () => {
        const buffer = utf8("before");
        const staged = await store.stage(buffer);
        buffer.fill(0);
        await givenTask(store, "a", { draft: staged });
        expect(await store.get(staged.ref)).toEqual(utf8("before"));
      });
    });

    describe("tasks", () => {
      test("can be read as the state their events make", async () => {
        await givenProject(store, "p");
        const given = await givenTask(store, "a", { title: "Mend it" });
        await store.append(event("a", 1, { type: "BOUND", body: { project: "p", repos: { app: "p-app" } } }));
        const first = (await store.read("task/a", 0, 1))[0] as Recorded<TaskEvent>;
        expect(await store.tasks.task("a")).toEqual({
          task: { ...born("a", first), project: { id: "p", repos: { app: "p-app" } } },
          seq: 2,
        });
        expect(await store.tasks.taskRow("a")).toEqual({
          id: "a",
          title: "Mend it",
          session: "s",
          status: "draft",
          phase: "intent",
          attempt: 1,
          blockReason: null,
          blockDetail: null,
          exitReason: null,
          priority: "normal",
          project: { id: "p", name: "project p" },
          createdBy: "ada",
          createdAtMs: AT,
          updatedAtMs: AT,
          seq: 2,
        });
        expect(given.seq).toBe(1);
        expect(await store.tasks.task("none")).toBeNull();
        expect(await store.tasks.taskRow("none")).toBeNull();
        expect((await store.tasks.events("a", 1, 5)).map((one) => one.event.type)).toEqual(["BOUND"]);
      });

      test("are listed newest first, page by page", async () => {
        for (const id of ["a", "b", "c", "d", "e"]) await givenTask(store, id, { atMs: AT + (id === "e" ? -1 : 0) });
        const seen: string[][] = [];
        let after: string | null = null;
        do {
          const page: Awaited<ReturnType<Store["tasks"]["tasks"]>> = await store.tasks.tasks({
            ...ALL,
            after,
            most: 2,
          });
          seen.push(page.rows.map(({ row }) => row.id));
          after = page.next;
        } while (after !== null);
        expect(seen).toEqual([["d", "c"], ["b", "a"], ["e"]]);
        expect((await store.tasks.tasks({ ...ALL, most: 5 })).next).toBeNull();
        await expect(store.tasks.tasks({ ...ALL, after: "'; DROP TABLE events; --" })).rejects.toSatisfy((error) =>
          isFailure(error, "input/invalid"),
        );
      });

      test("are found by status, project, session and a part of the title in any case", async () => {
        await givenProject(store, "p");
        await givenTask(store, "a", { title: "Größe 100% prüfen", session: "one" });
        await givenTask(store, "b", { title: "größer als 100", session: "two" });
        await store.append(event("b", 1, { type: "BOUND", body: { project: "p", repos: {} } }));
        await givenTask(store, "c", { title: "other" });
        await store.append(
          event("c", 1, { type: "CANCELED", body: { exitReason: "canceled_by_person", reason: null } }),
        );
        const ids = async (filter: Partial<typeof ALL>): Promise<string[]> =>
          (await store.tasks.tasks({ ...ALL, ...filter })).rows.map(({ row }) => row.id);
        expect(await ids({ text: "GRÖSSE" })).toEqual([]);
        expect(await ids({ text: "GRÖßE" })).toEqual(["b", "a"]);
        expect(await ids({ text: "0% p" })).toEqual(["a"]);
        expect(await ids({ text: "_" })).toEqual([]);
        expect(await ids({ status: ["canceled"] })).toEqual(["c"]);
        expect(await ids({ status: ["draft", "canceled"], session: "two" })).toEqual(["b"]);
        expect(await ids({ status: [] })).toEqual([]);
        expect(await ids({ project: "p" })).toEqual(["b"]);
        expect(await store.tasks.counts()).toEqual({ ...NO_TASKS, draft: 2, canceled: 1 });
      });

      test("are found by who created them, why they wait or ended, and when they were created", async () => {
        for (const [id, at] of [
          ["a", 0],
          ["b", 10],
          ["c", 20],
        ] as const)
          await givenTask(store, id, { atMs: AT + at });
        await store.append(
          event("a", 1, { type: "CANCELED", body: { exitReason: "canceled_by_person", reason: null } }),
        );
        await givenRunning(store, "d");
        const blocked = { reason: "paused", detail: "x", step: null } as const;
        await store.append(event("d", 4, { type: "BLOCKED", body: blocked }));
        const ids = async (filter: Partial<typeof ALL>): Promise<string[]> =>
          (await store.tasks.tasks({ ...ALL, ...filter })).rows.map(({ row }) => row.id);
        expect(await ids({ createdBy: "ada" })).toEqual(["c", "b", "d", "a"]);
        expect(await ids({ createdBy: "eve" })).toEqual([]);
        expect(await ids({ blockReason: ["paused", "no_model"] })).toEqual(["d"]);
        expect(await ids({ blockReason: ["no_model"] })).toEqual([]);
        expect(await ids({ exitReason: ["canceled_by_person"] })).toEqual(["a"]);
        expect(await ids({ createdFromMs: AT + 10 })).toEqual(["c", "b"]);
        expect(await ids({ createdFromMs: AT + 10, createdBeforeMs: AT + 20 })).toEqual(["b"]);
        expect(await ids({ createdBeforeMs: AT })).toEqual([]);
      });

      test("are listed with the state that says what they wait for, where they may wait", async () => {
        await givenTask(store, "a");
        await givenTask(store, "b");
        await store.append(
          event("b", 1, { type: "CANCELED", body: { exitReason: "canceled_by_person", reason: null } }),
        );
        const { rows } = await store.tasks.tasks(ALL);
        const { finished: _, ...outline } = (await store.tasks.task("a"))?.task ?? {};
        expect(rows.map(({ row, state }) => [row.id, state])).toEqual([
          ["b", null],
          ["a", outline],
        ]);
      });

      test("remember the steps they finished until nobody asks for them again", async () => {
        await givenRunning(store, "a");
        const finished = async () => {
          const found = await store.tasks.task("a");
          return [found?.seq, found?.task.finished];
        };
        const result = await store.stage(utf8("told"));
        const body = (step: string) => ({ step, run: 1, evidence: [], after: {} });
        await store.append(event("a", 4, stepStarted("s1", 1)));
        await store.append(
          event("a", 5, { type: "STEP_COMPLETED", body: { ...body("s1"), result: result.ref } }, [result]),
        );
        await store.append(event("a", 6, stepStarted("s2", 1)));
        const told = "input/invalid";
        await store.append(
          event("a", 7, { type: "STEP_FAILED", body: { ...body("s2"), cause: "x", result: null, told } }),
        );
        const s1 = { step: "s1", input: "i", seq: 6, result: result.ref };
        const s2 = { step: "s2", input: "i", seq: 8, result: null, failed: { code: told, sentence: "x" } };
        expect(await finished()).toEqual([8, { s1, s2 }]);
        expect(await store.tasks.tampered("a")).toBeNull();
        await store.append(event("a", 8, { type: "PHASE_ENTERED", body: { phase: "planning", from: "intent" } }));
        expect(await finished()).toEqual([9, {}]);
        expect(await store.tasks.tampered("a")).toBeNull();
      });

      test("remember what was refused, too, though it never began", async () => {
        await givenRunning(store, "a");
        const refused = (step: string): TaskEvent => ({ type: "DENIED", body: { ...denied.body, step, input: "i" } });
        const failed = { code: "act/denied", sentence: "curl: planning has none" };
        const s1 = { step: "s1", input: "i", seq: 5, result: null, failed };
        await store.append(event("a", 4, refused("s1")));
        await store.append(event("a", 5, refused("s2")));
        const standing = async () => {
          store = await under.reopen();
          return [(await store.tasks.task("a"))?.task.finished, await store.tasks.tampered("a")];
        };
        expect(await standing()).toEqual([{ s1, s2: { ...s1, step: "s2", seq: 6 } }, null]);
        // Asked again and done: what it was told first is over.
        await store.append(event("a", 6, stepStarted("s2", 1)));
        const done = { step: "s2", run: 1, evidence: [], after: {}, result: null };
        await store.append(event("a", 7, { type: "STEP_COMPLETED", body: done }));
        expect(await standing()).toEqual([{ s1, s2: { step: "s2", input: "i", seq: 8, result: null } }, null]);
        await store.append(event("a", 8, { type: "PHASE_ENTERED", body: { phase: "planning", from: "intent" } }));
        expect(await standing()).toEqual([{}, null]);
      });

      describe("in every order, both ways, page by page:", () => {
        const TITLES = { a: "beta", b: "Alpha", c: "gamma", d: "alpha" } as const;
        const inOrder = {
          created: ["a", "b", "c", "d"],
          updated: ["c", "d", "a", "b"],
          title: ["b", "d", "a", "c"],
          status: ["a", "d", "b", "c"],
        } as const satisfies Record<(typeof ALL)["order"], readonly string[]>;

        beforeEach(async () => {
          for (const [at, id] of (["a", "b", "c", "d"] as const).entries())
            await givenTask(store, id, { title: TITLES[id], atMs: AT + at });
          await store.append(event("a", 1, denied, [], AT + 50));
          await givenProject(store, "p");
          const bound: TaskEvent = { type: "BOUND", body: { project: "p", repos: { app: "p-app" } } };
          const queued: TaskEvent = { type: "QUEUED", body: { cause: "ready" } };
          await store.append(event("b", 1, bound, [], AT + 60));
          await store.append(event("b", 2, queued, [], AT + 60));
          await store.append({ ...event("c", 1, bound), events: [bound, queued].map((one) => happened(one, AT + 2)) });
          await store.append(claimed("c", 3, 1));
        });

        const paged = async (filter: Partial<typeof ALL>, between: () => Promise<unknown>): Promise<string[]> => {
          const seen: string[] = [];
          let after: string | null = null;
          do {
            const page: Awaited<ReturnType<Store["tasks"]["tasks"]>> = await store.tasks.tasks({
              ...ALL,
              ...filter,
              after,
              most: 1,
            });
            seen.push(...page.rows.map(({ row }) => row.id));
            after = page.next;
            await between();
          } while (after !== null);
          return seen;
        };

        test.each(["created", "updated", "title", "status"] as const)("by %s", async (order) => {
          const nothing = async (): Promise<void> => {};
          expect(await paged({ order, direction: "asc" }, nothing)).toEqual(inOrder[order]);
          expect(await paged({ order, direction: "desc" }, nothing)).toEqual([...inOrder[order]].reverse());
          expect(await paged({ order, direction: "asc", search: "alpha" }, nothing)).toEqual(
            inOrder[order].filter((id) => id === "b" || id === "d"),
          );
        });

        test("what stays in its place comes once, whatever comes or moves between the pages", async () => {
          let more = 0;
          const seen = await paged({ order: "updated", direction: "asc" }, async () => {
            more += 1;
            if (more > 3) return;
            await givenTask(store, `new${more}`, { atMs: AT });
            await store.append(event("d", more, denied, [], AT + 100 + more));
          });
          expect(seen.filter((id) => ["a", "b", "c"].includes(id))).toEqual(["c", "a", "b"]);
        });

        test.each(["x", "e30", "W10", "bnVsbA", ""])("the cursor %j is refused", async (after) => {
          await expect(store.tasks.tasks({ ...ALL, after })).rejects.toSatisfy((error) =>
            isFailure(error, "input/invalid"),
          );
        });

        test("a cursor of another order is refused", async () => {
          const { next } = await store.tasks.tasks({ ...ALL, most: 1 });
          for (const other of [{ direction: "asc" }, { order: "title" }] as const)
            await expect(store.tasks.tasks({ ...ALL, ...other, after: next })).rejects.toSatisfy((error) =>
              isFailure(error, "input/invalid"),
            );
        });
      });

      describe("are found by their words:", () => {
        const draft = (intent: string, ...criteria: readonly string[]) =>
          store.stage(utf8(JSON.stringify({ intent, criteria: criteria.map((text) => ({ text, gate: null })) })));
        const found = async (search: string): Promise<string[]> =>
          (await store.tasks.tasks({ ...ALL, search })).rows.map(({ row }) => row.id);

        beforeEach(async () => {
          await givenProject(store, "p", "webshop");
          await givenTask(store, "a1", {
            title: "Mend the login form",
            draft: await draft("It forgets the café", "Tests of src/login.ts pass"),
          });
          await givenTask(store, "b2", { title: "Form a login", draft: await draft("Nothing else") });
          await store.append(event("b2", 1, { type: "BOUND", body: { project: "p", repos: {} } }));
        });

        test("all of them, as they stand or as beginnings; in quotes one after the other", async () => {
          for (const [words, ids] of [
            ["login", ["b2", "a1"]],
            ["LOGIN form", ["b2", "a1"]],
            ["log", ["b2", "a1"]],
            ['"login form"', ["a1"]],
            ['"log"', []],
            ['"login form', ["a1"]],
            ["cafe", ["a1"]],
            ["src/login.ts", ["a1"]],
            ["webshop", ["b2"]],
            ["a1", ["a1"]],
            ["login webshop", ["b2"]],
            ["login nothing-of-that-kind", []],
          ] as const)
            expect([words, await found(words)]).toEqual([words, ids]);
        });

        test("what is typed is text to look for, never syntax", async () => {
          for (const words of [
            '"',
            '""',
            "*",
            "a OR b",
            "title:",
            "NEAR(a b)",
            "^z",
            "-",
            "(",
            "')--",
            "\\",
            '" OR "',
            "a AND",
            "{x}",
            "💥",
            "\u0000",
          ])
            expect([words, await found(words)]).toEqual([words, []]);
        });

        test("by those that count now: revised, frozen, bound and renamed", async () => {
          const title = await store.stage(utf8("Replace the payment"));
          const other = await draft("By invoice");
          await store.append(
            event("b2", 2, { type: "SPEC_REVISED", body: { title: title.ref, draft: other.ref } }, [title, other]),
          );
          expect([await found("login"), await found("invoice")]).toEqual([["a1"], ["b2"]]);
          await freeze(store, under.seal, "b2", 3, 1, { intent: "By cheque" });
          expect([await found("invoice"), await found("cheque")]).toEqual([[], ["b2"]]);
          const renamed = {
            name: "store",
            settings: { agent: null, runMode: null, packageHosts: [], tasksMax: null },
          } as const;
          await store.append(projectAppend("p", 2, { type: "PROJECT_CHANGED", body: renamed }));
          expect([await found("webshop"), await found("store")]).toEqual([[], ["b2"]]);
        });
      });

      test("keep every frozen spec under its version, as the text that was hashed", async () => {
        await givenTask(store, "a");
        const one = await freeze(store, under.seal, "a", 1, 1, { intent: "one" });
        const two = await freeze(store, under.seal, "a", 2, 2, { intent: "two" });
        expect(await store.tasks.spec("a", 1)).toEqual(one);
        expect(await store.tasks.spec("a", 2)).toEqual(two);
        expect(await store.tasks.spec("a", 3)).toBeNull();
        expect(await store.tasks.plan("a", 1)).toBeNull();
      });

      test("refuse a spec whose text does not have its hash", async () => {
        await givenTask(store, "a");
        const text = await store.stage(utf8("{}"));
        const frozen: TaskEvent = {
          type: "SPEC_FROZEN",
          body: { version: 1, hash: under.seal({ intent: "other" }).sha256, text: text.ref },
        };
        await expect(store.append(event("a", 1, frozen, [text]))).rejects.toThrow("does not have the hash");
        expect(await store.tasks.spec("a", 1)).toBeNull();
        expect(await store.position()).toBe(1);
      });

      describe("that somebody edited past the store", () => {
        beforeEach(async () => {
          for (const id of ["a", "b"]) {
            await givenTask(store, id);
            await freeze(store, under.seal, id, 1, 1, { intent: id });
          }
        });

        test("are not among those that nobody edited", async () => {
          expect([await store.tasks.tampered("a"), await store.tasks.tampered("b")]).toEqual([null, null]);
        });

        test.each([
          ["its spec", "UPDATE specs SET text = '{}' WHERE task = 'a'", /the stored spec does not have the hash/],
          ["no spec", "DELETE FROM specs WHERE task = 'a'", /the row of its spec is gone/],
          [
            "what its spec says as content",
            "UPDATE blobs SET content = x'00' WHERE digest = (SELECT json_extract(body, '$.text.digest') FROM events WHERE stream = 'task/a' AND seq = 2)",
            /the content of its spec was changed after it was written/,
          ],
          ["where it stands", "UPDATE tasks SET seq = 1 WHERE id = 'a'", /its row is not what its journal/],
          ["no row", "DELETE FROM tasks WHERE id = 'a'", /its row is gone/],
          [
            "an event",
            "UPDATE events SET actor = 'person:eve' WHERE stream = 'task/a' AND seq = 1",
            /event 1 .*changed/,
          ],
          ["an event less", "DELETE FROM events WHERE stream = 'task/a' AND seq = 1", /event 2 .*stands where 1/],
          [
            "no last event",
            "DELETE FROM events WHERE stream = 'task/a' AND seq = 2",
            /ends with event 1, and another end/,
          ],
          ["another end", "DELETE FROM stream_heads WHERE stream = 'task/a'", /ends with event 2, and another end/],
          ["less that lasts", "DELETE FROM lasting_facts WHERE task = 'a'", /its row is not what its journal/],
          [
            "another order",
            "DELETE FROM log_leaves WHERE stream = 'task/a' AND seq = 2",
            /event 2 .*order of all events/,
          ],
        ])("are told with what it was (%s), and no other task is", async (_, statement, problem) => {
          await under.edit(statement);
          store = await under.reopen();
          expect((await store.tasks.tampered("a"))?.problem).toMatch(problem);
          expect(await store.tasks.tampered("b")).toBeNull();
        });

        test("are told while the store is open, too, and again after it", async () => {
          await under.edit("UPDATE specs SET text = '{}' WHERE task = 'a'");
          const first = await store.tasks.tampered("a");
          expect(first?.status).toBe("draft");
          expect(await store.tasks.tampered("a")).toEqual(first);
        });
      });

      test("that run are bound to a project that is there", async () => {
        await givenTask(store, "a");
        await expect(store.append(event("a", 1, { type: "QUEUED", body: { cause: "ready" } }))).rejects.toThrow();
        await expect(
          store.append(event("a", 1, { type: "BOUND", body: { project: "none", repos: {} } })),
        ).rejects.toThrow();
        expect((await store.tasks.task("a"))?.seq).toBe(1);
      });

      test("show their steps with how each run ended", async () => {
        await givenRunning(store, "a");
        let seq = (await store.tasks.task("a"))?.seq ?? 0;
        const push = async (one: TaskEvent): Promise<number> => {
          seq = (await store.append(event("a", seq, one))).seq;
          return seq;
        };
        const lost = [
          await push(stepStarted("s1", 1)),
          await push({
            type: "STEP_LOST",
            body: { step: "s1", run: 1, cause: "worker_died", rescued: {}, partialOutput: null },
          }),
        ] as const;
        const done = [
          await push(stepStarted("s1", 2)),
          await push({ type: "STEP_COMPLETED", body: { step: "s1", run: 2, evidence: [], after: {}, result: null } }),
        ] as const;
        const failed = [
          await push(stepStarted("s2", 1)),
          await push({
            type: "STEP_FAILED",
            body: { step: "s2", run: 1, evidence: [], after: {}, cause: "x", result: null },
          }),
        ] as const;
        const open = await push(stepStarted("s3", 1));
        const row = { task: "a", item: null, kind: "read", startedAtMs: AT, endedAtMs: AT };
        expect(await store.tasks.steps("a")).toEqual([
          { ...row, step: "s1", run: 1, status: "lost", startedSeq: lost[0], endedSeq: lost[1] },
          { ...row, step: "s1", run: 2, status: "completed", startedSeq: done[0], endedSeq: done[1] },
          { ...row, step: "s2", run: 1, status: "failed", startedSeq: failed[0], endedSeq: failed[1] },
          { ...row, step: "s3", run: 1, status: "open", startedSeq: open, endedSeq: null, endedAtMs: null },
        ]);
      });
    });

    test("a step that was open when its task began anew is lost", async () => {
      await givenRunning(store, "a");
      await store.append(event("a", 4, stepStarted("s1", 1)));
      const unknown = { reason: "outcome_unknown", detail: "d", step: "s1" } as const;
      await store.append(event("a", 5, { type: "BLOCKED", body: unknown }));
      const draft = await store.stage(utf8("{}"));
      await store.append(
        event("a", 6, { type: "SPEC_REVISED", body: { title: draft.ref, draft: draft.ref } }, [draft]),
      );
      expect((await store.tasks.steps("a")).map(({ status, endedSeq }) => [status, endedSeq])).toEqual([["lost", 7]]);
    });

    describe("projects", () => {
      test("are found by id, name, path and repo", async () => {
        await givenProject(store, "p");
        await givenProject(store, "q");
        const found = await store.projects.project("p");
        expect(found).toEqual({
          project: { ...EMPTY_PROJECT, id: "p", name: "project p", repos: [repoOf("p")] },
          seq: 2,
        });
        expect(await store.projects.projectNamed("project p")).toEqual(found);
        expect(await store.projects.projectOfPath("/src/p")).toEqual(found?.project);
        expect(await store.projects.repo("p-app")).toEqual({ project: "p", repo: repoOf("p") });
        expect((await store.projects.projects()).map((one) => one.id)).toEqual(["p", "q"]);
        expect((await store.projects.events("p", 0, 9)).map((one) => one.event.type)).toEqual([
          "PROJECT_CREATED",
          "REPO_ADDED",
        ]);
        expect(await store.projects.project("none")).toBeNull();
        expect(await store.projects.projectNamed("none")).toBeNull();
        expect(await store.projects.projectOfPath("/none")).toBeNull();
        expect(await store.projects.repo("none")).toBeNull();
      });

      test("give name and path free when they are deleted, and stay known by id", async () => {
        await givenProject(store, "p");
        await store.append(projectAppend("p", 2, { type: "PROJECT_DELETED", body: {} }));
        expect(await store.projects.projects()).toEqual([]);
        expect(await store.projects.projectOfPath("/src/p")).toBeNull();
        expect((await store.projects.project("p"))?.project.deleted).toBe(true);
        expect((await store.projects.repo("p-app"))?.project).toBe("p");
        await givenProject(store, "q", "project p");
        expect((await store.projects.projectNamed("project p"))?.project.id).toBe("q");
      });

      test("cannot share a name", async () => {
        const tries = await Promise.allSettled([givenProject(store, "p", "one"), givenProject(store, "q", "one")]);
        expect(tries.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
        for (const one of tries)
          if (one.status === "rejected") expect(isFailure(one.reason, "project/refused")).toBe(true);
      });

      test("follow changes of their repos", async () => {
        await givenProject(store, "p");
        const moved = { ...repoOf("p"), path: "/elsewhere" };
        await store.append(projectAppend("p", 2, { type: "REPO_CHANGED", body: moved }));
        expect((await store.projects.projectOfPath("/elsewhere"))?.id).toBe("p");
        expect(await store.projects.projectOfPath("/src/p")).toBeNull();
        const events = (await store.projects.events("p", 0, 9)).slice(1);
        expect((await store.projects.project("p"))?.project).toEqual(
          events.reduce(evolveProject, { ...EMPTY_PROJECT, id: "p", name: "project p" }),
        );
      });

      test("count the tasks that have not ended", async () => {
        await givenRunning(store, "a");
        await givenQueued(store, "b");
        expect(await store.projects.livingTasks("p")).toBe(2);
        await store.append(
          event("b", 3, { type: "CANCELED", body: { exitReason: "canceled_by_person", reason: null } }),
        );
        expect(await store.projects.livingTasks("p")).toBe(1);
      });
    });

    describe("leases", () => {
      test("give the longest waiting of every project and priority a chance, and none of a paused project", async () => {
        for (const project of ["p", "q"]) await givenProject(store, project);
        for (const [at, [id, project, priority]] of (
          [
            ["p1", "p", "low"],
            ["p2", "p", "low"],
            ["p3", "p", "high"],
            ["q1", "q", "low"],
          ] as const
        ).entries()) {
          await givenTask(store, id);
          await store.append(event(id, 1, { type: "PRIORITIZED", body: { priority, from: "normal" } }));
          await store.append(event(id, 2, { type: "BOUND", body: { project, repos: { app: `${project}-app` } } }));
          await store.append(event(id, 3, { type: "QUEUED", body: { cause: "ready" } }, [], AT + at));
        }
        expect(await claimableIds(1)).toEqual(["p1", "p3", "q1"]);
        await store.append(claimed("p3", 4, 1));
        await store.append(projectAppend("p", 2, { type: "PROJECT_PAUSED", body: { reason: null } }));
        expect(await claimableIds(9)).toEqual(["q1"]);
        expect(await store.operations.running()).toEqual([]);
        await store.append(projectAppend("p", 3, { type: "PROJECT_RESUMED", body: { reason: null } }));
        expect(await claimableIds(9)).toEqual(["p1", "p2", "q1"]);
      });

      test("make a queued task claimable once", async () => {
        await givenQueued(store, "b", AT + 1);
        await givenQueued(store, "a", AT + 2);
        const waiting = (id: string, queuedAtMs: number) => ({
          id,
          project: "p",
          priority: "normal",
          queuedAtMs,
          projectTasksMax: null,
          givesWay: false,
        });
        expect(await store.operations.claimable(10)).toEqual([waiting("b", AT + 1), waiting("a", AT + 2)]);
        expect(await claimableIds(1)).toEqual(["b"]);
        expect(await store.operations.nextEpoch("b")).toBe(1);
        await store.append(claimed("b", 3, 1));
        expect(await claimableIds(10)).toEqual(["a"]);
        expect(await store.operations.running()).toEqual([{ id: "b", project: "p" }]);
        expect(await store.operations.nextEpoch("b")).toBe(2);
      });

      test("keep a queued task from a second worker until the first has given it back", async () => {
        await givenRunning(store, "a");
        await store.append(event("a", 4, { type: "QUEUED", body: { cause: "approved" } }));
        expect(await claimableIds(10)).toEqual([]);
        await store.operations.forgetDeadLeases();
        expect(await claimableIds(10)).toEqual(["a"]);
      });

      test("let only the holder append and release", async () => {
        await givenRunning(store, "a");
        await store.append({ ...deny("a", 4), lease: { kind: "hold", task: "a", epoch: 1 } });
        await expect(store.append({ ...deny("a", 5), lease: { kind: "hold", task: "a", epoch: 2 } })).rejects.toThrow(
          LeaseLost,
        );
        await expect(
          store.append({ ...deny("a", 5), lease: { kind: "release", task: "a", epoch: 2 } }),
        ).rejects.toThrow(LeaseLost);
        await store.append({
          ...event("a", 5, { type: "QUEUED", body: { cause: "approved" } }),
          lease: { kind: "release", task: "a", epoch: 1 },
        });
        await expect(store.append({ ...deny("a", 6), lease: { kind: "hold", task: "a", epoch: 1 } })).rejects.toThrow(
          LeaseLost,
        );
        expect(await claimableIds(10)).toEqual(["a"]);
        expect(await store.operations.nextEpoch("a")).toBe(2);
        expect((await store.tasks.task("a"))?.seq).toBe(6);
      });

      test("that are refused leave no trace of the append they came with", async () => {
        await givenRunning(store, "a");
        const refused: Append = { ...deny("a", 4), lease: claimed("a", 4, 1).lease };
        await expect(store.append(refused)).rejects.toThrow(LeaseLost);
        await store.append(deny("a", 4));
        expect((await store.tasks.task("a"))?.task.denials).toBe(1);
      });

      test("are lost to a later epoch, and an epoch is taken once", async () => {
        await givenRunning(store, "a");
        await expect(store.append(claimed("a", 4, 1))).rejects.toThrow(LeaseLost);
        await store.append(claimed("a", 4, 2, true));
        await expect(store.append({ ...deny("a", 5), lease: { kind: "hold", task: "a", epoch: 1 } })).rejects.toThrow(
          LeaseLost,
        );
      });

      test("of a dead daemon are forgotten, with its processes", async () => {
        await givenRunning(store, "a");
        const mark = { pid: 4711, startTicks: 123_456, bootId: "boot" };
        await store.operations.markProcess("a", "s1", mark);
        store = await under.reopen();
        expect(await store.operations.processes()).toEqual([{ task: "a", step: "s1", mark }]);
        await store.operations.forgetDeadLeases();
        expect(await store.operations.processes()).toEqual([]);
        expect(await store.operations.running()).toEqual([{ id: "a", project: "p" }]);
        await store.append(claimed("a", 4, await store.operations.nextEpoch("a"), true));
      });

      test("given back take the task's processes with them", async () => {
        await givenRunning(store, "a");
        await store.operations.markProcess("a", "s1", { pid: 4711, startTicks: 123_456, bootId: "boot" });
        await store.append({ ...deny("a", 4), lease: { kind: "release", task: "a", epoch: 1 } });
        expect(await store.operations.processes()).toEqual([]);
      });

      test("an ended task with a step still open is said", async () => {
        await givenRunning(store, "a");
        await store.append({
          ...event("a", 4, { type: "COMPLETED", body: { exitReason: "done", gates: [] } }),
          lease: { kind: "release", task: "a", epoch: 1 },
        });
        expect(await store.operations.succeededWithOpenStep()).toEqual([]);
        await store.append(event("a", 5, stepStarted("deliver", 1)));
        expect(await store.operations.succeededWithOpenStep()).toEqual(["a"]);
      });
    });

    describe("requests", () => {
      test("with a key are answered the same again; the first answer wins", async () => {
        expect(await store.operations.idempotent("k", "d1")).toBeNull();
        await store.operations.rememberAnswer("k", "d1", 201, "one", AT);
        await store.operations.rememberAnswer("k", "d2", 202, "two", AT);
        expect(await store.operations.idempotent("k", "d1")).toEqual({ requestDigest: "d1", status: 201, body: "one" });
        await store.operations.rememberAnswer("later", "d", 200, "", AT + 25 * 3_600_000);
        expect(await store.operations.idempotent("k", "d1")).toBeNull();
      });

      test("beyond a limit are told when there is room again, and not counted", async () => {
        const windows = [
          { windowMs: 60_000, most: 2, points: 1 },
          { windowMs: 3_600_000, most: 10, points: 4 },
        ];
        expect(await store.operations.take("ada", windows, AT)).toBeNull();
        expect(await store.operations.take("ada", windows, AT + 1_000)).toBeNull();
        expect(await store.operations.take("bob", windows, AT + 1_000)).toBeNull();
        expect(await store.operations.take("ada", windows, AT + 2_000)).toBe(3_598_000);
        expect(await store.operations.take("ada", [{ windowMs: 60_000, most: 2, points: 1 }], AT + 2_000)).toBe(58_000);
        store = await under.reopen();
        expect(await store.operations.take("ada", [{ windowMs: 60_000, most: 2, points: 1 }], AT + 59_999)).toBe(1);
        expect(await store.operations.take("ada", [{ windowMs: 60_000, most: 2, points: 1 }], AT + 60_000)).toBeNull();
        expect(await store.operations.take("ada", [{ windowMs: 60_000, most: 2, points: 3 }], AT + 60_000)).toBe(
          60_000,
        );
      });

      test("after the clock was set back by hours are told to wait for one window, not for hours", async () => {
        const window = [{ windowMs: 60_000, most: 1, points: 1 }];
        const back = AT - 5 * 3_600_000;
        expect(await store.operations.take("ada", window, AT)).toBeNull();
        expect(await store.operations.take("ada", window, back)).toBe(60_000);
        expect(await store.operations.take("ada", window, back + 60_000)).toBeNull();
      });

      test("at the same time never exceed the limit together", async () => {
        const window = [{ windowMs: 60_000, most: 10, points: 1 }];
        const answers = await Promise.all(Array.from({ length: 40 }, () => store.operations.take("ada", window, AT)));
        expect(answers.filter((wait) => wait === null)).toHaveLength(10);
      });
    });

    describe("dependencies", () => {
      const added = (task: string, expected: number, on: string, kind: "requires" | "blocks" | "suggests") =>
        store.append(event(task, expected, { type: "DEPENDENCY_ADDED", body: { on, kind } }));
      const ended = (task: string, expected: number, how: "COMPLETED" | "FAILED" | "CANCELED") =>
        store.append(
          event(
            task,
            expected,
            how === "COMPLETED"
              ? { type: how, body: { exitReason: "done", gates: [] } }
              : how === "FAILED"
                ? { type: how, body: { exitReason: "gates_failed", detail: "red" } }
                : { type: how, body: { exitReason: "canceled_by_person", reason: null } },
          ),
        );

      test("hold a queued task: required until a success, blocked until any end", async () => {
        for (const [at, id] of ["a", "b", "c", "d"].entries()) await givenQueued(store, id, AT + at);
        await added("a", 3, "c", "requires");
        await added("b", 3, "d", "blocks");
        expect(await claimableIds(10)).toEqual(["c", "d"]);
        await ended("d", 3, "FAILED");
        expect(await claimableIds(10)).toEqual(["b", "c"]);
        await ended("c", 3, "COMPLETED");
        store = await under.reopen();
        expect(await claimableIds(10)).toEqual(["a", "b"]);
        expect(await store.operations.missed(10)).toEqual([]);
      });

      test("that can no longer be met are told with what became of the other", async () => {
        for (const id of ["a", "b", "c"]) await givenQueued(store, id);
        await added("a", 3, "c", "requires");
        await added("b", 3, "c", "blocks");
        await ended("c", 3, "CANCELED");
        expect(await claimableIds(10)).toEqual(["b"]);
        expect(await store.operations.missed(10)).toEqual([
          { task: "a", on: "c", status: "canceled", exitReason: "canceled_by_person" },
        ]);
        await store.append(event("a", 4, { type: "DEPENDENCY_REMOVED", body: { on: "c", kind: "requires" } }));
        expect(await store.operations.missed(10)).toEqual([]);
        expect(await claimableIds(10)).toEqual(["a", "b"]);
      });

      test("that are suggestions let the other go first while it is in the queue too, and hold nothing", async () => {
        for (const [at, id] of ["a", "b", "c"].entries()) await givenQueued(store, id, AT + at);
        await givenTask(store, "d");
        await added("a", 3, "c", "suggests");
        await added("b", 3, "d", "suggests");
        expect(await claimableIds(10)).toEqual(["b", "c", "a"]);
        await store.append(claimed("c", 3, 1));
        expect(await claimableIds(10)).toEqual(["a", "b"]);
      });

      test("are read with what the others are now, around a task, of a project and of a session", async () => {
        await givenQueued(store, "a");
        await givenTask(store, "b", { title: "Mend it", session: "other" });
        await givenTask(store, "c");
        await givenTask(store, "d");
        await added("a", 3, "b", "requires");
        await added("c", 1, "a", "blocks");
        await added("d", 1, "b", "suggests");
        expect(await store.tasks.before(["a", "b"])).toEqual({
          a: [{ on: "b", kind: "requires", title: "Mend it", status: "draft", exitReason: null }],
        });
        const [ab, ca, db] = [
          { task: "a", kind: "requires", on: "b" },
          { task: "c", kind: "blocks", on: "a" },
          { task: "d", kind: "suggests", on: "b" },
        ];
        expect(await store.tasks.dependencies({ around: "a" }, 10)).toEqual([ab, ca]);
        expect(await store.tasks.dependencies({ around: "b" }, 10)).toEqual([ab, ca, db]);
        expect(await store.tasks.dependencies({ around: "b" }, 1)).toEqual([ab]);
        expect(await store.tasks.dependencies({ project: "p", session: null }, 10)).toEqual([ab, ca]);
        expect(await store.tasks.dependencies({ project: null, session: "other" }, 10)).toEqual([ab, db]);
      });

      test("and forks are found again: who requires a task, and who was made from it", async () => {
        for (const id of ["a", "b", "c", "d"]) await givenTask(store, id);
        await added("c", 1, "a", "requires");
        await added("b", 1, "a", "requires");
        await added("d", 1, "a", "blocks");
        expect(await store.tasks.requiredBy("a")).toEqual(["b", "c"]);
        for (const [id, origin] of [
          ["d", "a"],
          ["c", "d"],
        ] as const)
          await store.append(event(id, 2, { type: "FORKED", body: { origin, root: "a", bases: {} } }));
        store = await under.reopen();
        expect(await store.tasks.forks("a")).toEqual(["c", "d"]);
        expect(await store.tasks.forks("d")).toEqual([]);
      });

      test("that would close a circle are refused with the path, and nothing of the append is there", async () => {
        for (const id of ["a", "b", "c"]) await givenTask(store, id);
        await added("a", 1, "b", "requires");
        await added("b", 1, "c", "blocks");
        await expect(added("c", 1, "a", "requires")).rejects.toSatisfy(
          (error) => isFailure(error, "task/refused") && error.message.endsWith("c → a → b → c"),
        );
        expect(await store.tasks.task("c")).toMatchObject({ seq: 1, task: { dependencies: [] } });
        await added("c", 1, "a", "suggests");
        // Of two that only together make one, in two streams at the same time, one is there.
        for (const id of ["x", "y"]) await givenTask(store, id);
        const both = await Promise.allSettled([added("x", 1, "y", "requires"), added("y", 1, "x", "requires")]);
        expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
      });
    });

    test("whatever is asked of tasks, their tables are what the replay of the journal gives", async () => {
      await givenProject(store, "p");
      await givenTask(store, OTHER);
      let number = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 10, maxLength: 60 }), async (choices) => {
          number += 1;
          const id = `t${number}`;
          await givenTask(store, id);
          for (const [which, what] of choices) await askAnything(store, under.seal, id, which, what);
          // Through the journal alone, by nothing but the pure fold.
          const [first, ...rest] = (await store.tasks.events(id, 0, 1_000)) as readonly [Recorded<TaskEvent>];
          const replayed = (rest as readonly Recorded<TaskEvent>[]).reduce(evolve, born(id, first));
          const stored = await store.tasks.task(id);
          expect(stored).toEqual({ task: replayed, seq: rest.length + 1 });
          // And as every claim looks at it, from the rows alone.
          expect(await store.tasks.tampered(id)).toBeNull();
          expect(firstBreak(under.seal, await rowsOf(store, taskStream(id)))).toBeNull();
          const row = await store.tasks.taskRow(id);
          expect(row).toMatchObject({ status: replayed.status, phase: replayed.phase, attempt: replayed.attempt });
          const open = (await store.tasks.steps(id)).filter((step) => step.status === "open").map((step) => step.step);
          expect(open).toEqual(replayed.openStep === null ? [] : [replayed.openStep.step]);
        }),
        { numRuns: 40 },
      );
    });
  });
}
