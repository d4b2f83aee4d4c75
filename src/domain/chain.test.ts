import { describe, expect, it } from "vitest";
import { seal } from "../adapters/store/seal.ts";
import { firstBreak, GENESIS_HASH, type JournalRow, rowHash } from "./chain.ts";

function chain(length: number): JournalRow[] {
  const rows: JournalRow[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const row = {
      stream: "task/T1",
      seq,
      type: "DENIED",
      v: 1,
      atMs: seq * 10,
      actor: "person:ada",
      body: seal({ n: seq }).text,
      prevHash: rows.at(-1)?.hash ?? GENESIS_HASH,
    };
    rows.push({ ...row, hash: rowHash(seal, row) });
  }
  return rows;
}

/** Another value of each column; a column that is added without one does not compile. */
const OTHER: { readonly [C in keyof JournalRow]: JournalRow[C] } = {
  stream: "task/T2",
  seq: 7,
  type: "CREATED",
  v: 2,
  atMs: 21,
  actor: "person:eve",
  body: '{"n":9}',
  prevHash: "f".repeat(64),
  hash: "e".repeat(64),
};

describe("a stream's chain", () => {
  it("is whole as it was written, also when it is empty", () => {
    expect(firstBreak(seal, chain(5))).toBeNull();
    expect(firstBreak(seal, [])).toBeNull();
  });

  it("has a hash over exactly the other columns by their column names", () => {
    const [row] = chain(1);
    const { text } = seal({
      stream: "task/T1",
      seq: 1,
      type: "DENIED",
      v: 1,
      at_ms: 10,
      actor: "person:ada",
      body: '{"n":1}',
      prev_hash: GENESIS_HASH,
    });
    expect(row?.hash).toBe(seal(JSON.parse(text)).sha256);
  });

  for (const column of Object.keys(OTHER) as (keyof JournalRow)[])
    for (const at of [1, 2, 3])
      it(`shows a change of ${column} in row ${at}`, () => {
        const rows = chain(3).map((row) => (row.seq === at ? { ...row, [column]: OTHER[column] } : row));
        const broken = firstBreak(seal, rows);
        expect(broken?.seq).toBe(column === "seq" ? 7 : at);
        expect(broken?.problem).toMatch(/expected seq|does not name the hash|was changed after it was written/);
      });

  it("shows a row that was changed and given its new hash, at the row after it", () => {
    const rows = chain(3).map((row) =>
      row.seq === 2 ? { ...row, body: '{"n":9}', hash: rowHash(seal, { ...row, body: '{"n":9}' }) } : row,
    );
    expect(firstBreak(seal, rows)).toEqual({
      stream: "task/T1",
      seq: 3,
      problem: "does not name the hash of the row before it",
    });
  });

  it.each<[string, (rows: JournalRow[]) => JournalRow[], number]>([
    ["is missing in the middle", (rows) => rows.filter(({ seq }) => seq !== 2), 3],
    ["is missing at the beginning", (rows) => rows.slice(1), 2],
    ["is there twice", (rows) => rows.flatMap((row) => (row.seq === 2 ? [row, row] : [row])), 2],
    ["changed places", ([a, b, c]) => [a, c, b] as JournalRow[], 3],
  ])("shows a row that %s", (_, change, seq) => {
    const broken = firstBreak(seal, change(chain(3)));
    expect([broken?.seq, broken?.problem]).toEqual([
      seq,
      expect.stringContaining("a row is missing, doubled or moved"),
    ]);
  });
});
