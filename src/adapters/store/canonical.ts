import canonicalize from "canonicalize";

/**
 * The canonical form (RFC 8785) of a value. For plain JSON data, which is nearly all that is ever written: the built-in `JSON.stringify`,
 * whose numbers and strings are the standard's, over the same data with its keys in order; many have them in order already. Whatever else
 * there is goes through the library, which throws on what has no canonical form. Undefined for what JSON has no word for.
 */
export function canonical(value: unknown): string | undefined {
  try {
    const data = inOrder(value);
    if (data !== NOT_PLAIN) return JSON.stringify(data);
  } catch (error) {
    // Nested deeper than there are calls left; a cycle is, too.
    if (!(error instanceof RangeError)) throw error;
  }
  return canonicalize(value);
}

const NOT_PLAIN = Symbol("not plain");

/** The same data with the keys of every object sorted by UTF-16 code units: itself where they are. */
function inOrder(value: unknown): unknown {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? value : NOT_PLAIN;
    case "number":
      return Number.isFinite(value) ? value : NOT_PLAIN;
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      return Array.isArray(value) ? listInOrder(value) : membersInOrder(value as Readonly<Record<string, unknown>>);
    default:
      return NOT_PLAIN;
  }
}

function listInOrder(list: readonly unknown[]): unknown {
  let same = true;
  const ordered: unknown[] = [];
  for (const one of list) {
    const data = inOrder(one);
    if (data === NOT_PLAIN) return NOT_PLAIN;
    if (data !== one) same = false;
    ordered.push(data);
  }
  return same ? list : ordered;
}

function membersInOrder(members: Readonly<Record<string, unknown>>): unknown {
  if (Object.getPrototypeOf(members) !== Object.prototype) return NOT_PLAIN;
  const keys = Object.keys(members);
  let same = true;
  let last = "";
  for (const key of keys) {
    // An object always names keys that look like numbers first, and by value; and one key is not a key to set.
    if (key < "A" || key === "__proto__" || !key.isWellFormed()) return NOT_PLAIN;
    if (key < last) same = false;
    last = key;
  }
  const ordered: Record<string, unknown> = {};
  for (const key of same ? keys : keys.sort()) {
    const one = members[key];
    if (one === undefined) {
      same = false;
      continue;
    }
    const data = inOrder(one);
    if (data === NOT_PLAIN) return NOT_PLAIN;
    if (data !== one) same = false;
    ordered[key] = data;
  }
  return same ? members : ordered;
}
