import { type Actor, actorFrom, actorText } from "../../domain/actor.ts";
import { type JournalRow, rowHash } from "../../domain/chain.ts";
import type { AnyEvent, Happened, ProjectEvent, ProviderEvent, Recorded, TaskEvent } from "../../domain/event.ts";
import type { Seal } from "../../domain/seal.ts";
import type { StreamKind } from "../../domain/stream.ts";
import { integerOf, type Row, textOf } from "./database.ts";

/** An event in the form it is hashed in, lacking only its place in a stream. */
export interface SealedEvent {
  readonly type: AnyEvent["type"];
  readonly v: number;
  readonly atMs: number;
  readonly actor: string;
  readonly body: string;
}

/** Throws on a body without canonical form: then nothing of it may be stored. */
export function sealEvent(seal: Seal, { event, atMs, actor }: Happened): SealedEvent {
  return {
    type: event.type,
    v: formatOf(event.type).upcasts.length + 1,
    atMs,
    actor: actorText(actor),
    body: seal(event.body).text,
  };
}

export function placed(seal: Seal, event: SealedEvent, stream: string, seq: number, prevHash: string): JournalRow {
  const row = { stream, seq, ...event, prevHash };
  return { ...row, hash: rowHash(seal, row) };
}

/** The event a row holds, in today's format. Throws on a type or version nobody wrote: such a row is not ours. */
export function recordedFrom(row: Omit<JournalRow, "prevHash" | "hash">): Recorded {
  const format = formatOf(row.type);
  if (row.v > format.upcasts.length + 1)
    throw new Error(`${row.stream} ${row.seq}: ${row.type} has the unknown format ${row.v}`);
  const stored: unknown = JSON.parse(row.body);
  if (typeof stored !== "object" || stored === null || Array.isArray(stored))
    throw new Error(`${row.stream} ${row.seq}: the body of ${row.type} is not an object`);
  const body = format.upcasts.slice(row.v - 1).reduce((older, upcast) => upcast(older), stored);
  // The body was typed when it was sealed and its hash stands in the chain; parsing it once more would only slow the fold.
  return {
    seq: row.seq,
    atMs: row.atMs,
    actor: actorFrom(row.actor) satisfies Actor,
    event: { type: row.type, body } as AnyEvent,
  };
}

export const journalRowFrom = (row: Row): JournalRow => ({
  stream: textOf(row, "stream"),
  seq: integerOf(row, "seq"),
  type: textOf(row, "type"),
  v: integerOf(row, "v"),
  atMs: integerOf(row, "at_ms"),
  actor: textOf(row, "actor"),
  body: textOf(row, "body"),
  prevHash: textOf(row, "prev_hash"),
  hash: textOf(row, "hash"),
});

export const JOURNAL_COLUMNS = "stream, seq, type, v, at_ms, actor, body, prev_hash, hash";

export const isTaskEvent = (recorded: Recorded): recorded is Recorded<TaskEvent> =>
  formatOf(recorded.event.type).of === "task";
export const isProjectEvent = (recorded: Recorded): recorded is Recorded<ProjectEvent> =>
  formatOf(recorded.event.type).of === "project";

export const isProviderEvent = (recorded: Recorded): recorded is Recorded<ProviderEvent> =>
  formatOf(recorded.event.type).of === "provider";

/** In which kind of stream this type of event stands. */
export const streamKindOf = (type: string): StreamKind => formatOf(type).of;

/** From one format of a body to the next. Pure; written once and kept for as long as journals with the old format exist. */
type Upcast = (body: object) => object;

interface Format {
  readonly of: StreamKind;
  /** `upcasts[n - 1]` makes format n + 1 of format n; today's format is one more than there are upcasts. */
  readonly upcasts: readonly Upcast[];
}

const task: Format = { of: "task", upcasts: [] };
/** A gate's verdict was about one repo until others could stand beside it. */
const verdict: Format = { of: "task", upcasts: [(body) => ({ beside: {}, ...body })] };
const project: Format = { of: "project", upcasts: [] };
/** Format 1 knew no limit on the tasks of a project. */
const projectSettings: Format = {
  of: "project",
  upcasts: [
    (body) => ({ ...body, settings: { ...("settings" in body ? (body.settings as object) : {}), tasksMax: null } }),
  ],
};
const provider: Format = { of: "provider", upcasts: [] };
const system: Format = { of: "system", upcasts: [] };
const policy: Format = { of: "policy", upcasts: [] };
const chat: Format = { of: "chat", upcasts: [] };

