import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { auditStore } from "../../src/adapters/store/audit.ts";
import { seal } from "../../src/adapters/store/seal.ts";
import { taskStream } from "../../src/domain/stream.ts";
import type { Sandbox } from "../../src/ports/sandbox.ts";
import type { Positioned } from "../../src/ports/store.ts";
import { ADA, gate, plan, type Rig, repository, room, startRig } from "../integration/task-kit.ts";
import { behindTheBack } from "./behind-the-back.ts";
import { type Dice, dice, fitting, type Target } from "./tampering.ts";

/*
 * The frozen spec is the law, without the API (with it: law-api.test.ts): P07, P08, P10, P12, A08. Somebody edits it, its plan, its approval or the row that says where the task
 * stands, while the daemon is down, and puts the guards of the database back. The next daemon runs nothing of such a task, and says so.
 */

const SEED = 20_261_126;
const OFFLINE = 700;
const TASKS = 8;
/** The last ones have no yes: they wait for it, were never made ready, or were canceled. */
const WITHOUT_YES = 3;
const LARGE = 1;

const home = join(room(), "home");
const saved = join(room(), "agentos.db");
const targets: Target[] = [];

/** Whatever asks it to run something has come too far. */
function untouchable(): Sandbox & { readonly runs: () => number } {
  let runs = 0;
  return {
    runs: () => runs,
    selfTest: async () => ({ name: "none", version: "0", checks: [] }),
    run: async () => {
      runs += 1;
      throw new Error("something was run");
    },
    open: () => {
      runs += 1;
      throw new Error("something was talked with");
    },
    reap: async () => false,
    systemProgram: () => null,
    owner: () => null,
  };
}

beforeAll(async () => {
  const rig = await startRig({}, { home, tasksMax: 8 });
  const project = await rig.project(repository());
  const made: { id: string; large: boolean }[] = [];
  for (let n = 0; n < TASKS; n += 1) {
    const large = n < LARGE;
    const spec = {
      title: `Task ${n}`,
      intent: large ? `${n} and ${"much to say ".repeat(7_000)}` : `The intent of task ${n}`,
      ...plan(`touch made-${n}`),
      gates: [gate(`test -f made-${n}`)],
    };
    const isDraft = n === TASKS - 1;
    made.push({ id: isDraft ? await rig.frozen(project, spec) : await rig.queued(project, spec), large });
  }
  for (const { id } of made.slice(0, -1)) await rig.until(id, "awaiting_approval");
  // From here on nothing is taken up until somebody resumes.
  await rig.system.cases.pauseAll(ADA, null);
  const yes = made.slice(0, TASKS - WITHOUT_YES);
  for (const { id } of yes) await rig.approve(id);
  await rig.system.cases.answer.cancel(ADA, made[TASKS - 2]?.id ?? "", null);
  for (const [n, { id, large }] of made.entries())
    targets.push({ id, large, approved: n < yes.length, other: yes[(n + 1) % yes.length]?.id ?? "" });
  await rig.stop();
  copyFileSync(join(home, "agentos.db"), saved);
}, 180_000);

/** The data directory as it was before anybody touched it. */
function restore(): void {
  for (const part of ["agentos.db-wal", "agentos.db-shm"]) rmSync(join(home, part), { force: true });
  copyFileSync(saved, join(home, "agentos.db"));
}

/** What the next daemon says of each of these tasks: the first event that stops it. */
async function nextDaemon(
  tasks: readonly string[],
): Promise<{ readonly said: ReadonlyMap<string, string>; readonly runs: number }> {
  const sandbox = untouchable();
  const rig: Rig = await startRig({ sandbox }, { home, tasksMax: TASKS });
  const said = new Map<string, string>();
  const streams = new Map(tasks.map((id) => [taskStream(id), id]));
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`nothing was said of ${tasks.filter((id) => !said.has(id))}; ${rig.warnings.join()}`)),
      30_000,
    );
    rig.system.store.onAppended(({ stream, recorded: { event } }: Positioned) => {
      const id = streams.get(stream);
      if (id === undefined) return;
      if (event.type === "BLOCKED") said.set(id, `${event.body.reason}: ${event.body.detail}`);
      if (event.type === "DENIED") said.set(id, `${event.body.rule}: ${event.body.reason}`);
      if (event.type === "STEP_STARTED" || event.type === "COMPLETED") said.set(id, `ran: ${event.type}`);
      if (said.size < tasks.length) return;
      clearTimeout(late);
      resolve();
    });
    rig.system.cases.resumeAll(ADA, null).catch(reject);
  });
  await rig.stop();
  return { said, runs: sandbox.runs() };
}

