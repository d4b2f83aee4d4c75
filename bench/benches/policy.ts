import { cedarPolicy } from "../../src/adapters/policy/cedar-policy.ts";
import { createBroker } from "../../src/broker/broker.ts";
import type { BrokerDependencies } from "../../src/broker/deps.ts";
import type { Act } from "../../src/domain/step.ts";
import type { Ask, Desk, Effect } from "../../src/ports/broker.ts";
import type { PolicyQuestion } from "../../src/ports/policy.ts";
import { type Bench, ratio, rounds } from "../bench.ts";

const SIZES = { usual: { rounds: 25, each: 200 }, tiny: { rounds: 2, each: 10 } } as const;

const LAYERS = [
  {
    name: "user",
    granted: false,
    text: '@id("no-touch") forbid (principal, action, resource) when { context.commands.contains("touch") };',
  },
] as const;

/** A decision as each step waits for it, and all that the broker does around a step beside the effect itself. */
export const policy: Bench = {
  name: "policy",
  about:
    "one decision with a person's own policies in force, and the broker around a read, without sandbox and journal",
  async run(size) {
    const { rounds: count, each } = SIZES[size];
    const book = cedarPolicy(async () => LAYERS);
    // Each time another one: an answer that was given before is not asked for again.
    let asked = 0;
    const command = (): Act => {
      asked += 1;
      return {
        kind: "command",
        repo: "app",
        argv: ["/bin/sh", "-c", `cd web && npm test -- --run ${asked}`],
        cwd: ".",
        timeoutMs: 1,
        network: [],
      };
    };
    const decisions: number[] = [];
    const slowest: number[] = [];
    const steps: number[] = [];
    const broker = createBroker(dependencies(book));
    const reader = broker.working(desk);
    for (const _ of rounds(count)) {
      const some: number[] = [];
      for (const __ of rounds(each)) {
        const next = question(command());
        const begun = performance.now();
        await book.decide(next);
        some.push(performance.now() - begun);
      }
      some.sort((one, other) => one - other);
      decisions.push(some[Math.floor(each / 2)] ?? Number.NaN);
      slowest.push(some[Math.floor(each * 0.95)] ?? Number.NaN);
      const begun = performance.now();
      for (const nth of rounds(each)) await reader.read("app", `src/${asked}-${nth}.ts`);
      steps.push((performance.now() - begun) / each);
    }
    return {
      figures: [
        { name: "a decision, half of them within", unit: "ms", values: decisions },
        { name: "a decision, 19 of 20 within", unit: "ms", values: slowest },
        { name: "the broker around a step, its decision included", unit: "ms", values: steps },
      ],
      ratios: [
        ratio(
          "a decision / 0.2 ms",
          decisions,
          decisions.map(() => 0.2),
          size === "usual" ? { most: 1 } : null,
        ),
        ratio(
          "the broker around a step / 2 ms",
          steps,
          steps.map(() => 2),
          size === "usual" ? { most: 1 } : null,
        ),
      ],
    };
  },
};

const question = (act: Act): PolicyQuestion => ({
  principal: { kind: "agent", name: "script" },
  phase: "implementation",
  runMode: "assisted",
  act,
  project: null,
  scope: { repo: "app", access: "full" },
  repoWritable: true,
  packageHosts: [],
  item: null,
  grants: [],
  approvedCommands: [],
});

/** A desk whose steps are recorded nowhere: what is left is the broker. */
const desk: Desk = {
  task: "bench",
  epoch: 1,
  phase: "implementation",
  attempt: 1,
  spec: {
    scopes: [{ repo: "app", access: "full" }],
    prepare: [],
    agent: { kind: "script" },
    limits: {},
  } as unknown as Desk["spec"],
  runMode: "assisted",
  project: null,
  bases: {},
  repos: { app: { writable: true, toolPath: [] } },
  changeRequest: null,
  lastFailure: null,
  item: null,
  models: null,
  grants: [],
  notes: [],
  proposeNote: async () => undefined,
  layers: {},
  inputs: [],
  steps: {
    async perform({ open, effect }: Ask): Promise<unknown> {
      await open();
      const { result }: Effect = await effect({
        step: "1",
        run: 1,
        signal: new AbortController().signal,
        outputFile: "",
        onStart: () => undefined,
        onWarning: () => undefined,
      });
      return result;
    },
  } as unknown as Desk["steps"],
  toolServers: [],
  lastTurn: () => null,
};

const dependencies = (book: BrokerDependencies["policy"]): BrokerDependencies =>
  ({
    policy: book,
    seal: (value: unknown) => ({ text: JSON.stringify(value), sha256: "" }),
    digest: () => "",
    workspaces: { readFile: async () => new Uint8Array(100) },
    dropRunDirectory: async () => undefined,
  }) as unknown as BrokerDependencies;