const FORMATS = {
  CREATED: task,
  SPEC_REVISED: task,
  SPEC_FROZEN: task,
  BOUND: task,
  READY: task,
  QUEUED: task,
  PRIORITIZED: task,
  CLAIMED: task,
  DEPENDENCY_ADDED: task,
  DEPENDENCY_REMOVED: task,
  INPUTS_PINNED: task,
  FORKED: task,
  SUPERSEDED: task,
  PHASE_ENTERED: task,
  BASES_PINNED: task,
  PLAN_PROPOSED: task,
  PLAN_APPROVED: task,
  PLAN_REJECTED: task,
  CHANGES_REQUESTED: task,
  WORK_ITEM_PROPOSED: task,
  WORK_ITEM_APPROVED: task,
  WORK_ITEM_STARTED: task,
  WORK_ITEM_COMPLETED: task,
  WORK_ITEM_FAILED: task,
  STEP_STARTED: task,
  STEP_COMPLETED: task,
  STEP_FAILED: task,
  STEP_WARNED: task,
  TURN_ACTED: task,
  STEP_LOST: task,
  CHECKPOINTED: task,
  CANDIDATE_MADE: task,
  CANDIDATE_INSPECTED: task,
  FINDINGS_ACCEPTED: task,
  GATE_PASSED: verdict,
  GATE_FAILED: verdict,
  GATE_UNPROVEN: verdict,
  REVIEWED: task,
  RETRIED: task,
  TIME_WARNED: task,
  TIME_GRANTED: task,
  BUDGET_GRANTED: task,
  RUN_MODE_CHANGED: task,
  ASKED: task,
  ANSWERED: task,
  PAUSE_REQUESTED: task,
  CANCEL_REQUESTED: task,
  BLOCKED: task,
  RESUMED: task,
  OUTCOME_SETTLED: task,
  ARTIFACT_STORED: task,
  DENIED: task,
  ACCEPTED_UNPROVEN: task,
  COMPLETED: task,
  FAILED: task,
  CANCELED: task,
  DELIVERY_TURNED_BACK: task,
  DELIVERY_TORN: task,
  DELIVERED: task,
  PROJECT_CREATED: projectSettings,
  PROJECT_CHANGED: projectSettings,
  PROJECT_DELETED: project,
  PROJECT_PAUSED: project,
  PROJECT_RESUMED: project,
  REPO_ADDED: project,
  REPO_CHANGED: project,
  NOTE_PROPOSED: project,
  NOTE_APPROVED: project,
  NOTE_RETIRED: project,
  PROVIDER_ADDED: provider,
  PROVIDER_CHANGED: provider,
  PROVIDER_REMOVED: provider,
  PROVIDER_STARTED: provider,
  PROVIDER_STOPPED: provider,
  PROVIDER_STATUS_CHANGED: provider,
  PROVIDER_PROBED: provider,
  PROVIDER_KEY_STORED: provider,
  PROVIDER_KEY_FORGOTTEN: provider,
  STORE_CREATED: system,
  DAEMON_STARTED: system,
  DAEMON_STOPPED: system,
  SYSTEM_PAUSED: system,
  SYSTEM_RESUMED: system,
  SPACE_RECLAIMED: system,
  MODEL_POLICY_SET: policy,
  CHAT_MESSAGE: chat,
  CHAT_CALLED: chat,
  CHAT_DRAFTED: chat,
  CHAT_FAILED: chat,
  POLICY_SET: policy,
} as const satisfies Readonly<Record<AnyEvent["type"], Format>>;

const isType = (type: string): type is AnyEvent["type"] => Object.hasOwn(FORMATS, type);

function formatOf(type: string): Format {
  if (!isType(type)) throw new Error(`no event is called ${type}`);
  return FORMATS[type];
}
