import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { acquireDaemonLock } from "../../src/adapters/store/daemon-lock.ts";
import { isFailure } from "../../src/domain/failure.ts";
import { WITNESS_INSIDE, writeDown } from "./boundaries.ts";
import { processesOf } from "./checker/processes.ts";
import { sentences } from "./checker/report.ts";
import { listingOf, unexplainedChanges } from "./checker/repository.ts";
import { check } from "./checker.ts";
import { followEvents, post, type SeenEvent, signalling, statusAfter } from "./driver.ts";
import { beginLife, type Life } from "./life.ts";
import { placesIn } from "./places.ts";
import { confinedProcess, gone, kill } from "./storm-processes.ts";
import type { Strike, Target } from "./storm-schedule.ts";

export interface Storm {
  /** SIGKILLs that hit, by what they hit. */
  readonly kills: Readonly<Record<Target, number>>;
  /** Strikes that found nothing left to do in any task. */
  readonly idle: number;
  readonly findings: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** Statuses that the tasks ended with. */
  readonly ends: Readonly<Record<string, number>>;
  /** What tasks waited for on the way, and how often a person answered. */
  readonly waits: Readonly<Record<string, number>>;
}

/** What one task of a storm does: two items with four acts each. */
const PLAN = {
  items: [
    {
      id: "first",
      title: "First half",
      do: [
        { write: "made/one", content: "one\n" },
        { run: `echo "$AGENTOS_TASK $AGENTOS_STEP $AGENTOS_RUN" >> ${WITNESS_INSIDE}; echo run >> made/log` },
        { write: "made/two", content: "two\n", executable: true },
        { remove: "gone.txt" },
      ],
    },
    {
      id: "second",
      title: "Second half",
      depends_on: ["first"],
      do: [
        { write: "made/three", content: "three\n" },
        { run: `echo "$AGENTOS_TASK $AGENTOS_STEP $AGENTOS_RUN" >> ${WITNESS_INSIDE}; echo again >> made/log` },
        { remove: "made/one" },
        { write: "a.txt", content: "two\n" },
      ],
    },
  ],
};
/** Steps of the plan: what a task does beside planning, its candidate and its gate. */
export const STEPS_PER_TASK = PLAN.items.reduce((sum, item) => sum + item.do.length, 0);

const CHECK = `echo "$AGENTOS_TASK $AGENTOS_STEP $AGENTOS_RUN" >> ${WITNESS_INSIDE}
echo TAP version 13
echo 1..2
if grep -q two a.txt; then echo "ok 1 - a.txt says two"; else echo "not ok 1 - a.txt says two"; bad=1; fi
if [ "$(cat made/log)" = "run
again" ]; then echo "ok 2 - each command took effect once"; else echo "not ok 2 - each command took effect once"; bad=1; fi
exit \${bad:-0}
`;

const SPEC = {
  agent: "script",
  plan: PLAN,
  run_mode: "autonomous",
  // Named smoke, it is not run on the base too, which would be a fifth of all the work here.
  gates: [{ id: "smoke", run: "sh check.sh", report: "tap", definition: ["check.sh"] }],
  attempts: 3,
};

const ENDED: ReadonlySet<string> = new Set(["succeeded", "failed", "canceled"]);
const CHILD_EVENTS_MAX = 30;
/** The last resort against a wait for what never comes; nothing is timed by it. */
const QUIET_MS_MAX = 90_000;

/**
 * Many tasks of one repository at the same time, in one data directory, while the schedule's strikes fall; after each death of the daemon
 * the directory is checked and a new one started on it. Then all of it goes on to its end, and is checked as a whole. The persons of the
 * tasks do not notice crashes: what was not answered is sent again under the same key, and what waits for a word of theirs gets it.
 */