describe("the frozen spec is the law", () => {
  it(`P07, P10, P12, A08: of ${OFFLINE} edits of specs, plans, approvals and rows, none leads to anything being run, and each is told in the journal`, {
    timeout: 180_000,
  }, async () => {
    const roll: Dice = dice(SEED);
    const used = new Map<string, number>();
    let done = 0;
    while (done < OFFLINE) {
      restore();
      const batch = targets.slice(0, OFFLINE - done);
      const files: (() => void)[] = [];
      const names = new Map<string, string>();
      behindTheBack(home, (sql) => {
        for (const target of batch) {
          const choices = fitting(target);
          const mutation = choices[roll(choices.length)];
          if (mutation === undefined) throw new Error(`nothing fits ${target.id}`);
          mutation.apply({ sql, home, target, dice: roll, undo: (back) => files.push(back) });
          names.set(target.id, mutation.name);
          used.set(mutation.name, (used.get(mutation.name) ?? 0) + 1);
        }
      });
      const { said, runs } = await nextDaemon(batch.map(({ id }) => id)).catch((error: unknown) => {
        throw new Error(JSON.stringify([...names]), { cause: error });
      });
      for (const back of files) back();
      const wrong = batch.flatMap(({ id }) =>
        /^integrity: what is stored of task \w+ was changed outside of AgentOS: /.test(said.get(id) ?? "")
          ? []
          : [`${names.get(id)} of ${id}: ${said.get(id)}`],
      );
      expect({ wrong, runs }).toEqual({ wrong: [], runs: 0 });
      done += batch.length;
    }
    // Every way was taken.
    expect([...used.keys()].sort()).toEqual(
      [...new Set(targets.flatMap((target) => fitting(target).map(({ name }) => name)))].sort(),
    );
  });

  it("the control: without that look, a forged yes runs what nobody agreed to; with it, nothing", async () => {
    const target = targets.find(({ approved }) => !approved);
    if (target === undefined) throw new Error("every task is approved");
    const forge = (): void => {
      restore();
      behindTheBack(home, (sql) =>
        fitting(target)
          .find(({ name }) => name === "a forged yes")
          ?.apply({ sql, home, target, dice: dice(1), undo: () => undefined }),
      );
    };
    forge();
    const blind = await startRig(
      { store: (store) => ({ ...store, tasks: { ...store.tasks, tampered: async () => null } }) },
      { home, tasksMax: TASKS },
    );
    await blind.system.cases.resumeAll(ADA, null);
    await blind.happened(
      target.id,
      "STEP_STARTED",
      (await blind.events(target.id)).findLast(({ event }) => event.type === "CLAIMED")?.seq ?? 0,
    );
    await blind.stop();
    forge();
    expect((await nextDaemon([target.id])).said.get(target.id)).toMatch(/^integrity: /);
  });

  it("P08: a spec that is edited while its task runs stops it before the next step", async () => {
    const rig = await startRig();
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("touch one", "touch two"),
      gates: [gate("true")],
    });
    rig.system.store.onAppended(({ stream, recorded: { event } }) => {
      if (stream === taskStream(id) && event.type === "CHECKPOINTED")
        behindTheBack(rig.home, (sql) =>
          sql.prepare("UPDATE specs SET text = replace(text, 'touch two', 'touch evil') WHERE task = ?").run(id),
        );
    });
    const stopped = await rig.until(id, "blocked", "succeeded");
    expect([stopped.status, (await rig.bodies(id, "BLOCKED")).map(({ reason }) => reason)]).toEqual([
      "blocked",
      ["integrity"],
    ]);
    const commands = (await rig.bodies(id, "STEP_STARTED")).flatMap(({ act }) =>
      act.kind === "command" ? [act.argv.at(-1)] : [],
    );
    expect(commands).toEqual(["touch one"]);
  });

  it("the control: what nobody touched runs, and an audit finds nothing", async () => {
    restore();
    expect((await auditStore(home, { seal })).findings).toEqual([]);
    const rig = await startRig({}, { home, tasksMax: 1 });
    const [first] = targets;
    await rig.system.cases.resumeAll(ADA, null);
    expect((await rig.until(first?.id ?? "", "succeeded", "blocked")).status).toBe("succeeded");
    await rig.stop();
  });
});
