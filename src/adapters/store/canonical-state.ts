import canonicalize from "canonicalize";

/** Objects never change once they are part of a state, so neither does their text. */
const texts = new WeakMap<object, string>();

/**
 * The canonical form (RFC 8785) of a state, the same text that `seal` gives. A state is folded from the one before and shares with it
 * all that did not change: only the rest is written out anew, however many finished steps a task remembers.
 * Throws on what has no canonical form.
 */
export function canonicalState(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return textOf(value);
  const known = texts.get(value);
  if (known !== undefined) return known;
  const members: string[] = [];
  // Sorted by UTF-16 code units, as the standard wants it and JavaScript does it.
  for (const [key, member] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    if (member !== undefined) members.push(`${textOf(key)}:${canonicalState(member)}`);
  const text = `{${members.join(",")}}`;
  texts.set(value, text);
  return text;
}

function textOf(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error("there is no canonical form of undefined");
  return text;
}
