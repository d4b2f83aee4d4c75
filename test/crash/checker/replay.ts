import { type Body, canonical, type Database, type Event, type Row } from "./journal.ts";
import type { Report } from "./report.ts";
import { sha256 } from "./repository.ts";

/** As much of a task as its events give and the product says again in its tables. */
export interface State {
  readonly id: string;
  seq: number;
  status: string;
  phase: string;
  attempt: number;
  epoch: number;
  reason: string | null;
  exitReason: string | null;
  project: string | null;
  session: string;
  createdBy: string;
  createdAtMs: number;
  updatedAtMs: number;
  spec: string | null;
  plan: string | null;
  approved: string | null;
  open: { step: string; run: number; seq: number; body: Body } | null;
  trees: Record<string, string>;
  base: Record<string, string>;
  items: Record<string, string>;
  candidate: Record<string, Body> | null;
  verdicts: Record<string, { verdict: string; tree: string }>;
  delivered: Record<string, Body> | null;
  steps: { step: string; run: number; startedSeq: number; status: string; endedSeq: number | null }[];
}

export function replay(id: string, events: readonly Event[]): State {
  const state: State = {
    id,
    seq: 0,
    status: "draft",
    phase: "intent",
    attempt: 1,
    epoch: 0,
    reason: null,
    exitReason: null,
    project: null,
    session: "",
    createdBy: "",
    createdAtMs: 0,
    updatedAtMs: 0,
    spec: null,
    plan: null,
    approved: null,
    open: null,
    trees: {},
    base: {},
    items: {},
    candidate: null,
    verdicts: {},
    delivered: null,
    steps: [],
  };
  for (const event of events) {
    apply(state, event);
    state.seq = event.seq;
    state.updatedAtMs = event.atMs;
  }
  return state;
}

function apply(state: State, { seq, type, body, atMs }: Event): void {
  const become = (status: string): void => {
    state.status = status;
    state.reason = null;
    state.exitReason = null;
  };
  const end = (status: string): void => {
    const row = state.steps.findLast(
      (one) => one.endedSeq === null && one.step === body["step"] && one.run === body["run"],
    );
    if (row !== undefined) Object.assign(row, { status, endedSeq: seq });
    state.open = null;
  };
  switch (type) {
    case "CREATED":
      Object.assign(state, { session: body["session"], createdBy: body["createdBy"], createdAtMs: atMs });
      return;
    case "SPEC_FROZEN":
      state.spec = body["hash"];
      return;
    case "BOUND":
      state.project = body["project"];
      return;
    case "QUEUED":
      become("queued");
      return;
    case "CLAIMED":
      become("running");
      state.epoch = body["epoch"];
      return;
    case "PHASE_ENTERED":
      state.phase = body["phase"];
      return;
    case "BASES_PINNED":
      state.trees = { ...body["trees"] };
      state.base = { ...body["trees"] };
      return;
    case "PLAN_PROPOSED":
      become("awaiting_approval");
      state.plan = body["hash"];
      state.approved = null;
      state.items = Object.fromEntries(body["items"].map((item: Body) => [item["id"], "pending"]));
      return;
    case "PLAN_APPROVED":
      state.approved = body["plan"];
      return;
    case "CHANGES_REQUESTED":
      // Another plan begins at the base, as another attempt.
      Object.assign(state, {
        approved: null,
        phase: "planning",
        candidate: null,
        verdicts: {},
        trees: { ...state.base },
      });
      state.attempt += 1;
      return;
    case "WORK_ITEM_PROPOSED":
      become("awaiting_approval");
      return;
    case "WORK_ITEM_STARTED":
    case "WORK_ITEM_COMPLETED":
    case "WORK_ITEM_FAILED":
      state.items[body["item"]] = ITEM_AFTER[type];
      return;
    case "STEP_STARTED":
      state.open = { step: body["step"], run: body["run"], seq, body };
      state.steps.push({ step: body["step"], run: body["run"], startedSeq: seq, status: "open", endedSeq: null });
      return;
    case "STEP_COMPLETED":
      end("completed");
      return;
    case "STEP_FAILED":
      end("failed");
      return;
    case "STEP_LOST":
      end("lost");
      return;
    case "CHECKPOINTED":
      Object.assign(state.trees, body["trees"]);
      return;
    case "CANDIDATE_MADE":
      state.candidate = body["repos"];
      state.verdicts = {};
      return;
    case "GATE_PASSED":
    case "GATE_FAILED":
    case "GATE_UNPROVEN":
      if (body["on"] === "candidate") state.verdicts[body["gate"]] = { verdict: VERDICT[type], tree: body["tree"] };
      return;
    case "RETRIED":
      state.attempt = body["attempt"];
      if (body["restart"] === true) state.trees = { ...state.base };
      state.candidate = null;
      state.verdicts = {};
      for (const item of Object.keys(state.items)) state.items[item] = "pending";
      return;
    case "BLOCKED":
      become("blocked");
      state.reason = body["reason"];
      return;
    case "COMPLETED":
    case "FAILED":
    case "CANCELED":
      become(ENDED[type]);
      state.exitReason = body["exitReason"];
      return;
    case "DELIVERED":
      state.delivered = { ...state.delivered, ...body["repos"] };
      return;
    default:
      return;
  }
}

