import { describe, expect, it } from "vitest";
import { Failure } from "../../src/domain/failure.ts";
import { checkPlan, inOrder, type WorkItem } from "../../src/domain/plan.ts";
import type { Spec } from "../../src/domain/spec.ts";
import type { RecordedVerdict } from "../../src/domain/task.ts";
import type {
  Agent,
  CommandResult,
  ConcludingCapabilities,
  ModelReply,
  PlanningCapabilities,
  WorkCapabilities,
  WorkOutcome,
} from "../../src/ports/agent.ts";
import type { ModelRequest } from "../../src/ports/model.ts";

/*
 * What every agent keeps to, whoever it is: it holds no authority, so its asks are all that can be seen of it. A world answers them and
 * records; cut at any ask and begun again with the answers so far, an agent asks the same again (that is how it is resumed).
 */

/** Answers every ask by itself: files as given, commands as said. */
export interface World {
  readonly files: Readonly<Record<string, string>>;
  readonly command: (argv: readonly string[]) => Partial<CommandResult>;
  /** What a model says; not there: the agent asks none. */
  readonly says?: (request: ModelRequest) => ModelReply;
}

interface Asked {
  readonly ask: string;
  readonly answer: unknown;
}

/** Thrown where the daemon would have died: nothing after it happens. */
class Cut extends Error {}

/** Everything an agent was handed, with a record of what it asked. Touching anything else of it is an error of the agent. */
class Desk {
  readonly asked: Asked[] = [];
  readonly #world: World;
  readonly #told: readonly Asked[];
  readonly #cutAt: number;
  readonly #deny: ReadonlySet<number>;
  readonly #files: Map<string, string>;

  constructor(
    world: World,
    {
      told = [],
      cutAt = Number.POSITIVE_INFINITY,
      deny = [],
    }: { readonly told?: readonly Asked[]; readonly cutAt?: number; readonly deny?: readonly number[] } = {},
  ) {
    this.#world = world;
    this.#told = told;
    this.#cutAt = cutAt;
    this.#deny = new Set(deny);
    this.#files = new Map(Object.entries(world.files));
  }

  /** A recorded answer is told again without its effect happening again; its effect on the world is there already. */
  async #ask<T>(ask: readonly unknown[], effect: () => T): Promise<T> {
    const n = this.asked.length;
    if (n >= this.#cutAt) throw new Cut();
    const said = JSON.stringify(ask);
    if (this.#deny.has(n)) {
      this.asked.push({ ask: said, answer: "denied" });
      throw new Failure("act/denied", `${said}: not today`);
    }
    const known = this.#told[n];
    const answer = effect();
    this.asked.push({ ask: said, answer: known === undefined ? answer : known.answer });
    return known === undefined ? answer : (known.answer as T);
  }

