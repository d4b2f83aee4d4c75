import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import { openStore } from "../../src/adapters/store/open.ts";
import { taskStream } from "../../src/domain/stream.ts";
import type { Agent } from "../../src/ports/agent.ts";
import type { Append, Store } from "../../src/ports/store.ts";
import { type Bench, ratio, rounds, took } from "../bench.ts";
import { startRig } from "../system.ts";

const SIZES = {
  usual: { rounds: 7, steps: 40, crowd: 50, raw: 200 },
  tiny: { rounds: 1, steps: 3, crowd: 2, raw: 5 },
} as const;

const FOUR_BYTES = new TextEncoder().encode("abc\n");

/**
 * Durable steps a second. A step is a function in this process that costs nothing, registered as what reads a file and asked for by an
 * agent of the bench through the production broker, engine, journal and store. Beside it, in the same rounds: the very appends that
 * the engine made, made again without it on a copy of its store (the journal's floor), and what this disk can do.
 */
export const steps: Bench = {
  name: "steps",
  about: "durable steps of one task and of many at once, beside the journal alone and the disk",
  async run(size, place) {
    const { rounds: count, steps: perItem, crowd, raw } = SIZES[size];
    const gate = turnstile();
    const recorder = recordingStore();
    const rig = await startRig(place, {
      tasksMax: crowd + 1,
      adapters: {
        agents: { gates: reader(count + 1, perItem, gate) },
        store: recorder.over,
        workspaces: (own) => ({ ...own, readFile: async () => FOUR_BYTES }),
      },
    });
    const project = await rig.project(place.repository());
    const one = await rig.queued(project, { title: "one", agent: "gates" });
    const names = rounds(crowd).map((member) => `crowd ${member}`);
    await gate.arrived(["one"]);
    for (const title of names) await rig.queued(project, { title, agent: "gates" });
    await gate.arrived(names);

    const floorHome = join(place.directory("floor"), "data");
    mkdirSync(floorHome, { mode: 0o700 });
    const copying = new BetterSqlite3(join(rig.home, "agentos.db"), { readonly: true });
    copying.prepare("VACUUM INTO ?").run(join(floorHome, "agentos.db"));
    copying.close();
    const floor = await openStore({ home: floorHome, now: Date.now });
    const disk = rawDisk(place.directory("raw"));

    const perSecond = { fsync: [], commit: [], floor: [], one: [], crowd: [] } as Record<string, number[]>;
    const note = (name: string, done: number, ms: number): void => void perSecond[name]?.push((done / ms) * 1_000);
    try {
      for (const _ of rounds(count)) {
        recorder.begin(one);
        note("one", perItem, await gate.open(["one"]));
        // The appends around the steps belong into the floor's store too, but not into its time.
        const timed = recorder.taken();
        await gate.arrived(["one"]);
        const all = recorder.end();
        const made = all.slice(0, timed);
        const inSteps = made.filter(isOfStep);
        note("floor", perItem, await replay(floor, made));
        await replay(floor, all.slice(timed));
        note("commit", raw, await disk.commits(raw, averageBytes(inSteps)));
        note("fsync", raw, await disk.fsyncs(raw));
        note("crowd", perItem * crowd, await gate.open(names));
        await gate.arrived(names);
      }
    } finally {
      disk.close();
      await floor.close();
      gate.openForEver();
      await rig.system.stop();
    }
    const { fsync = [], commit = [], floor: journal = [], one: single = [], crowd: many = [] } = perSecond;
    return {
      figures: [
        { name: "one task, steps", unit: "/s", values: single },
        { name: `${crowd} tasks at once, steps`, unit: "/s", values: many },
        { name: "journal floor: the same appends without the engine, as steps", unit: "/s", values: journal },
        { name: "SQLite alone: commits of one row of that size, synchronous=FULL", unit: "/s", values: commit },
        { name: "this disk: 4 KiB and fdatasync", unit: "/s", values: fsync },
      ],
      ratios: [
        ratio("one task / journal floor", single, journal, size === "usual" ? { least: 0.6 } : null),
        ratio(`${crowd} at once / one task`, many, single, size === "usual" ? { least: 4 } : null),
      ],
    };
  },
};

