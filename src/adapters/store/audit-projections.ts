import { projectStream, providerStream, streamId, streamKind, taskStream } from "../../domain/stream.ts";
import type { Found } from "./audit-stream.ts";
import { ERASED_TEXT } from "./blob-content.ts";
import { integerOrNull, type Queries, type Row, textOf, type Value } from "./database.ts";
import type { PROJECTED_TABLES } from "./projection.ts";
import { sha256Hex } from "./seal.ts";

interface Projected {
  readonly key: readonly string[];
  readonly stream: (row: Row) => string;
  /** The column with the seq that made the row what it is; null: its stream's last one. */
  readonly seq: string | null;
}

const ofTask = (row: Row): string => taskStream(textOf(row, "task"));

const TABLES: Readonly<Record<(typeof PROJECTED_TABLES)[number], Projected>> = {
  projects: { key: ["id"], stream: (row) => projectStream(textOf(row, "id")), seq: "seq" },
  repos: { key: ["id"], stream: (row) => projectStream(textOf(row, "project_id")), seq: null },
  tasks: { key: ["id"], stream: (row) => taskStream(textOf(row, "id")), seq: "seq" },
  lasting_facts: { key: ["task"], stream: ofTask, seq: null },
  specs: { key: ["task", "version"], stream: ofTask, seq: "seq" },
  plans: { key: ["task", "version"], stream: ofTask, seq: "seq" },
  task_dependencies: { key: ["task", "on_task"], stream: ofTask, seq: "seq" },
  task_forks: { key: ["task"], stream: ofTask, seq: "seq" },
  open_steps: { key: ["task"], stream: ofTask, seq: "started_seq" },
  ended_steps: { key: ["task", "started_seq"], stream: ofTask, seq: "started_seq" },
  refused_steps: { key: ["task", "seq"], stream: ofTask, seq: "seq" },
  providers: { key: ["id"], stream: (row) => providerStream(textOf(row, "id")), seq: "seq" },
  task_words: { key: ["task"], stream: ofTask, seq: null },
};

/** Numbers that only tie rows of one database together. */
const OWN_NUMBERS: readonly string[] = ["number"];

/** Columns that hold a blob's text: not compared when the content is gone from the store. */
const TEXT_COLUMNS: readonly string[] = ["title", "title_folded", "text", "intent", "criteria"];

/** Each projected row is what the replay of the journal gives, and no row is missing or too many. */
export async function auditProjections(
  queries: Queries,
  shadow: Queries,
  unreplayable: ReadonlySet<string>,
  found: Found,
): Promise<void> {
  for (const [table, projected] of Object.entries(TABLES)) {
    const where = projected.key.map((column) => `${column} = ?`).join(" AND ");
    const one = `SELECT * FROM ${table} WHERE ${where}`;
    const keyOf = (row: Row): readonly Value[] => projected.key.map((column) => row[column] ?? null);
    const say = async (row: Row, problem: string): Promise<void> =>
      found({
        stream: projected.stream(row),
        seq: await seqOf(shadow, projected, row),
        problem: `${table}: ${problem}`,
      });

    for await (const expected of rowsOf(shadow, table, projected.key)) {
      const [actual] = await queries.query(one, keyOf(expected));
      if (actual === undefined) await say(expected, `the row ${keyOf(expected).join(" ")} is missing`);
      else for (const difference of differences(expected, actual)) await say(expected, difference);
    }
    for await (const actual of rowsOf(queries, table, projected.key)) {
      if (unreplayable.has(projected.stream(actual))) continue;
      const expected = await shadow.query(one, keyOf(actual));
      if (expected.length === 0) await say(actual, `the journal knows no row ${keyOf(actual).join(" ")}`);
    }
  }
  for (const table of ["specs", "plans"] as const)
    for await (const row of rowsOf(queries, table, TABLES[table].key))
      if (sha256Hex(textOf(row, "text")) !== textOf(row, "hash"))
        found({
          stream: ofTask(row),
          seq: integerOrNull(row, "seq"),
          problem: `${table}: the text does not have the hash ${textOf(row, "hash")}`,
        });
}

/** A table in the order of its key, a page at a time: a large one is never in memory as a whole. */
async function* rowsOf(queries: Queries, table: string, key: readonly string[]): AsyncGenerator<Row> {
  const columns = key.join(", ");
  const after = `WHERE (${columns}) > (${key.map(() => "?").join(", ")})`;
  let last: Row | undefined;
  do {
    const rows: readonly Row[] = await queries.query(
      `SELECT * FROM ${table} ${last === undefined ? "" : after} ORDER BY ${columns} LIMIT ${PAGE_ROWS}`,
      last === undefined ? [] : key.map((column) => last?.[column] ?? null),
    );
    yield* rows;
    last = rows.length < PAGE_ROWS ? undefined : rows.at(-1);
  } while (last !== undefined);
}

const PAGE_ROWS = 500;

function differences(expected: Row, actual: Row): readonly string[] {
  return Object.keys(expected)
    .filter((column) => actual[column] !== expected[column] && !OWN_NUMBERS.includes(column))
    .filter((column) => !(TEXT_COLUMNS.includes(column) && expected[column] === ERASED_TEXT))
    .map((column) => `${column} is ${shown(actual[column])}, the journal says ${shown(expected[column])}`);
}

async function seqOf(shadow: Queries, { seq, stream }: Projected, row: Row): Promise<number | null> {
  if (seq !== null) return integerOrNull(row, seq);
  const of = stream(row);
  const [last] = await shadow.query(LAST_SEQ[streamKind(of) === "task" ? "task" : "project"], [streamId(of)]);
  return last === undefined ? null : integerOrNull(last, "seq");
}

const LAST_SEQ = {
  task: "SELECT seq FROM tasks WHERE id = ?",
  project: "SELECT seq FROM projects WHERE id = ?",
} as const;

const SHOWN_CHARACTERS = 80;

function shown(value: Value | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
