import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { bubblewrapSandbox } from "../../src/adapters/sandbox/bubblewrap.ts";
import type { RunCommand } from "../../src/ports/sandbox.ts";
import { type Bench, ratio, rounds, took } from "../bench.ts";
import { startRig } from "../system.ts";

const SIZES = { usual: { rounds: 25, steps: 15 }, tiny: { rounds: 2, steps: 2 } } as const;

/** A command in the sandbox beside a bare bwrap, and as what it is in a task: a durable step with the snapshot after it. */
export const sandbox: Bench = {
  name: "sandbox",
  about:
    "`/bin/true` in the sandbox, beside a bare bwrap and the programs it is made of; and as a durable step, with the snapshot that follows it",
  async run(size, place) {
    const { rounds: count, steps } = SIZES[size];
    const box = bubblewrapSandbox();
    const directory = place.directory("sandbox");
    const bare: number[] = [];
    const chain: number[] = [];
    const ours: number[] = [];
    for (const round of rounds(count)) {
      bare.push(await took(() => promisify(execFile)("bwrap", ["--ro-bind", "/", "/", "--unshare-all", "/bin/true"])));
      chain.push(await took(() => promisify(execFile)("bwrap", BARE_CHAIN)));
      ours.push(await took(() => box.run(command(join(directory, `output-${round}`)), new AbortController().signal)));
    }

    const rig = await startRig(place);
    const perStep: number[] = [];
    try {
      const acts = rounds(steps).map(() => ({ run: "true" }));
      const id = await rig.queued(await rig.project(place.repository()), {
        agent: "script",
        expects_change: false,
        plan: { items: [{ id: "work", title: "Run", do: acts }] },
      });
      await rig.event(id, ({ event }) => (event.type === "WORK_ITEM_COMPLETED" ? true : null));
      let begun = 0;
      for (const { event, atMs } of await rig.system.store.tasks.events(id, 0, 1_000)) {
        if (event.type === "STEP_STARTED") begun = atMs;
        if (event.type === "STEP_COMPLETED" && event.body.step.includes("item-work")) perStep.push(atMs - begun);
      }
    } finally {
      await rig.system.stop();
    }
    return {
      figures: [
        { name: "bwrap alone", unit: "ms", values: bare },
        { name: "its programs alone: bwrap and, as root, setpriv and bwrap again", unit: "ms", values: chain },
        { name: "the sandbox", unit: "ms", values: ours },
        { name: "a durable step: command and snapshot", unit: "ms", values: perStep },
      ],
      ratios: [ratio("the sandbox / bwrap alone", ours, bare), ratio("the sandbox / its programs alone", ours, chain)],
    };
  },
};

/** What the sandbox has to start at least to confine a command: as root it drops in two stages. */
const BARE_CHAIN = [
  ...["--ro-bind", "/", "/", "--proc", "/proc", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"],
  ...(process.getuid?.() === 0
    ? ["setpriv", "--reuid=59999", "--regid=59999", "--clear-groups", "bwrap", "--dev-bind", "/", "/"]
    : []),
  ...["--unshare-user", "/bin/true"],
];

const command = (outputFile: string): RunCommand => ({
  argv: ["/bin/true"],
  cwd: "/tmp",
  mounts: [],
  scratches: [],
  environment: {},
  toolPath: [],
  egressSocket: null,
  limits: { wallMs: 20_000, memoryBytes: 1024 ** 3, processes: 64, outputBytes: 64 * 1024, fileBytes: 1024 ** 2 },
  stall: null,
  outputFile,
  onStart: () => undefined,
});
