import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "../../src/interfaces/client/client.ts";
import { type Bench, rounds } from "../bench.ts";
import { type DaemonChild, startDaemonChild } from "../daemon.ts";
import { startRig } from "../system.ts";

const SIZES = { usual: { rounds: 5 }, tiny: { rounds: 1 } } as const;
const WAIT_MS_MAX = 60_000;

/** How long a person waits: for the daemon, for a task's first step, and after a crash for work to go on. */
export const start: Bench = {
  name: "start",
  about:
    "start of the daemon; from the creation of a task to its first step; from a restart after SIGKILL to the next step",
  async run(size, place) {
    const { rounds: count } = SIZES[size];
    const ready: number[] = [];
    const firstStep: number[] = [];
    const recovery: number[] = [];

    const rig = await startRig(place);
    try {
      const project = await rig.project(place.repository());
      for (const _ of rounds(count)) {
        const begun = Date.now();
        const id = await rig.queued(project, sleeping(0));
        firstStep.push(
          (await rig.event(id, ({ event, atMs }) => (event.type === "STEP_STARTED" ? atMs : null))) - begun,
        );
        await rig.event(id, ({ event }) => (event.type === "COMPLETED" ? true : null));
      }
    } finally {
      await rig.system.stop();
    }

    const home = join(place.directory("home"), "data");
    mkdirSync(home, { mode: 0o700 });
    let daemon: DaemonChild = await startDaemonChild(home);
    ready.push(daemon.readyMs);
    try {
      const api = connect(async () => daemon.url);
      const { project } = await api.projectOfPath({ path: place.repository() });
      const begunAfter = async (id: string, atMs: number): Promise<number> => {
        const begun = performance.now();
        while (performance.now() - begun < WAIT_MS_MAX) {
          const { items } = await api.taskEvents(id, 0, 1_000);
          const found = items.find(
            ({ type, at, body }) =>
              type === "STEP_STARTED" && Date.parse(at) >= atMs && JSON.stringify(body).includes("sleep"),
          );
          if (found !== undefined) return Date.parse(found.at);
          await pause(5);
        }
        throw new Error(`the task did not go on within ${WAIT_MS_MAX / 1_000} s`);
      };
      for (const _ of rounds(count)) {
        // A new one each time: a task that was running in three deaths in a row would be set aside.
        const { id } = await api.createTask({
          title: "Sleep",
          project: project.id,
          run_mode: "autonomous",
          gates: [],
          ...sleeping(300),
        });
        await api.freezeTask(id);
        await api.readyTask(id);
        await begunAfter(id, 0);
        await daemon.kill();
        daemon = await startDaemonChild(home);
        ready.push(daemon.readyMs);
        recovery.push((await begunAfter(id, daemon.startedAtMs)) - daemon.startedAtMs);
        await api.cancelTask(id, { reason: "measured" });
      }
    } finally {
      await daemon.kill();
    }
    return {
      figures: [
        { name: "the daemon, from its start until it answers", unit: "ms", values: ready },
        { name: "from the creation of a task to its first step", unit: "ms", values: firstStep },
        { name: "from the start after SIGKILL until the killed command runs again", unit: "ms", values: recovery },
      ],
      ratios: [],
    };
  },
};

const sleeping = (seconds: number) => ({
  agent: "script" as const,
  expects_change: false,
  plan: { items: [{ id: "work", title: "Sleep", do: [{ run: ["sleep", String(seconds)] }] }] },
});
