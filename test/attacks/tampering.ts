import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type BetterSqlite3 from "better-sqlite3";
import { sha256Hex } from "../../src/adapters/store/seal.ts";
import { rowsAgain } from "./journal-rows.ts";

/*
 * What somebody with the data directory in hand can do to the frozen spec of a task, its plan, its approval and where it stands, while
 * the daemon is down: with the guards of the database taken away, and put back afterwards so that nobody sees it.
 */

export interface Target {
  readonly id: string;
  /** Another task, whose rows and approvals may be put in place. */
  readonly other: string;
  /** Whether a person has said yes; the others have no yes, and want to run all the same. */
  readonly approved: boolean;
  /** Whether its spec is so large that its content lies in a file. */
  readonly large: boolean;
}

/** Numbers from 0 to below `most`, the same ones for the same seed. */
export type Dice = (most: number) => number;

/** mulberry32. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return (most) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * most);
  };
}

interface Hand {
  readonly sql: BetterSqlite3.Database;
  readonly home: string;
  readonly target: Target;
  readonly dice: Dice;
  /** Told how a file gets back what it said; the database is put back as a whole. */
  readonly undo: (back: () => void) => void;
}

type Row = Readonly<Record<string, string | number>>;

const one = ({ sql }: Hand, text: string, ...params: readonly (string | number)[]): Row => {
  const row = sql.prepare(text).get(...params) as Row | undefined;
  if (row === undefined) throw new Error(`no row for ${text}`);
  return row;
};

const text = (row: Row, column: string): string => String(row[column]);

const specOf = (hand: Hand, id = hand.target.id): Row => one(hand, "SELECT * FROM specs WHERE task = ?", id);
const planOf = (hand: Hand, id = hand.target.id): Row => one(hand, "SELECT * FROM plans WHERE task = ?", id);
const stateOf = (hand: Hand): string =>
  text(one(hand, "SELECT state FROM lasting_facts WHERE task = ?", hand.target.id), "state");
const setState = ({ sql, target }: Hand, state: string): void => {
  sql.prepare("UPDATE lasting_facts SET state = ? WHERE task = ?").run(state, target.id);
};
const eventOf = (hand: Hand, type: string, id = hand.target.id): Row =>
  one(hand, "SELECT * FROM events WHERE stream = ? AND type = ? ORDER BY seq DESC LIMIT 1", `task/${id}`, type);
const setBody = ({ sql, target }: Hand, seq: number, body: string): void => {
  sql.prepare("UPDATE events SET body = ? WHERE stream = ? AND seq = ?").run(body, `task/${target.id}`, seq);
};

/** One character of a text made another one, where that leaves text that can be read: a digit or a letter. */
function altered(original: string, roll: Dice): string {
  const places = [...original.matchAll(/[0-9a-z]/g)].map(({ index }) => index);
  const at = places[roll(places.length)] ?? 0;
  const there = original[at] ?? "";
  const alphabet = /[0-9]/.test(there) ? "123456789" : "abcdefghij";
  const choices = [...alphabet].filter((each) => each !== there);
  return `${original.slice(0, at)}${choices[roll(choices.length)]}${original.slice(at + 1)}`;
}

/** The chain from that event on made right again; `places`: the order of all events too. */
const rechain = ({ sql, target }: Hand, fromSeq: number, places: boolean): void =>
  rowsAgain(sql, `task/${target.id}`, fromSeq, places);

/** The row that says where a task stands, as if it were approved and waited for a worker. */
function forgedYes(hand: Hand): void {
  const { sql, target } = hand;
  const state = JSON.parse(stateOf(hand)) as Record<string, unknown>;
  const plan = state["plan"] as { readonly hash: string } | null;
  const spec = state["spec"] as { readonly hash: string } | null;
  setState(
    hand,
    JSON.stringify({
      ...state,
      status: "queued",
      approval: { plan: plan?.hash ?? "", spec: spec?.hash ?? "", bases: {}, by: "ada" },
    }),
  );
  sql
    .prepare(
      "UPDATE tasks SET status = 'queued', queued_at_ms = 1, exit_reason = NULL, block_reason = NULL WHERE id = ?",
    )
    .run(target.id);
}

function editContent(hand: Hand, digest: string): void {
  const row = one(hand, "SELECT content FROM blobs WHERE digest = ?", digest) as unknown as {
    readonly content: Buffer | null;
  };
  const file = join(hand.home, "blobs", digest.slice(0, 2), digest);
  const bytes = row.content ?? readFileSync(file);
  const changed = Buffer.from(altered(bytes.toString("utf8"), hand.dice));
  if (row.content !== null) hand.sql.prepare("UPDATE blobs SET content = ? WHERE digest = ?").run(changed, digest);
  else {
    writeFileSync(file, changed);
    hand.undo(() => writeFileSync(file, bytes));
  }
}