  readonly #read = (repo: string, path: string) => this.#ask(["read", repo, path], () => this.#files.get(path) ?? null);
  readonly #list = (repo: string, prefix: string) =>
    this.#ask(["list", repo, prefix], () => [...this.#files.keys()].filter((path) => path.startsWith(prefix)).sort());
  readonly #search = (repo: string, text: string, prefix: string) =>
    this.#ask(["search", repo, text, prefix], () => ({
      lines: [...this.#files].flatMap(([path, content]) =>
        path.startsWith(prefix) && content.includes(text) ? [`${path}:1:${text}`] : [],
      ),
      more: false,
    }));
  readonly #model = (request: ModelRequest) =>
    this.#ask(["model", request], () => {
      if (this.#world.says === undefined) throw new Error("a model was called");
      return this.#world.says(request);
    });
  readonly #askPerson = (text: string, choices: readonly string[]) =>
    this.#ask(["ask", text, choices], () => choices[0] ?? "yes");
  readonly #said = (argv: readonly string[]): CommandResult => ({
    exitCode: 0,
    endedBy: "itself",
    stdout: "",
    stderr: "",
    ...this.#world.command(argv),
  });

  planning(spec: Spec, changeRequest: string | null = null): PlanningCapabilities {
    return sealed({
      spec,
      bases: spec.pinnedOn,
      changeRequest,
      read: this.#read,
      list: this.#list,
      search: this.#search,
      notes: [],
      proposeNote: (text, repo) => this.#ask(["proposeNote", text, repo], () => undefined),
      model: this.#model,
      ask: this.#askPerson,
      inspect: (repo, argv) => this.#ask(["inspect", repo, argv], () => this.#said(argv)),
      ...NO_TURNS,
      tools: [],
      callTool: () => Promise.reject(new Error("a tool was called")),
    });
  }

  working(spec: Spec, lastFailure: string | null = null): WorkCapabilities {
    return sealed({
      spec,
      attempt: lastFailure === null ? 1 : 2,
      lastFailure,
      read: this.#read,
      list: this.#list,
      search: this.#search,
      notes: [],
      proposeNote: (text, repo) => this.#ask(["proposeNote", text, repo], () => undefined),
      model: this.#model,
      ask: this.#askPerson,
      write: (repo, path, content, executable) =>
        this.#ask(["write", repo, path, content, executable], () => {
          this.#files.set(path, content);
        }),
      remove: (repo, path) =>
        this.#ask(["remove", repo, path], () => {
          this.#files.delete(path);
        }),
      keep: (repo, path, name) => this.#ask(["keep", repo, path, name], () => this.#files.has(path)),
      run: (repo, { argv, cwd, network, timeoutMs }) =>
        this.#ask(["run", repo, argv, cwd, network, timeoutMs], () => this.#said(argv)),
      ...NO_TURNS,
      tools: [],
      callTool: () => Promise.reject(new Error("a tool was called")),
    });
  }

  concluding(spec: Spec, verdicts: Readonly<Record<string, RecordedVerdict>>): ConcludingCapabilities {
    return sealed({
      spec,
      verdicts,
      storeArtifact: (name, mediaType, content) =>
        this.#ask(["storeArtifact", name, mediaType, content], () => undefined),
    });
  }
}

export const deskFor = (world: World): Desk => new Desk(world);

/** Only what the port names can be touched, and nothing of it changed: an agent that reaches for more is found out. */
function sealed<T extends object>(capabilities: T): T {
  const refuse = (key: string | symbol): never => {
    throw new Error(`the agent reached for ${String(key)}, which it was not handed`);
  };
  return new Proxy(frozen(capabilities), {
    get: (target, key, receiver) => (Object.hasOwn(target, key) ? Reflect.get(target, key, receiver) : refuse(key)),
    set: (_, key) => refuse(key),
    defineProperty: (_, key) => refuse(key),
    deleteProperty: (_, key) => refuse(key),
  });
}

function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === "object" && inner !== null && !Object.isFrozen(inner)) frozen(inner);
  return Object.freeze(value);
}

export interface Made {
  readonly agent: Agent;
  readonly spec: Spec;
  readonly world: World;
}

/** The whole life of a task at this desk: planned, every item worked on in order, concluded. */
async function live(
  desk: Desk,
  { agent, spec }: Made,
): Promise<{ readonly items: readonly WorkItem[]; readonly outcomes: readonly WorkOutcome[] }> {
  const { items } = await agent.plan(desk.planning(spec));
  const outcomes: WorkOutcome[] = [];
  for (const item of inOrder(items)) outcomes.push(await agent.work(item, desk.working(spec)));
  await agent.conclude(desk.concluding(spec, verdictsOf(spec)));
  return { items, outcomes };
}

const verdictsOf = (spec: Spec): Readonly<Record<string, RecordedVerdict>> =>
  Object.fromEntries(
    spec.gates.map(({ id, repo }) => [
      id,
      {
        verdict: "pass",
        repo,
        commit: "c1",
        tree: "t1",
        beside: {},
        step: "s",
        counts: { passed: 1, failed: 0, skipped: 0, todo: 0 },
        findings: [],
        output: null,
      },
    ]),
  );