const ITEM_AFTER = {
  WORK_ITEM_STARTED: "running",
  WORK_ITEM_COMPLETED: "completed",
  WORK_ITEM_FAILED: "failed",
} as const;
const VERDICT = { GATE_PASSED: "pass", GATE_FAILED: "fail", GATE_UNPROVEN: "unproven" } as const;
const ENDED = { COMPLETED: "succeeded", FAILED: "failed", CANCELED: "canceled" } as const;

/** What the product's tables say of a task, against what its events say. */
export function compareWithTables(database: Database, state: State, { found, counted }: Report): void {
  const where = `task/${state.id} ${state.seq}`;
  const same = (what: string, told: unknown, replayed: unknown): void => {
    counted("replayed facts");
    if (canonical(told ?? null) !== canonical(replayed ?? null))
      found(
        "replay",
        where,
        `${what} is ${canonical(told ?? null)} in the tables, ${canonical(replayed ?? null)} by its events`,
      );
  };
  const [row] = database.rows("SELECT * FROM tasks WHERE id = ?", state.id);
  if (row === undefined) {
    found("replay", where, "has no row in tasks");
    return;
  }
  for (const [column, value] of Object.entries({
    seq: state.seq,
    status: state.status,
    phase: state.phase,
    attempt: state.attempt,
    block_reason: state.reason,
    exit_reason: state.exitReason,
    project_id: state.project,
    session: state.session,
    created_by: state.createdBy,
    created_at_ms: state.createdAtMs,
    updated_at_ms: state.updatedAtMs,
  }))
    same(`tasks.${column}`, row[column], value);
  const [lasting] = database.rows("SELECT state FROM lasting_facts WHERE task = ?", state.id);
  const told = { ...JSON.parse(String(lasting?.["state"] ?? "{}")), ...JSON.parse(String(row["state"])) } as Body;
  same("status", told["status"], state.status);
  same("phase", told["phase"], state.phase);
  same("attempt", told["attempt"], state.attempt);
  same("epoch", told["epoch"], state.epoch);
  same("spec", told["spec"]?.hash, state.spec);
  same("plan", told["plan"]?.hash, state.plan);
  same("approval", told["approval"]?.plan, state.approved);
  same(
    "open step",
    told["openStep"] && [told["openStep"].step, told["openStep"].run],
    state.open && [state.open.step, state.open.run],
  );
  same("trees", told["trees"], state.trees);
  same(
    "items",
    Object.fromEntries(Object.entries(told["items"] as Record<string, Body>).map(([id, item]) => [id, item["status"]])),
    state.items,
  );
  same("candidate", told["candidate"], state.candidate);
  same(
    "verdicts",
    Object.fromEntries(
      Object.entries(told["verdicts"] as Record<string, Body>).map(([id, one]) => [
        id,
        { verdict: one["verdict"], tree: one["tree"] },
      ]),
    ),
    state.verdicts,
  );
  same("delivered", told["delivered"], state.delivered);
  same(
    "steps",
    database
      .rows(
        `SELECT step, run, started_seq, status, ended_seq FROM ended_steps WHERE task = ?1
         UNION ALL SELECT step, run, started_seq, 'open', NULL FROM open_steps WHERE task = ?1 ORDER BY started_seq`,
        state.id,
      )
      .map(plain),
    state.steps.map(({ step, run, startedSeq, status, endedSeq }) => ({
      step,
      run,
      started_seq: startedSeq,
      status,
      ended_seq: endedSeq,
    })),
  );
  compareTexts(database, state.id, found);
}

const plain = (row: Row): Body => ({ ...row });

function compareTexts(database: Database, id: string, found: Report["found"]): void {
  for (const [table, type] of [
    ["specs", "SPEC_FROZEN"],
    ["plans", "PLAN_PROPOSED"],
  ] as const) {
    const kept = new Map(
      database.rows(`SELECT seq, hash, text FROM ${table} WHERE task = ?`, id).map((row) => [Number(row["seq"]), row]),
    );
    for (const event of database.rows(
      "SELECT seq, body FROM events WHERE stream = ? AND type = ?",
      `task/${id}`,
      type,
    )) {
      const row = kept.get(Number(event["seq"]));
      const hash = (JSON.parse(String(event["body"])) as Body)["hash"];
      if (row === undefined) found("replay", `task/${id} ${event["seq"]}`, `has no row in ${table}`);
      else if (row["hash"] !== hash || sha256(String(row["text"])) !== hash)
        found("replay", `task/${id} ${event["seq"]}`, `the text in ${table} does not have the hash ${hash}`);
      kept.delete(Number(event["seq"]));
    }
    for (const seq of kept.keys()) found("replay", `task/${id} ${seq}`, `${table} has a row that no event explains`);
  }
}