const isOfStep = ({ events }: Append): boolean => events.some(({ event }) => event.type.startsWith("STEP_"));

const averageBytes = (appends: readonly Append[]): number =>
  Math.round(
    appends.flatMap(({ events }) => events).reduce((bytes, { event }) => bytes + JSON.stringify(event.body).length, 0) /
      Math.max(1, appends.length),
  );

/** One work item per round and one more, before which all wait at the end; at each it waits to be let through, then reads as often as it is to. */
function reader(items: number, perItem: number, gate: Turnstile): Agent {
  return {
    kind: "gates",
    retry: "continue",
    retries: false,
    plan: async (can) => ({
      notes: [],
      items: rounds(items).map((round) => ({
        id: `round-${round}`,
        title: `Read ${perItem} times`,
        repo: can.spec.scopes[0]?.repo ?? "",
        paths: [],
        commands: [],
        risk: "low" as const,
        criterion: null,
        dependsOn: round === 0 ? [] : [`round-${round - 1}`],
      })),
    }),
    async work({ repo }, can) {
      const done = await gate.pass(can.spec.title);
      for (let step = 0; step < perItem; step += 1) await can.read(repo, "a.txt");
      done();
      return { done: true };
    },
    conclude: async () => undefined,
  };
}

interface Turnstile {
  /** For who works: waits until it is let through; what is returned is called when its work is done. */
  pass(name: string): Promise<() => void>;
  /** All of these wait. */
  arrived(names: readonly string[]): Promise<void>;
  /** Lets them through; milliseconds until the last has done its work. */
  open(names: readonly string[]): Promise<number>;
  openForEver(): void;
}

function turnstile(): Turnstile {
  const waiting = new Map<string, (done: () => void) => void>();
  let lookAgain = (): void => {};
  let ever = false;
  return {
    pass: (name) =>
      new Promise((resolve) => {
        if (ever) return resolve(() => {});
        waiting.set(name, resolve);
        lookAgain();
      }),
    arrived: (names) =>
      new Promise((resolve) => {
        lookAgain = () => {
          if (names.every((name) => waiting.has(name))) resolve();
        };
        lookAgain();
      }),
    open: (names) =>
      new Promise((resolve) => {
        const begun = performance.now();
        let left = names.length;
        const done = (): void => {
          left -= 1;
          if (left === 0) resolve(performance.now() - begun);
        };
        for (const name of names) {
          const pass = waiting.get(name);
          waiting.delete(name);
          pass?.(done);
        }
      }),
    openForEver() {
      ever = true;
      for (const pass of waiting.values()) pass(() => {});
    },
  };
}

/** Notes what is appended to one task, so that the same can be appended elsewhere. */
function recordingStore() {
  let stream: string | null = null;
  let appends: Append[] = [];
  return {
    over: (store: Store): Store => ({
      ...store,
      append: async (given) => {
        const appended = await store.append(given);
        if (given.stream === stream) appends.push(given);
        return appended;
      },
    }),
    begin(task: string) {
      stream = taskStream(task);
      appends = [];
    },
    taken: () => appends.length,
    end(): readonly Append[] {
      stream = null;
      return appends;
    },
  };
}

const replay = (store: Store, appends: readonly Append[]): Promise<number> =>
  took(async () => {
    for (const one of appends) await store.append(one);
  });

/** The same disk without any of ours in between. */
function rawDisk(directory: string) {
  const file = openSync(join(directory, "raw"), "w");
  const database = new BetterSqlite3(join(directory, "raw.db"));
  database.pragma("journal_mode = wal");
  database.pragma("synchronous = FULL");
  database.exec("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  const insert = database.prepare("INSERT INTO rows (body) VALUES (?)");
  return {
    fsyncs: (count: number) =>
      took(async () => {
        const block = Buffer.alloc(4_096, 1);
        for (let n = 0; n < count; n += 1) {
          writeSync(file, block);
          fdatasyncSync(file);
        }
      }),
    commits: (count: number, bytes: number) =>
      took(async () => {
        const body = "x".repeat(bytes);
        for (let n = 0; n < count; n += 1) insert.run(body);
      }),
    close() {
      closeSync(file);
      database.close();
    },
  };
}
