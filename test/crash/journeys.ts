import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MEET_INSIDE, WITNESS_INSIDE } from "./boundaries.ts";
import type { Journey, Move, Seen } from "./driver.ts";

export const WITNESS = `echo "$AGENTOS_TASK $AGENTOS_STEP $AGENTOS_RUN" >> ${WITNESS_INSIDE}`;
const MEET = `m=${MEET_INSIDE}/$AGENTOS_TASK.$AGENTOS_STEP.$AGENTOS_RUN; : > $m.in; read -r go < $m.go`;

/** Red while a.txt does not say two. */
const CHECK = `${WITNESS}
echo TAP version 13
echo 1..1
if grep -q two a.txt; then echo "ok 1 - a.txt says two"; else echo "not ok 1 - a.txt says two"; exit 1; fi
`;

export const GATE = { id: "check", run: "sh check.sh", report: "tap", definition: ["check.sh"] };
const PREPARE = {
  run: `${WITNESS}; mkdir -p node_modules/dep && echo dep > node_modules/dep/index.js`,
  inputs: ["package-lock.json"],
  outputs: ["node_modules"],
};
const SAY_TWO = { id: "say", title: "Say two", do: [{ write: "a.txt", content: "two\n" }] };

const spec = (more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  agent: "script",
  run_mode: "autonomous",
  gates: [GATE],
  attempts: 1,
  ...more,
});

/** Every kind of step the script agent has, and a delivery. */
export const whole: Journey = {
  name: "whole",
  makeRepository,
  spec: spec({
    prepare: [PREPARE],
    plan: {
      explore: [{ run: `${WITNESS}; ls` }],
      items: [
        {
          id: "edit",
          title: "Edit",
          do: [
            { replace: "a.txt", find: "one", with: "two" },
            { write: "bin/new", content: "new\n", executable: true },
            { remove: "gone.txt" },
          ],
        },
        {
          id: "run",
          title: "Run",
          depends_on: ["edit"],
          do: [
            {
              run: `${WITNESS}; cat node_modules/dep/index.js > made.txt; mkdir empty; ${MEET}; echo more >> made.txt`,
            },
          ],
        },
      ],
    },
  }),
  next: (seen) => (seen.middle ? { do: "release" } : seen.status === "succeeded" ? deliver(seen) : over(seen)),
};

/** A task that only runs a command; whoever is killed in it three times in a row waits for a person. */
export const looping: Journey = {
  name: "looping",
  makeRepository,
  spec: spec({ plan: { items: [{ ...SAY_TWO, do: [{ run: `${WITNESS}; echo two > a.txt; ${MEET}` }] }] } }),
  next: (seen) =>
    seen.middle
      ? { do: "release" }
      : seen.status === "blocked"
        ? { do: "write", name: `resume ${seen.count("BLOCKED")}`, path: "resume", body: {} }
        : over(seen),
};

/** One edit, and its delivery. */
export const delivered: Journey = {
  name: "delivered",
  makeRepository,
  spec: spec({ plan: { items: [SAY_TWO] } }),
  next: (seen) => (seen.status === "succeeded" ? deliver(seen) : over(seen)),
};

/** Three repositories as one: proven side by side, and to be delivered to all or none. */
export const together: Journey = {
  name: "together",
  beside: ["lib", "tools"],
  makeRepository,
  spec: spec({
    gates: [
      {
        id: "check",
        repo: "app",
        beside: ["lib", "tools"],
        run: `${WITNESS}; cd $AGENTOS_REPOS && grep -qx two app/a.txt lib/a.txt tools/a.txt`,
      },
    ],
    plan: {
      items: [
        {
          ...SAY_TWO,
          repo: "app",
          do: [{ run: `${WITNESS}; for one in app lib tools; do echo two > /workspace/$one/a.txt; done` }],
        },
      ],
    },
  }),
  next: (seen) => over(seen),
};

