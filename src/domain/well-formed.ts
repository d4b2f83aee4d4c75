/**
 * The same data without halves of surrogate pairs, each of which becomes U+FFFD: itself where there are none. Half a pair has no UTF-8, so no
 * record can hold one; JSON from outside brings them as `\ud83d`, and a text that is cut between two halves leaves one.
 */
export function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const list = value.map(wellFormed);
    return list.every((one, at) => one === value[at]) ? value : list;
  }
  const members = Object.entries(value);
  const formed = members.map(([key, one]) => [key.toWellFormed(), wellFormed(one)] as const);
  return formed.every(([key, one], at) => key === members[at]?.[0] && one === members[at]?.[1])
    ? value
    : Object.fromEntries(formed);
}

/** JSON from outside, parsed. Only an escape can bring half a pair, so most of it is not looked through. */
export function parseWellFormed(json: string): unknown {
  const value: unknown = JSON.parse(json);
  return /\\u[dD][89a-fA-F]/.test(json) ? wellFormed(value) : value;
}
