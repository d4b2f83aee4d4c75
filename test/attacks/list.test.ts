import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/* LIST.md says what is proven and where; here that is held against the tests, row by row. */

const here = import.meta.dirname;
const top = join(here, "..", "..");

interface Listed {
  readonly id: string;
  readonly attack: string;
  readonly expect: string;
  readonly state: string;
}

const rows: readonly Listed[] = readFileSync(join(here, "LIST.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| [A-Z]\d\d \|/.test(line))
  .map((line) => {
    const [, id = "", attack = "", expected = "", state = ""] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { id, attack, expect: expected, state };
  });

/** Every id that a table or the name of a test names. Words in comments prove nothing. */
const inTests: ReadonlySet<string> = new Set(
  readdirSync(here)
    .filter((file) => file.endsWith(".ts") && file !== "list.test.ts")
    .flatMap((file) => readFileSync(join(here, file), "utf8").split("\n"))
    .filter((line) => !/^\s*(\*|\/\*|\/\/)/.test(line))
    .flatMap((line) => [...line.matchAll(/\b[EGFNWCPMTALD]\d\d\b/g)].map(([id]) => id)),
);

describe("the list of attacks", () => {
  it("names each row once, with what is expected, in groups", () => {
    const ids = rows.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...new Set(ids.map((id) => id[0]))].join("")).toBe("EGFNWCPMTALD");
    expect(rows.filter((row) => row.attack === "" || row.expect === "" || row.state === "")).toEqual([]);
  });

  it.each(rows.map(({ id, state }) => [id, state] as const))("%s is %s", (id, state) => {
    const elsewhere = /^proven: (\S+) › (.+)$/.exec(state);
    if (elsewhere !== null) {
      const [, file = "", words = ""] = elsewhere;
      expect(existsSync(join(top, file))).toBe(true);
      expect(readFileSync(join(top, file), "utf8")).toContain(words);
    } else if (state.startsWith("proven")) expect([...inTests]).toContain(id);
    else expect(state).toMatch(/^(open|cannot fire|waits): \S/);
  });

  it("has a row for every id that the tests name", () =>
    expect([...inTests].filter((id) => !rows.some((row) => row.id === id))).toEqual([]));
});

it.each(["SECURITY.md", "docs/architecture-contracts.md"])("%s names tests that are there", (page) => {
  const named = [...readFileSync(join(top, page), "utf8").matchAll(/`((?:test|src|web)\/[^`]+)`/g)].map(
    ([, path = ""]) => path,
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(top, path)))).toEqual([]);
});
