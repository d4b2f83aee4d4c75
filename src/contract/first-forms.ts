import { PHASES } from "../domain/phase.ts";
import { PRIORITIES } from "../domain/priority.ts";
import { STATUSES } from "../domain/task.ts";
import type { HealthView, TaskListView } from "./first-views.ts";

/*
 * The views that the commonest commands see, read without the schema library: making these schemas and reading by them for the first time
 * takes longer than the daemon's answer. The compiler holds each form against its view's type, first-forms.test.ts against its schema.
 */

/** What a value has to be, and only that of it which is known. Throws `Wrong`. */
type Reads<T> = (value: unknown) => T;

/** What came is not what it has to be: where, and why. */
class Wrong extends Error {
  readonly path: PropertyKey[] = [];
}

const text: Reads<string> = (value) => (typeof value === "string" ? value : wrong("a string"));
const number: Reads<number> = (value) =>
  typeof value === "number" && Number.isFinite(value) ? value : wrong("a number");
const yesOrNo: Reads<boolean> = (value) => (typeof value === "boolean" ? value : wrong("a boolean"));
const orNull =
  <T>(reads: Reads<T>): Reads<T | null> =>
  (value) =>
    value === null ? null : reads(value);
const oneOf =
  <T extends string>(words: readonly T[]): Reads<T> =>
  (value) =>
    words.find((word) => word === value) ?? wrong(`one of ${words.join(", ")}`);
const listOf =
  <T>(reads: Reads<T>): Reads<T[]> =>
  (value) =>
    Array.isArray(value) ? value.map((one, at) => within(at, reads, one)) : wrong("a list");
const eachOf =
  <T>(reads: Reads<T>): Reads<Record<string, T>> =>
  (value) =>
    Object.fromEntries(Object.entries(anObject(value)).map(([name, one]) => [name, within(name, reads, one)]));
const members =
  <T extends object>(form: { readonly [K in keyof T]-?: Reads<T[K]> }): Reads<T> =>
  (value) => {
    const given = anObject(value);
    return Object.fromEntries(
      Object.entries<Reads<unknown>>(form).map(([name, reads]) => [name, within(name, reads, given[name])]),
    ) as T;
  };

const anObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : wrong("an object");

const wrong = (wanted: string): never => {
  throw new Wrong(`expected ${wanted}`);
};

function within<T>(at: PropertyKey, reads: Reads<T>, value: unknown): T {
  try {
    return reads(value);
  } catch (error) {
    if (error instanceof Wrong) error.path.unshift(at);
    throw error;
  }
}

/** As the schemas of all other views are asked. */
const formOf = <T>(reads: Reads<T>) => ({
  safeParse(value: unknown) {
    try {
      return { success: true, data: reads(value) } as const;
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      return { success: false, error: { issues: [{ path: error.path, message: error.message }] } } as const;
    }
  },
});

export const TaskListForm = formOf<TaskListView>(
  members({
    items: listOf(
      members({
        id: text,
        title: text,
        session: text,
        status: oneOf(STATUSES),
        phase: oneOf(PHASES),
        attempt: number,
        project: orNull(members({ id: text, name: text })),
        block_reason: orNull(text),
        exit_reason: orNull(text),
        priority: oneOf(PRIORITIES),
        created_by: text,
        created_at: text,
        updated_at: text,
        seq: number,
        waiting: orNull(members({ reason: text, sentence: text, next: text })),
        stalled: yesOrNo,
      }),
    ),
    next: orNull(text),
  }),
);

export const HealthForm = formOf<HealthView>(
  members({
    ok: yesOrNo,
    version: text,
    pid: number,
    started_at: text,
    home: text,
    sandbox: orNull(text),
    sandbox_problem: orNull(text),
    tasks: eachOf(number),
    working: number,
    inbox: number,
    paused: orNull(members({ since: text, by: text, reason: orNull(text) })),
  }),
);