export async function storm(
  directory: string,
  {
    schedule,
    tasks,
    codeCache,
    checkEvery = 1,
  }: {
    readonly schedule: readonly Strike[];
    readonly tasks: number;
    readonly codeCache: string;
    /** The checker looks after every n-th death of the daemon. */
    readonly checkEvery?: number;
  },
): Promise<Storm> {
  const places = placesIn(directory);
  for (const path of [places.home, places.repos, places.meet]) mkdirSync(path, { recursive: true });
  chmodSync(places.meet, 0o777);
  writeFileSync(places.witness, "");
  chmodSync(places.witness, 0o666);
  const repository = join(places.repos, "app");
  makeRepository(repository);
  const before = listingOf(repository);
  writeDown(places.repositories, { label: "storm", repository, before });

  const findings: string[] = [];
  const told = new Set<string>();
  const find = (sentence: string): void => {
    if (told.has(sentence)) return;
    told.add(sentence);
    findings.push(sentence);
  };
  const kills: Record<Target, number> = { daemon: 0, group: 0, child: 0, starting: 0, frozen: 0 };
  const waits: Record<string, number> = {};
  let idle = 0;
  let deaths = 0;
  let over = 0;

  const events: SeenEvent[] = [];
  const ofTask = new Map<string, SeenEvent[]>();
  let life: Life | null = null;
  let bell = signalling();
  const changed = (): void => {
    const rung = bell;
    bell = signalling();
    rung.ring();
  };
  const until = async <T>(what: string, look: () => T | null): Promise<T> => {
    for (let seen = events.length, since = performance.now(); ; ) {
      const heard = bell.rung;
      const found = look();
      if (found !== null) return found;
      if (events.length !== seen) [seen, since] = [events.length, performance.now()];
      if (performance.now() - since > QUIET_MS_MAX)
        throw new Error(`nothing happened for ${QUIET_MS_MAX} ms; waited for ${what}; see ${places.log}`);
      await Promise.race([heard, delay(QUIET_MS_MAX, undefined, { ref: false })]);
    }
  };

  // One person per task; all of them talk to whatever daemon lives.
  const send = async (label: string, name: string, path: string, body: unknown): Promise<Record<string, unknown>> => {
    const key = `${label}-${name}`;
    for (;;) {
      const now = await until(`a daemon for ${key}`, () => (life !== null && life.endedBy() === null ? life : null));
      const answer = await post(now.url, key, path, body);
      if (answer === null) {
        await until(`the end of a daemon that does not answer ${key}`, () => (now.endedBy() === null ? null : true));
        continue;
      }
      if (answer.status === 503) continue;
      // What was done before a death, and whose answer was lost with it.
      if (answer.status === 409) return {};
      if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}; see ${places.log}`);
      const view = JSON.parse(answer.text) as Record<string, unknown>;
      writeDown(places.acknowledged, { key, name, label, path, view });
      return view;
    }
  };
  const person = async (label: string): Promise<string> => {
    const view = await send(label, "create", "/api/tasks", {
      title: label,
      session: label,
      created_by: "casey@example.com",
      project: "storm",
      ...SPEC,
    });
    const id = String(view["id"]);
    await send(label, "freeze", `/api/tasks/${id}/spec/freeze`, {});
    await send(label, "ready", `/api/tasks/${id}/ready`, {});
    for (let answers = 1; ; answers += 1) {
      const status = await until(`the end of ${label}`, () => {
        const now = statusAfter(ofTask.get(id) ?? []);
        return now === "blocked" || ENDED.has(now) ? now : null;
      });
      const mine = ofTask.get(id) ?? [];
      if (status === "succeeded" || status === "canceled") return status;
      const last = mine.findLast(({ type }) => type === "BLOCKED" || type === "FAILED");
      const why = `${status}: ${String(last?.body["reason"] ?? last?.body["exitReason"])}`;
      waits[why] = (waits[why] ?? 0) + 1;
      const verb = status === "blocked" ? "resume" : "retry";
      await send(label, `${verb}-${answers}`, `/api/tasks/${id}/${verb}`, {});
      const seen = last?.seq ?? 0;
      await until(`what ${label} does after ${verb}`, () =>
        (ofTask.get(id) ?? []).some(({ type, seq }) => type === "QUEUED" && seq > seen) ? true : null,
      );
    }
  };

  const begin = async (dyingAfterMs: number | null): Promise<void> => {
    const left = processesOf(directory);
    let born = 0;
    const begun = await beginLife(directory, {
      dieAt: null,
      codeCache,
      changed,
      ownGroup: true,
      born(pid) {
        born = pid;
        if (dyingAfterMs !== null)
          setTimeout(() => {
            kill(pid);
          }, dyingAfterMs);
      },
    });
    if (begun === null) {
      kills.starting += 1;
      await died(born, "starting");
      return;
    }
    if (dyingAfterMs !== null) {
      // It was faster than that: then it dies right after.
      await begun.ended;
      kills.starting += 1;
      await died(born, "starting");
      return;
    }
    followEvents(
      begun,
      () => events.at(-1)?.position ?? 0,
      (event) => {
        events.push(event);
        const id = event.stream.slice("task/".length);
        if (event.stream.startsWith("task/")) ofTask.set(id, [...(ofTask.get(id) ?? []), event]);
        changed();
      },
    );
    life = begun;
    changed();
    await gone(left.map(({ pid }) => pid)).catch((error: unknown) => find(String(error)));
  };
  const died = async (pid: number, how: Target): Promise<void> => {
    writeDown(places.kills, { pid, at: how, count: deaths });
    deaths += 1;
    for (const change of unexplainedChanges(before, listingOf(repository), null))
      find(`after death ${deaths} (${how}): the person's repository: ${change}`);
    if (deaths % checkEvery === 0)
      for (const one of sentences(check(directory, { stopped: false }).findings))
        find(`after death ${deaths} (${how}): ${one}`);
  };

  /** False: there is nothing left to run, the daemon is dead, or no command was met for a while; then the daemon is killed instead. */
  const struck = async (now: Life, pick: number): Promise<boolean> => {
    const mark = events.length;
    for (;;) {
      const victim = await confinedProcess(
        now,
        directory,
        pick,
        () => over === tasks || events.length > mark + CHILD_EVENTS_MAX,
      );
      if (victim === null) return false;
      // It may have ended in between: then it is another one's turn.
      if (!kill(victim.pid)) continue;
      writeDown(places.struck, victim);
      kills.child += 1;
      return true;
    }
  };

  const work = (async () => {
    await send("storm", "project", "/api/projects", {
      name: "storm",
      repos: [{ path: repository, name: "app", tool_path: ["/usr/bin", "/bin"] }],
    });
    return Promise.all(
      Array.from({ length: tasks }, async (_, at) => {
        const end = await person(`task-${at + 1}`);
        over += 1;
        changed();
        return end;
      }),
    );
  })();
  // Whoever waits for it is told of its failure; until then it is nobody's.
  work.catch(changed);

  const falling = (async () => {
    for (const strike of schedule) {
      if (strike.target === "starting") {
        await begin(strike.delayMs);
        continue;
      }
      if (life === null) await begin(null);
      const now = life as Life | null;
      if (now === null) continue;
      const mark = events.length;
      await until(`event ${strike.afterEvents} after ${mark}`, () =>
        over === tasks || events.length >= mark + strike.afterEvents ? true : null,
      );
      if (over === tasks) idle += 1;
      await delay(strike.delayMs);
      if (strike.target === "child" && (await struck(now, strike.pick))) continue;
      if (strike.target === "frozen") {
        process.kill(now.pid, "SIGSTOP");
        const second = await acquireDaemonLock(places.home).then(
          async (lock) => {
            await lock.release();
            return "got the data directory";
          },
          (error: unknown) => (isFailure(error, "daemon/running") ? null : String(error)),
        );
        if (second !== null) find(`a second daemon beside a stopped one: ${second}`);
        process.kill(now.pid, "SIGCONT");
      }
      kill(strike.target === "group" ? -now.pid : now.pid);
      await now.ended;
      life = null;
      const how = strike.target === "child" ? "daemon" : strike.target;
      kills[how] += 1;
      await died(now.pid, how);
    }
    if (life === null) await begin(null);
  })();
  const [ends] = await Promise.all([work, falling]);
  const last = life as Life | null;
  await last?.stop();
  const report = check(directory, { stopped: true });
  for (const one of sentences(report.findings)) find(`at the end: ${one}`);
  const endsBy: Record<string, number> = {};
  for (const end of ends) endsBy[end] = (endsBy[end] ?? 0) + 1;
  return { kills, idle, findings, counts: report.counts, ends: endsBy, waits };
}