const digestIn = (hand: Hand, type: string): string =>
  (JSON.parse(text(eventOf(hand, type), "body")) as { readonly text: { readonly digest: string } }).text.digest;

export interface Mutation {
  readonly name: string;
  /** Whether it can be done to this task. */
  readonly fits: (target: Target) => boolean;
  readonly apply: (hand: Hand) => void;
}

const approved = ({ approved: yes }: Target): boolean => yes;

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "the spec's text",
    fits: approved,
    apply: (hand) =>
      hand.sql
        .prepare("UPDATE specs SET text = ? WHERE task = ?")
        .run(altered(text(specOf(hand), "text"), hand.dice), hand.target.id),
  },
  {
    name: "the spec's hash",
    fits: approved,
    apply: (hand) =>
      hand.sql
        .prepare("UPDATE specs SET hash = ? WHERE task = ?")
        .run(altered(text(specOf(hand), "hash"), hand.dice), hand.target.id),
  },
  {
    name: "the spec's text with the hash that belongs to it",
    fits: approved,
    apply: (hand) => {
      const changed = altered(text(specOf(hand), "text"), hand.dice);
      hand.sql
        .prepare("UPDATE specs SET text = ?, hash = ? WHERE task = ?")
        .run(changed, sha256Hex(changed), hand.target.id);
    },
  },
  {
    name: "the spec with its hash, in the task's row as well",
    fits: approved,
    apply: (hand) => {
      const old = specOf(hand);
      const changed = altered(text(old, "text"), hand.dice);
      hand.sql
        .prepare("UPDATE specs SET text = ?, hash = ? WHERE task = ?")
        .run(changed, sha256Hex(changed), hand.target.id);
      setState(hand, stateOf(hand).replaceAll(text(old, "hash"), sha256Hex(changed)));
    },
  },
  {
    name: "another task's spec in its place",
    fits: approved,
    apply: (hand) => {
      const other = specOf(hand, hand.target.other);
      hand.sql
        .prepare("UPDATE specs SET text = ?, hash = ? WHERE task = ?")
        .run(text(other, "text"), text(other, "hash"), hand.target.id);
    },
  },
  {
    name: "another task's spec in its place, in the task's row as well",
    fits: approved,
    apply: (hand) => {
      const old = specOf(hand);
      const other = specOf(hand, hand.target.other);
      hand.sql
        .prepare("UPDATE specs SET text = ?, hash = ? WHERE task = ?")
        .run(text(other, "text"), text(other, "hash"), hand.target.id);
      setState(hand, stateOf(hand).replaceAll(text(old, "hash"), text(other, "hash")));
    },
  },
  {
    name: "no spec",
    fits: approved,
    apply: (hand) => hand.sql.prepare("DELETE FROM specs WHERE task = ?").run(hand.target.id),
  },
  {
    name: "the plan's text",
    fits: approved,
    apply: (hand) =>
      hand.sql
        .prepare("UPDATE plans SET text = ? WHERE task = ?")
        .run(altered(text(planOf(hand), "text"), hand.dice), hand.target.id),
  },
  {
    name: "another task's plan in its place, in the task's row as well",
    fits: approved,
    apply: (hand) => {
      const old = planOf(hand);
      const other = planOf(hand, hand.target.other);
      hand.sql
        .prepare("UPDATE plans SET text = ?, hash = ? WHERE task = ?")
        .run(text(other, "text"), text(other, "hash"), hand.target.id);
      setState(hand, stateOf(hand).replaceAll(text(old, "hash"), text(other, "hash")));
    },
  },
  {
    name: "the event that froze it",
    fits: approved,
    apply: (hand) => {
      const event = eventOf(hand, "SPEC_FROZEN");
      setBody(hand, Number(event["seq"]), altered(text(event, "body"), hand.dice));
    },
  },
  {
    name: "the event that froze it, its chain made right again",
    fits: approved,
    apply: (hand) => {
      const event = eventOf(hand, "SPEC_FROZEN");
      setBody(hand, Number(event["seq"]), altered(text(event, "body"), hand.dice));
      rechain(hand, Number(event["seq"]), false);
    },
  },
  {
    name: "the event that froze it, chain and order made right again",
    fits: approved,
    apply: (hand) => {
      const event = eventOf(hand, "SPEC_FROZEN");
      const old = text(specOf(hand), "hash");
      setBody(hand, Number(event["seq"]), text(event, "body").replace(old, altered(old, hand.dice)));
      rechain(hand, Number(event["seq"]), true);
    },
  },
  {
    name: "another one who approved",
    fits: approved,
    apply: (hand) => {
      const event = eventOf(hand, "PLAN_APPROVED");
      hand.sql
        .prepare("UPDATE events SET actor = 'person:mallory' WHERE stream = ? AND seq = ?")
        .run(`task/${hand.target.id}`, Number(event["seq"]));
    },
  },
  {
    name: "another task's approval in the place of its own",
    fits: approved,
    apply: (hand) => {
      const event = eventOf(hand, "PLAN_APPROVED");
      setBody(hand, Number(event["seq"]), text(eventOf(hand, "PLAN_APPROVED", hand.target.other), "body"));
      if (hand.dice(2) === 0) rechain(hand, Number(event["seq"]), false);
    },
  },
  {
    name: "an event less",
    fits: approved,
    apply: (hand) => {
      const last = one(hand, "SELECT MAX(seq) AS seq FROM events WHERE stream = ?", `task/${hand.target.id}`);
      const seq = 1 + hand.dice(Number(last["seq"]) - 1);
      hand.sql.prepare("DELETE FROM events WHERE stream = ? AND seq = ?").run(`task/${hand.target.id}`, seq);
    },
  },
  {
    name: "another time of an event",
    fits: approved,
    apply: (hand) => {
      const last = one(hand, "SELECT MAX(seq) AS seq FROM events WHERE stream = ?", `task/${hand.target.id}`);
      hand.sql
        .prepare("UPDATE events SET at_ms = at_ms + 1 WHERE stream = ? AND seq = ?")
        .run(`task/${hand.target.id}`, 1 + hand.dice(Number(last["seq"])));
    },
  },
  {
    name: "another place in the order",
    fits: approved,
    apply: (hand) =>
      hand.sql
        .prepare("UPDATE log_leaves SET hash = ? WHERE stream = ? AND seq = 1")
        .run(sha256Hex(String(hand.dice(1_000_000))), `task/${hand.target.id}`),
  },
  {
    name: "a row that says something else",
    fits: approved,
    apply: (hand) => {
      const state = JSON.parse(stateOf(hand)) as Record<string, unknown>;
      const lies: readonly Record<string, unknown>[] = [
        { phase: "verification" },
        { attempt: 7 },
        { denials: 5 },
        { epoch: 0 },
        { items: {} },
        { approval: { ...(state["approval"] as object), by: "mallory" } },
        { approval: { ...(state["approval"] as object), spec: "0".repeat(64) } },
        { verdicts: { tests: { verdict: "pass" } } },
        { finished: { "1.work.1": { input: "0".repeat(64), result: null } } },
        { runs: { "1.work.1": 1 }, openStep: { step: "1.work.1", run: 1 } },
        { inputs: [{ task: hand.target.other }] },
      ];
      setState(hand, JSON.stringify({ ...state, ...lies[hand.dice(lies.length)] }));
    },
  },
  {
    name: "a step that never finished among those that did",
    fits: approved,
    apply: ({ sql, target }) =>
      sql
        .prepare(
          `INSERT INTO ended_steps (task, started_seq, step, run, item, kind, started_at_ms, status, ended_seq, ended_at_ms, finished)
           VALUES (?, 1, '1.work.1', 1, NULL, 'read', 0, 'completed', 1, 0, ?)`,
        )
        .run(target.id, JSON.stringify({ step: "1.work.1", input: "0".repeat(64), seq: 1, result: null })),
  },
  {
    name: "the content of the spec",
    fits: approved,
    apply: (hand) => editContent(hand, digestIn(hand, "SPEC_FROZEN")),
  },
  {
    name: "the content of the plan",
    fits: approved,
    apply: (hand) => editContent(hand, digestIn(hand, "PLAN_PROPOSED")),
  },
  {
    name: "the file of a large spec",
    fits: ({ large }) => large,
    apply: (hand) => {
      const digest = digestIn(hand, "SPEC_FROZEN");
      if (!existsSync(join(hand.home, "blobs", digest.slice(0, 2), digest))) throw new Error("the spec is in no file");
      editContent(hand, digest);
    },
  },
  { name: "a forged yes", fits: ({ approved: yes }) => !yes, apply: forgedYes },
];

export const fitting = (target: Target): readonly Mutation[] => MUTATIONS.filter(({ fits }) => fits(target));
