import { canonical } from "./canonical.ts";

/** Some members of a state in canonical form (RFC 8785), with the parts that form was put together from. */
export interface Written {
  readonly text: string;
  readonly keys: readonly string[];
  /** Each member with its key, in the order of `keys`. */
  readonly members: readonly string[];
}

/**
 * The members of a state that `holds` names: of all of them, the same text that `seal` gives. Throws on what has no canonical form.
 */
export function written(state: object, holds: (key: string) => boolean): Written {
  // Sorted by UTF-16 code units, as the standard wants it and JavaScript does it.
  const keys = Object.keys(state)
    .filter((key) => holds(key) && member(state, key) !== undefined)
    .sort();
  return put(
    keys,
    keys.map((key) => memberText(state, key)),
  );
}

/**
 * The same members of a later state that differs in no others than `changed`: states never change once they are made, so what both share
 * is not written out anew.
 */
export function rewritten(before: Written, state: object, changed: readonly string[]): Written {
  const members = [...before.members];
  let differs = false;
  for (const key of changed) {
    const at = before.keys.indexOf(key);
    if (at === -1) continue;
    members[at] = memberText(state, key);
    differs = true;
  }
  return differs ? put(before.keys, members) : before;
}

/**
 * The members in which two states differ; null when one has members that the other has not, or has them in another order. One state is made of
 * another by copying it, so that seldom happens, and lists are compared much faster than members are looked up.
 */
export function changedKeys(before: object, after: object): readonly string[] | null {
  const keys = Object.keys(after);
  const then = Object.keys(before);
  if (keys.length !== then.length) return null;
  const values = Object.values(after);
  const valuesThen = Object.values(before);
  const changed: string[] = [];
  for (const [at, key] of keys.entries()) {
    if (key !== then[at]) return null;
    if (values[at] === valuesThen[at]) continue;
    if (values[at] === undefined || valuesThen[at] === undefined) return null;
    changed.push(key);
  }
  return changed;
}

const member = (state: object, key: string): unknown => (state as Readonly<Record<string, unknown>>)[key];

const put = (keys: readonly string[], members: readonly string[]): Written => ({
  keys,
  members,
  text: `{${members.join(",")}}`,
});

// Joined, and so one string in memory: what concatenation gives is a tree of pieces, walked anew whenever it is written into a state.
const memberText = (state: object, key: string): string =>
  [canonical(key), ":", canonical(member(state, key))].join("");