/** With uncommitted work of its person in it: a changed file, a staged one, one git does not know, and a stash. */
function makeRepository(path: string): void {
  mkdirSync(path);
  const git = (...args: readonly string[]): void => {
    execFileSync("git", ["-c", "core.hooksPath=/dev/null", "-C", path, ...args], {
      env: {
        PATH: "/usr/bin:/bin",
        GIT_CONFIG_NOSYSTEM: "1",
        HOME: path,
        GIT_AUTHOR_NAME: "Casey",
        GIT_AUTHOR_EMAIL: "casey@example.com",
        GIT_COMMITTER_NAME: "Casey",
        GIT_COMMITTER_EMAIL: "casey@example.com",
      },
    });
  };
  const put = (name: string, text: string): void => writeFileSync(join(path, name), text);
  git("init", "-q", "-b", "main");
  for (const [name, text] of Object.entries({ "a.txt": "one\n", "b.txt": "b\n", "gone.txt": "gone\n" }))
    put(name, text);
  put("check.sh", CHECK);
  git("add", "-A");
  git("commit", "-q", "-m", "base");
  put("gone.txt", "stashed\n");
  git("stash", "-q");
  put("b.txt", "b, and not committed\n");
  put("staged.txt", "staged\n");
  git("add", "staged.txt");
  put("notes.txt", "mine\n");
}
