import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { sampled } from "../support/sample.ts";
import { git, line } from "./checker/git.ts";
import { canonical } from "./checker/journal.ts";
import { CHECKS, type Finding, sentences } from "./checker/report.ts";
import { sha256 } from "./checker/repository.ts";
import { check } from "./checker.ts";
import { openWorld } from "./driver.ts";
import { outside, whole } from "./journeys.ts";
import { type Places, placesIn } from "./places.ts";

/*
 * The checker itself, judged: a data directory with a delivered task that lived through a death, and one thing in it broken at a time.
 * Each breakage must be found, and by the check that is meant for it.
 */
const top = mkdtempSync(join(tmpdir(), "agentos-checker-"));
const directory = join(top, "world");
const aside = join(top, "aside");
const places: Places = placesIn(directory);
const repository = join(places.repos, "whole");
let task = "";
let waiting = "";
/** Names of the task's steps, by what they are. */
const steps = { look: "", read: "", edit: "", added: "", command: "", gate: "" };

beforeAll(async () => {
  mkdirSync(directory);
  const world = openWorld(directory, { codeCache: join(top, "code") });
  await world.travel(whole, "whole", [{ name: "in the middle of" }]);
  await world.travel(outside("redo"), "outside", [{ name: "in the middle of" }]);
  await world.close();
  cpSync(directory, aside, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  const database = new DatabaseSync(join(places.home, "agentos.db"), { readOnly: true });
  const idOf = (session: string): string =>
    String(database.prepare("SELECT id FROM tasks WHERE session = ?").get(session)?.["id"]);
  task = idOf("whole");
  waiting = idOf("outside");
  const named = (kind: string, nth: number): string =>
    String(
      database
        .prepare(
          "SELECT DISTINCT step FROM ended_steps WHERE task = ? AND kind = ? ORDER BY started_seq LIMIT 1 OFFSET ?",
        )
        .get(task, kind, nth)?.["step"],
    );
  Object.assign(steps, {
    look: named("read", 1),
    read: named("read", 2),
    edit: named("edit", 0),
    added: named("edit", 1),
    command: named("command", 0),
    gate: named("gate", 1),
  });
  database.close();
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  cpSync(aside, directory, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

test("what was left alone has no finding, and everything was looked at", () => {
  const { findings, counts } = check(directory, { stopped: true });
  expect(sentences(findings)).toEqual([]);
  expect(counts).toMatchObject({ deaths: 2, tasks: 2, repositories: 2 });
  for (const what of [
    "acknowledged writes",
    "completed steps",
    "commits",
    "contents",
    "evidence",
    "files",
    "layers",
    "trees",
    "witness lines",
  ])
    expect(counts[what], what).toBeGreaterThan(0);
});

interface Breakage {
  readonly broken: string;
  readonly by: () => void | Promise<void>;
  readonly found: Finding["check"];
  readonly says: RegExp;
}

const BREAKAGES: readonly Breakage[] = [
  {
    broken: "an event's content is changed",
    by: () =>
      sql(
        "UPDATE events SET body = replace(body, 'two', 'six') WHERE type = 'STEP_STARTED' AND stream = ?",
        taskStream(),
      ),
    found: "chain",
    says: /does not have the hash it says/,
  },
  {
    broken: "an event's time is changed",
    by: () => sql("UPDATE events SET at_ms = at_ms + 1 WHERE seq = 3 AND stream = ?", taskStream()),
    found: "chain",
    says: / 3: does not have the hash it says/,
  },
  {
    broken: "an event in the middle is deleted",
    by: () => sql("DELETE FROM events WHERE seq = 5 AND stream = ?", taskStream()),
    found: "chain",
    says: / 6: comes after 4/,
  },
  {
    broken: "the newest event is deleted",
    by: () => sql("DELETE FROM events WHERE type = 'DELIVERED' AND stream = ?", taskStream()),
    found: "acknowledged",
    says: /deliver .*the journal has 0 of 1 DELIVERED/,
  },
  { broken: "two places in the order are exchanged", by: () => exchangePlaces(), found: "order", says: /comes after/ },
  {
    broken: "a stream's end is noted one event early",
    by: () => sql("UPDATE stream_heads SET seq = seq - 1 WHERE stream = ?", taskStream()),
    found: "order",
    says: /noted as the end of a stream that ends with/,
  },
  {
    broken: "an answered write is not in the journal",
    by: () =>
      appendFileSync(
        places.acknowledged,
        `${JSON.stringify({ key: "k", name: "pause", label: "whole", path: `/api/tasks/${task}/pause`, view: { seq: 9 } })}\n`,
      ),
    found: "acknowledged",
    says: /the journal has 0 of 1 PAUSE_REQUESTED/,
  },
  {
    broken: "a second task is made by the same create",
    by: () => rewrite(`task/${waiting}`, "CREATED", (body) => ({ ...body, session: "whole" })),
    found: "once per key",
    says: /made 2 tasks/,
  },
  {
    broken: "a completed step is begun again",
    by: () => appendAgain("STEP_STARTED"),
    found: "step begun after its end",
    says: /is begun again after it was completed/,
  },
  {
    broken: "a step was begun more often than it was killed",
    by: () => writeFileSync(places.kills, ""),
    found: "runs of a step",
    says: /was begun 2 times, with 0 deaths/,
  },
  {
    broken: "a command that may reach outside is begun again without a person's word",
    by: () => rewrite(`task/${waiting}`, "OUTCOME_SETTLED", (body) => ({ ...body, outcome: "done" })),
    found: "outside",
    says: /was begun 2 times, with 0 words/,
  },
  {
    broken: "a command ran that the journal does not know",
    by: () => appendFileSync(places.witness, `${task} ${steps.command} 3\n`),
    found: "witness",
    says: /the journal knows no such run/,
  },
  {
    broken: "a command ran twice in one run",
    by: () => appendFileSync(places.witness, `${task} ${steps.command} 2\n`),
    found: "witness",
    says: /run 2 wrote its line twice/,
  },
  {
    broken: "a run that was given up wrote its line after the next one",
    by: () =>
      writeFileSync(
        places.witness,
        readFileSync(places.witness, "utf8")
          .split("\n")
          .filter((one) => one !== `${task} ${steps.command} 1`)
          .join("\n")
          .concat(`${task} ${steps.command} 1\n`),
      ),
    found: "witness",
    says: /run 1 wrote its line after a later run/,
  },
  {
    broken: "a completed command never ran",
    by: () =>
      writeFileSync(places.witness, readFileSync(places.witness, "utf8").replace(`${task} ${steps.command} 2\n`, "")),
    found: "witness",
    says: /is completed, and its run 2 wrote no line/,
  },
  {
    broken: "a task's row says another status",
    by: () => sql("UPDATE tasks SET status = 'failed' WHERE id = ?", task),
    found: "replay",
    says: /tasks.status is "failed" in the tables, "succeeded" by its events/,
  },
  {
    broken: "a task's row is gone",
    by: () => sql("DELETE FROM tasks WHERE id = ?", task),
    found: "replay",
    says: /has no row in tasks/,
  },
  {
    broken: "a task's state says another tree",
    by: () =>
      sql(
        'UPDATE lasting_facts SET state = replace(state, \'"trees":{"app":"\', \'"trees":{"app":"0\') WHERE task = ?',
        task,
      ),
    found: "replay",
    says: /trees is/,
  },
  {
    broken: "a step's row says that it was lost",
    by: () => sql("UPDATE ended_steps SET status = 'lost' WHERE task = ? AND step = ?", task, steps.edit),
    found: "replay",
    says: /steps is/,
  },
  {
    broken: "the frozen spec is changed",
    by: () => sql("UPDATE specs SET text = replace(text, 'check.sh', 'other.sh') WHERE task = ?", task),
    found: "replay",
    says: /the text in specs does not have the hash/,
  },
  {
    broken: "a content is deleted",
    by: () =>
      sql(
        "DELETE FROM blobs WHERE digest = (SELECT json_extract(one.value, '$.stdout.digest') FROM events, json_each(events.body, '$.evidence') AS one WHERE events.stream = ? AND events.type = 'STEP_COMPLETED' AND json_extract(events.body, '$.step') = ? AND json_extract(one.value, '$.kind') = 'command')",
        taskStream(),
        steps.command,
      ),
    found: "content",
    says: /is not in the store/,
  },
  {
    broken: "a content is changed",
    by: () => sql("UPDATE blobs SET content = zeroblob(bytes) WHERE bytes > 0"),
    found: "content",
    says: /and what is stored has/,
  },
  {
    broken: "a git object that a checkpoint names is gone",
    by: () => removeObject((body) => body["after"]["app"]),
    found: "tree",
    says: /is not whole in the private clone/,
  },
  {
    broken: "the candidate's commit is gone",
    by: () => removeObject(() => body("CANDIDATE_MADE")["repos"]["app"]["commit"]),
    found: "commit",
    says: /which is not in the private clone/,
  },
  {
    broken: "the private clone is gone",
    by: () => rmSync(join(places.home, "workspaces", task, "git"), { recursive: true }),
    found: "tree",
    says: /the private clone of app is gone/,
  },
  {
    broken: "a step says that a file became something else",
    by: () =>
      rewriteStep(steps.added, (evidence) =>
        evidence["kind"] === "file" ? { ...evidence, after: sha256("other") } : evidence,
      ),
    found: "file",
    says: /bin\/new became/,
  },
  {
    broken: "a read says that the file was something else",
    by: () => rewriteStep(steps.read, (evidence) => ({ ...evidence, before: sha256("other"), after: sha256("other") })),
    found: "file",
    says: /says that a\.txt has/,
  },
  {
    broken: "a step says that it left another tree",
    by: () =>
      rewriteStep(steps.edit, (evidence) =>
        evidence["kind"] === "tree" ? { ...evidence, after: evidence["before"] } : evidence,
      ),
    found: "tree",
    says: /and the step went from/,
  },
  {
    broken: "the candidate says another tree",
    by: () =>
      rewrite(taskStream(), "CANDIDATE_MADE", (was) => ({
        repos: { app: { ...was["repos"].app, tree: was["repos"].app.baseTree } },
      })),
    found: "commit",
    says: /says that .* has the tree/,
  },
  {
    broken: "a step says that it ran another command",
    by: () =>
      rewriteStep(steps.command, (evidence) =>
        evidence["kind"] === "command" ? { ...evidence, argv: ["true"] } : evidence,
      ),
    found: "command",
    says: /ran true, asked for was/,
  },
  {
    broken: "a command's live output is cut off",
    by: () => writeFileSync(join(places.home, "output", task, `${steps.look}.1.log`), ""),
    found: "command",
    says: /and its live output has 0/,
  },
  {
    broken: "a gate that passed rests on a command that failed",
    by: () =>
      rewriteStep(steps.gate, (evidence) => (evidence["kind"] === "command" ? { ...evidence, exitCode: 1 } : evidence)),
    found: "proof",
    says: /whose command did not exit with 0/,
  },
  {
    broken: "a done task's gate passed on another tree",
    by: () => rewrite(taskStream(), "GATE_PASSED", (was) => ({ ...was, tree: "0".repeat(40) })),
    found: "proof",
    says: /did not pass on/,
  },
  {
    broken: "a done task's plan was never approved",
    by: () => rewrite(taskStream(), "PLAN_APPROVED", (was) => ({ ...was, plan: "0".repeat(64) })),
    found: "proof",
    says: /was not approved/,
  },
  {
    broken: "a gate says that more tests passed than its report",
    by: () =>
      rewriteStep(steps.gate, (evidence) =>
        evidence["kind"] === "tests" ? { ...evidence, counts: { ...evidence["counts"], passed: 2 } } : evidence,
      ),
    found: "tests",
    says: /says 2 passed and 0 failed, the report has 1 and 0/,
  },
  {
    broken: "a dependency layer is changed",
    by: () =>
      writeFileSync(
        join(places.home, "layers", only(join(places.home, "layers")), "outputs", "node_modules", "dep", "index.js"),
        "evil\n",
      ),
    found: "layer",
    says: /and the listing/,
  },
  {
    broken: "a dependency layer is gone",
    by: () => rmSync(join(places.home, "layers"), { recursive: true }),
    found: "layer",
    says: /is gone/,
  },
  {
    broken: "a file the person never gave to git is changed",
    by: () => writeFileSync(join(repository, "notes.txt"), "ours\n"),
    found: "repository",
    says: /notes\.txt was changed/,
  },
  {
    broken: "a delivered file is not in the checkout",
    by: () => writeFileSync(join(repository, "a.txt"), "one\n"),
    found: "repository",
    says: /a\.txt of the checkout is not what was delivered/,
  },
  {
    broken: "the branch is somewhere else",
    by: () => void git(join(repository, ".git"), ["update-ref", "refs/heads/main", "v1"]),
    found: "repository",
    says: /main is at/,
  },
  {
    broken: "a branch was added",
    by: () => void git(join(repository, ".git"), ["update-ref", "refs/heads/other", "v1"]),
    found: "repository",
    says: /refs\/heads\/other was added/,
  },
  {
    broken: "the person's settings are changed",
    by: () => appendFileSync(join(repository, ".git", "config"), "[core]\n\tpager = cat\n"),
    found: "repository",
    says: /\.git\/config was changed/,
  },
  {
    broken: "a hook of the person's ran",
    by: () => writeFileSync(join(repository, ".git", "HOOK-RAN-post-merge"), ""),
    found: "repository",
    says: /HOOK-RAN-post-merge was added/,
  },
  {
    broken: "the index was left locked",
    by: () => writeFileSync(join(repository, ".git", "index.lock"), ""),
    found: "repository",
    says: /index\.lock was added/,
  },
  {
    broken: "the stash is gone",
    by: () => unlinkSync(join(repository, ".git", "refs", "stash")),
    found: "repository",
    says: /refs\/stash is gone/,
  },
  {
    broken: "the repository of a task that delivered nothing is changed",
    by: () => writeFileSync(join(places.repos, "outside", "a.txt"), "two\n"),
    found: "repository",
    says: /outside .*a\.txt was changed/,
  },
  {
    broken: "one of two repos that go as one is recorded as delivered without the other",
    by: () =>
      rewrite(taskStream(), "STEP_STARTED", (was) =>
        was["act"].kind === "deliver"
          ? { ...was, act: { kind: "deliver_together", moves: [was["act"], { ...was["act"], repo: "lib" }] } }
          : was,
      ),
    found: "all or none",
    says: /is completed, and only 1 of 2 repos are recorded as delivered/,
  },
  {
    broken: "the branch of a delivery that is called failed holds its work",
    by: () => {
      rewrite(taskStream(), "STEP_STARTED", (was) =>
        was["act"].kind === "deliver" ? { ...was, act: { kind: "deliver_together", moves: [was["act"]] } } : was,
      );
      sql(
        "UPDATE events SET type = 'STEP_FAILED' WHERE type = 'STEP_COMPLETED' AND stream = ? AND seq = (SELECT MAX(seq) - 1 FROM events WHERE stream = events.stream)",
        taskStream(),
      );
    },
    found: "all or none",
    says: /failed, and app holds the work/,
  },
  {
    broken: "an agent did something in a turn that is not open",
    by: () =>
      appendEvent(taskStream(), "TURN_ACTED", {
        step: steps.command,
        run: 1,
        n: 1,
        act: { kind: "read", repo: "whole", path: "a.txt" },
        decision: "allowed",
        rule: "default",
        evidence: [],
        cause: null,
      }),
    found: "turn",
    says: /which is no open turn/,
  },
  {
    broken: "a task is running while nobody runs it",
    by: () => appendEvent(`task/${waiting}`, "CLAIMED", { worker: "w", epoch: 99, takeover: false }),
    found: "waiting",
    says: /is running although nobody runs it/,
  },
  {
    broken: "a task waits for a reason that has no name",
    by: () => appendEvent(`task/${waiting}`, "BLOCKED", { reason: "because", detail: "", step: null }),
    found: "waiting",
    says: /waits for because/,
  },
  {
    broken: "a task ended by a bug",
    by: () => appendEvent(`task/${waiting}`, "FAILED", { exitReason: "bug", detail: "" }),
    found: "waiting",
    says: /ended by a bug/,
  },
];

describe("it finds it when", () => {
  test.each(sampled(BREAKAGES, 16))("$broken", async ({ by, found, says }) => {
    await by();
    const { findings } = check(directory, { stopped: true });
    expect(
      sentences(findings.filter((finding) => finding.check === found)).filter((one) => says.test(one)),
      sentences(findings).join("\n"),
    ).not.toEqual([]);
  });

  test("a process of a command is still alive", async () => {
    const child = spawn("sleep", ["1000"], {
      env: { PATH: "/usr/bin:/bin", AGENTOS_CRASH_TEST: directory },
      stdio: "ignore",
    });
    try {
      await once(child, "spawn");
      expect(sentences(check(directory, { stopped: true }).findings)).toEqual([
        `orphan: process ${child.pid}: still runs: sleep 1000`,
      ]);
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });

  test("any of its checks is meant by one of these", () => {
    expect([...new Set([...BREAKAGES.map(({ found }) => found), "orphan"])].sort()).toEqual([...CHECKS].sort());
  });
});

const taskStream = (): string => `task/${task}`;
// biome-ignore lint/suspicious/noExplicitAny: bodies are changed as data
type Body = Record<string, any>;

/** As somebody with the file in their hands would do it: the guards go first. */
function withDatabase<T>(use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(join(places.home, "agentos.db"), { enableForeignKeyConstraints: false });
  try {
    for (const { name } of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all())
      database.exec(`DROP TRIGGER ${name}`);
    return use(database);
  } finally {
    database.close();
  }
}

function sql(text: string, ...params: readonly string[]): void {
  const { changes } = withDatabase((database) => database.prepare(text).run(...params));
  if (changes === 0) throw new Error(`nothing was changed by ${text}`);
}

const body = (type: string): Body =>
  withDatabase(
    (database) =>
      JSON.parse(
        String(
          database
            .prepare("SELECT body FROM events WHERE stream = ? AND type = ? ORDER BY seq DESC")
            .get(taskStream(), type)?.["body"],
        ),
      ) as Body,
  );

/** Changes events and gives the whole stream new hashes: what only the evidence itself can tell. */
function rewrite(stream: string, type: string, change: (body: Body) => Body): void {
  withDatabase((database) => {
    let previous = "0".repeat(64);
    for (const row of database.prepare("SELECT * FROM events WHERE stream = ? ORDER BY seq").all(stream)) {
      const { hash: _, ...rest } = row;
      const next = {
        ...rest,
        prev_hash: previous,
        body: row["type"] === type ? canonical(change(JSON.parse(String(row["body"])) as Body)) : row["body"],
      };
      previous = sha256(canonical(next));
      database
        .prepare("UPDATE events SET body = ?, prev_hash = ?, hash = ? WHERE stream = ? AND seq = ?")
        .run(String(next.body), next.prev_hash, previous, stream, Number(row["seq"]));
      database
        .prepare("UPDATE log_leaves SET hash = ? WHERE stream = ? AND seq = ?")
        .run(previous, stream, Number(row["seq"]));
    }
    database.prepare("UPDATE stream_heads SET hash = ? WHERE stream = ?").run(previous, stream);
  });
}

const rewriteStep = (step: string, change: (evidence: Body) => Body): void =>
  rewrite(taskStream(), "STEP_COMPLETED", (was) =>
    was["step"] === step ? { ...was, evidence: (was["evidence"] as Body[]).map(change) } : was,
  );

function appendEvent(stream: string, type: string, content: Body): void {
  withDatabase((database) => {
    const last = database.prepare("SELECT seq, hash FROM events WHERE stream = ? ORDER BY seq DESC").get(stream);
    const row = {
      stream,
      seq: Number(last?.["seq"]) + 1,
      type,
      v: 1,
      at_ms: 1,
      actor: "worker:w",
      body: canonical(content),
      prev_hash: String(last?.["hash"]),
    };
    const hash = sha256(canonical(row));
    database
      .prepare(
        "INSERT INTO events (stream, seq, type, v, at_ms, actor, body, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      )
      .run(...Object.values(row), hash);
    database
      .prepare("INSERT INTO log_leaves (position, stream, seq, hash) SELECT MAX(position) + 1, ?, ?, ? FROM log_leaves")
      .run(stream, row.seq, hash);
    database.prepare("UPDATE stream_heads SET seq = ?, hash = ? WHERE stream = ?").run(row.seq, hash, stream);
  });
}

const appendAgain = (type: string): void => appendEvent(taskStream(), type, { ...body(type), run: 2 });

function exchangePlaces(): void {
  withDatabase((database) => {
    const [a, b] = database
      .prepare("SELECT position FROM log_leaves WHERE stream = ? ORDER BY position LIMIT 2 OFFSET 4")
      .all(taskStream())
      .map((row) => Number(row["position"]));
    const move = database.prepare("UPDATE log_leaves SET position = ? WHERE position = ?");
    move.run(1_000_000, a ?? 0);
    move.run(a ?? 0, b ?? 0);
    move.run(b ?? 0, 1_000_000);
  });
}

function removeObject(choose: (body: Body) => string): void {
  const id = choose(
    withDatabase(
      (database) =>
        JSON.parse(
          String(
            database
              .prepare(
                "SELECT body FROM events WHERE stream = ? AND type = 'STEP_COMPLETED' AND json_extract(body, '$.step') = ?",
              )
              .get(taskStream(), steps.added)?.["body"],
          ),
        ) as Body,
    ),
  );
  const gitDir = join(places.home, "workspaces", task, "git", "app.git");
  if (line(git(gitDir, ["cat-file", "-t", id])) === "") throw new Error(`there is no ${id}`);
  unlinkSync(join(gitDir, "objects", id.slice(0, 2), id.slice(2)));
}

const only = (path: string): string =>
  readdirSync(path).filter((name) => statSync(join(path, name)).isDirectory())[0] ?? "";