/** The branch moved on: the merge is built, and proven by the same gate, before it is delivered. */
export const merged: Journey = {
  name: "merged",
  makeRepository,
  spec: spec({ plan: { items: [SAY_TWO] } }),
  next: (seen) => (seen.status === "succeeded" ? deliver(seen) : over(seen)),
  beforeDelivery: (repository) => {
    writeFileSync(join(repository, "theirs.txt"), "theirs\n");
    git(repository, "add", "theirs.txt");
    git(repository, "commit", "-q", "-m", "theirs", "--no-verify");
  },
};

/** A command that may reach outside: after a crash in it a person says what became of it. */
export const outside = (outcome: "done" | "redo" | "abort"): Journey => ({
  name: `outside, ${outcome}`,
  makeRepository,
  spec: spec({
    plan: {
      items: [
        {
          id: "go",
          title: "Go outside",
          do: [
            { write: "a.txt", content: "two\n" },
            { run: `${WITNESS}; ${MEET}`, network: ["host.example:443"] },
          ],
        },
      ],
    },
  }),
  next: (seen) => {
    if (seen.middle) return { do: "release" };
    if (
      seen.status === "blocked" &&
      seen.events.findLast(({ type }) => type === "BLOCKED")?.body["reason"] === "outcome_unknown"
    )
      return {
        do: "write",
        name: `resume ${seen.count("BLOCKED")}`,
        path: "resume",
        body: { outcome, reason: "looked outside" },
      };
    return over(seen);
  },
});

/** Canceled while its command runs. */
export const canceled: Journey = {
  name: "canceled",
  makeRepository,
  spec: spec({
    plan: { items: [{ ...SAY_TWO, do: [...SAY_TWO.do, { run: `${WITNESS}; echo half > half.txt; ${MEET}` }] }] },
  }),
  next: (seen) =>
    seen.middle && seen.count("CANCEL_REQUESTED") === 0 && !seen.done("cancel")
      ? { do: "write", name: "cancel", path: "cancel", body: { reason: "not wanted any more" } }
      : over(seen),
};

/** Paused while its command runs, and resumed. */
export const paused: Journey = {
  name: "paused",
  makeRepository,
  spec: spec({
    plan: {
      items: [
        {
          ...SAY_TWO,
          do: [...SAY_TWO.do, { run: `${WITNESS}; ${MEET}` }, { run: `${WITNESS}; echo after > after.txt` }],
        },
      ],
    },
  }),
  next: (seen) => {
    if (seen.middle)
      return seen.count("PAUSE_REQUESTED") === 0 && !seen.done("pause")
        ? { do: "write", name: "pause", path: "pause", body: {} }
        : { do: "release" };
    if (seen.status === "blocked")
      return { do: "write", name: `resume ${seen.count("BLOCKED")}`, path: "resume", body: {} };
    return over(seen);
  },
};

/** The daemon is stopped in good order while a command runs, and started again. */
export const stopped: Journey = {
  name: "stopped",
  makeRepository,
  spec: spec({
    plan: { items: [{ ...SAY_TWO, do: [...SAY_TWO.do, { run: `${WITNESS}; echo half > half.txt; ${MEET}` }] }] },
  }),
  next: (seen) => (seen.middle ? { do: seen.stops === 0 ? "stop" : "release" } : over(seen)),
};

/** A person is asked before the plan and before each item, and wants the plan changed first. */
export const interactive: Journey = {
  name: "interactive",
  makeRepository,
  spec: spec({ run_mode: "interactive", plan: { items: [SAY_TWO] } }),
  next: (seen) => {
    if (seen.status !== "awaiting_approval") return over(seen);
    if (seen.count("CHANGES_REQUESTED") === 0)
      return { do: "write", name: "request changes", path: "request-changes", body: { request: "Say it louder." } };
    const proposed = seen.events.findLast(({ type }) => type === "PLAN_PROPOSED" || type === "WORK_ITEM_PROPOSED");
    const plan = seen.events.findLast(({ type }) => type === "PLAN_PROPOSED")?.body["hash"];
    const item = proposed?.type === "WORK_ITEM_PROPOSED" ? { item: proposed.body["item"] } : {};
    return { do: "write", name: `approve ${proposed?.seq}`, path: "approve", body: { plan, ...item, reason: "good" } };
  },
};

