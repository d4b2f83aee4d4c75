import { unhidden } from "../../src/contract/hidden-text.ts";
import type { EventView, HealthView, TaskListView } from "../../src/contract/views.ts";

/**
 * What the page reads from the API, and the guards that make it so. The fields' names are checked against the contract
 * when this compiles. The daemon and this page can be of different
 * versions for a moment (a tab left open over an update), so an unknown or missing field degrades to null or to the
 * raw word; only an answer that is not what was asked for at all throws.
 */

export interface Waiting {
  readonly reason: string;
  readonly sentence: string;
  readonly next: string | null;
}

export interface Task {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly phase: string | null;
  readonly project: { readonly id: string; readonly name: string } | null;
  readonly waiting: Waiting | null;
  readonly exitReason: string | null;
  readonly createdBy: string | null;
  /** Milliseconds since 1970; null when the daemon's text is not a time. */
  readonly createdAt: number | null;
  readonly updatedAt: number | null;
}

export interface TaskEvent {
  readonly seq: number;
  readonly type: string;
  readonly at: number | null;
  readonly actor: string | null;
  readonly sentence: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** Statuses in which a task waits for a person. */
export const NEEDS_PERSON = ["awaiting_approval", "blocked"] as const satisfies readonly WireTask["status"][];

const ENDED = ["succeeded", "failed", "canceled"] as const satisfies readonly WireTask["status"][];
export const hasEnded = (task: Task): boolean => ENDED.some((status) => status === task.status);

/** @throws Error when the value is not `{ items: [...] }`. */
export function readPage<Item>(value: unknown, readItem: (value: unknown) => Item | null): Page<Item> {
  if (!isSome<Page<Item>>(value) || !Array.isArray(value.items))
    throw new Error("The daemon answered with something that is no list.");
  const next = typeof value.next === "number" ? String(value.next) : text(value.next);
  return { items: value.items.map(readItem).filter((item) => item !== null), next };
}

/** A task, or null when the value has no id: without one nothing can be shown or followed. */
export function readTask(value: unknown): Task | null {
  if (!isSome<WireTask>(value)) return null;
  const id = text(value.id);
  if (id === null) return null;
  return {
    id,
    title: text(value.title) ?? "(no title)",
    status: text(value.status) ?? "unknown",
    phase: text(value.phase),
    project: readProject(value.project),
    waiting: readWaiting(value.waiting),
    exitReason: text(value.exit_reason),
    createdBy: readActor(value.created_by),
    createdAt: time(value.created_at),
    updatedAt: time(value.updated_at),
  };
}

export function readEvent(value: unknown): TaskEvent | null {
  if (!isSome<EventView>(value) || typeof value.seq !== "number") return null;
  const type = text(value.type) ?? "unknown";
  return {
    seq: value.seq,
    type,
    at: time(value.at),
    actor: readActor(value.actor),
    sentence: text(value.sentence) ?? words(type),
  };
}

export interface Paused {
  readonly by: string | null;
  readonly reason: string | null;
}

/** What `/api/health` says of a pause of everything; null when it says of none. */
export function readPaused(value: unknown): Paused | null {
  if (!isSome<HealthView>(value) || !isSome<NonNullable<HealthView["paused"]>>(value.paused)) return null;
  return { by: readActor(value.paused.by), reason: text(value.paused.reason) };
}

/** `detail` and `next` of an RFC 9457 problem as one text; null when the value is none. */
export function readProblem(value: unknown): string | null {
  if (!isSome<{ detail: string; title: string; next: string }>(value)) return null;
  const detail = text(value.detail) ?? text(value.title);
  const next = text(value.next);
  return detail === null ? null : [detail, next].filter((part) => part !== null).join(" ");
}

/** `awaiting_approval` as a person reads it. */
export const words = (name: string): string => name.replaceAll("_", " ").toLowerCase();

function readProject(value: unknown): Task["project"] {
  if (!isSome<NonNullable<WireTask["project"]>>(value)) return null;
  const id = text(value.id);
  return id === null ? null : { id, name: text(value.name) ?? id };
}

function readWaiting(value: unknown): Waiting | null {
  if (!isSome<NonNullable<WireTask["waiting"]>>(value)) return null;
  const reason = text(value.reason) ?? "unknown";
  return { reason, sentence: text(value.sentence) ?? words(reason), next: text(value.next) };
}

/** An actor is `kind:name`. People are told by name alone. */
function readActor(value: unknown): string | null {
  const [, kind, name] = /^(?:([a-z]+):)?(.*)$/.exec(text(value) ?? "") ?? [];
  if (name === undefined || name === "") return kind ?? null;
  return kind === undefined || kind === "person" ? name : `${kind} ${name}`;
}

type WireTask = TaskListView["items"][number];

/** An object whose fields are looked up by the names of `View`; that it is one is not proven by that. */
const isSome = <View>(value: unknown): value is { readonly [Field in keyof View]?: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whoever wrote it, it is shown as what it is: nothing in it is invisible or runs the other way. */
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? unhidden(value) : null);

function time(value: unknown): number | null {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}