/** Runs the contract for an agent; `make` gives it anew each time, with a spec and a world that use all it can do. */
export function agentContract(name: string, make: () => Made): void {
  describe(`the agent contract: ${name}`, () => {
    it("given the same answers it asks the same again", async () => {
      const first = new Desk(make().world);
      const second = new Desk(make().world);
      const one = await live(first, make());
      const two = await live(second, make());
      expect(second.asked).toEqual(first.asked);
      expect(two).toEqual(one);
    });

    it("cut at any ask and begun again with the answers so far, it goes on to the same end", async () => {
      const whole = new Desk(make().world);
      const end = await live(whole, make());
      for (let cutAt = 0; cutAt < whole.asked.length; cutAt += 1) {
        const dying = new Desk(make().world, { cutAt });
        await expect(live(dying, make())).rejects.toBeInstanceOf(Cut);
        const resumed = new Desk(make().world, { told: dying.asked });
        expect(await live(resumed, make())).toEqual(end);
        expect(resumed.asked).toEqual(whole.asked);
      }
    });

    it("keeps nothing from one task to the next", async () => {
      const made = make();
      const alone = new Desk(made.world);
      await live(alone, made);
      const after = new Desk(made.world);
      await live(after, made);
      expect(after.asked).toEqual(alone.asked);
    });

    it("proposes a plan that fits its spec and can be worked on in order", async () => {
      const made = make();
      const { items, notes } = await made.agent.plan(new Desk(made.world).planning(made.spec));
      expect(() =>
        checkPlan({ format: 1, spec: "s1", bases: made.spec.pinnedOn, items, notes }, made.spec),
      ).not.toThrow();
      expect(notes.every((note) => typeof note === "string")).toBe(true);
    });

    it("plans again when changes are asked for", async () => {
      const made = make();
      const { items } = await made.agent.plan(new Desk(made.world).planning(made.spec, "please do it otherwise"));
      expect(items.length).toBeGreaterThan(0);
    });

    it("only looks and asks while it plans, and only stores while it concludes", async () => {
      const made = make();
      const planning = new Desk(made.world);
      await made.agent.plan(planning.planning(made.spec));
      expect(kinds(planning).filter((kind) => !LOOKS.includes(kind))).toEqual([]);
      const concluding = new Desk(made.world);
      await made.agent.conclude(concluding.concluding(made.spec, {}));
      expect(kinds(concluding).filter((kind) => kind !== "storeArtifact")).toEqual([]);
    });

    it("lets a refused act through as what it is, or goes another way; it never makes something else of it", async () => {
      const made = make();
      const whole = new Desk(made.world);
      await live(whole, made);
      for (let n = 0; n < whole.asked.length; n += 1) {
        const desk = new Desk(made.world, { deny: [n] });
        try {
          await live(desk, made);
        } catch (error) {
          expect(error).toMatchObject({ name: "Failure", code: "act/denied" });
        }
        expect(desk.asked.filter(({ ask }) => ask === whole.asked[n]?.ask).length).toBeLessThanOrEqual(
          1 + whole.asked.filter(({ ask }) => ask === whole.asked[n]?.ask).length,
        );
      }
    });

    it("never says that a task is done: an item is worked on or not, with a cause that is a sentence", async () => {
      const made = make();
      const failing: World = { ...made.world, command: () => ({ exitCode: 7, stderr: "it broke" }) };
      const desk = new Desk(failing);
      const { outcomes } = await live(desk, made);
      for (const outcome of outcomes) {
        expect(Object.keys(outcome).sort()).toEqual(outcome.done ? ["done"] : ["cause", "done"]);
        if (!outcome.done) expect(outcome.cause).not.toMatch(/undefined|\[object|^$/);
      }
    });

    it("says of itself how another attempt begins", () => {
      const { agent } = make();
      expect(["restart", "continue"]).toContain(agent.retry);
      expect(typeof agent.retries).toBe("boolean");
    });
  });
}

const LOOKS = ["read", "list", "search", "inspect", "model", "ask"];

const kinds = (desk: Desk): string[] => desk.asked.map(({ ask }) => String((JSON.parse(ask) as unknown[])[0]));

const noTurns = async (): Promise<never> => {
  throw new Error("this agent is no program that takes turns");
};
/** For agents that live in this process. */
export const NO_TURNS = { turn: noTurns, permission: noTurns };