/** The first attempt does not get there; the second is told why. */
export const retried: Journey = {
  name: "retried",
  makeRepository,
  spec: spec({
    attempts: 2,
    plan: {
      items: [
        {
          id: "say",
          title: "Say two, told why",
          do: [{ run: `${WITNESS}; if [ -n "$AGENTOS_FAILURE" ]; then echo two > a.txt; else echo three > a.txt; fi` }],
        },
      ],
    },
  }),
  next: (seen) => over(seen),
};

/** No agent at work: the gates are run, and a report is written. */
export const gatesOnly: Journey = {
  name: "gates",
  makeRepository: (path) => {
    makeRepository(path);
    writeFileSync(join(path, "a.txt"), "two\n");
    git(path, "commit", "-q", "-a", "-m", "two", "--no-verify");
  },
  spec: { ...spec({}), agent: "gates" },
  next: (seen) => over(seen),
};

const ENDED: readonly string[] = ["succeeded", "failed", "canceled"];
export const over = (seen: Seen): Move => ({ do: ENDED.includes(seen.status) ? "over" : "wait" });
export const deliver = (seen: Seen): Move =>
  seen.done("deliver") ? { do: "over" } : { do: "write", name: "deliver", path: "deliver", body: { way: "merge" } };

/** A small repository with everything in it that a careless program would touch: hooks, a stash, a tag, files git does not know. */
function makeRepository(path: string): void {
  const template = join(dirname(dirname(path)), "template");
  if (!existsSync(template)) makeTemplate(template);
  cpSync(template, path, { recursive: true });
}

function makeTemplate(path: string): void {
  mkdirSync(path);
  git(path, "init", "-q", "-b", "main");
  for (const [name, text] of Object.entries({
    "a.txt": "one\n",
    "gone.txt": "gone\n",
    "check.sh": CHECK,
    "package-lock.json": "{}\n",
    ".gitignore": "node_modules\n*.log\n",
  }))
    writeFileSync(join(path, name), text);
  git(path, "add", "-A");
  git(path, "commit", "-q", "-m", "base");
  git(path, "tag", "v1");
  writeFileSync(join(path, "gone.txt"), "stashed\n");
  git(path, "stash", "-q");
  writeFileSync(join(path, "notes.txt"), "mine\n");
  writeFileSync(join(path, "mine.log"), "ignored\n");
  mkdirSync(join(path, ".git", "hooks"), { recursive: true });
  for (const hook of ["reference-transaction", "post-checkout", "post-merge", "post-commit", "pre-commit"]) {
    writeFileSync(join(path, ".git", "hooks", hook), `#!/bin/sh\n: > "${"$"}{GIT_DIR:-.git}/HOOK-RAN-${hook}"\n`);
    chmodSync(join(path, ".git", "hooks", hook), 0o755);
  }
}

/** As the person: their git, without anybody's settings. */
function git(directory: string, ...args: readonly string[]): void {
  execFileSync("git", ["-c", "core.hooksPath=/dev/null", ...args], {
    cwd: directory,
    env: {
      PATH: "/usr/bin:/bin",
      GIT_CONFIG_NOSYSTEM: "1",
      HOME: directory,
      GIT_AUTHOR_NAME: "Casey",
      GIT_AUTHOR_EMAIL: "casey@example.com",
      GIT_COMMITTER_NAME: "Casey",
      GIT_COMMITTER_EMAIL: "casey@example.com",
    },
  });
}
