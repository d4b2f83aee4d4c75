import canonicalize from "canonicalize";

/** A state and its canonical form, with the parts that form was put together from. */
export interface Written<S> {
  readonly state: S;
  readonly text: string;
  readonly keys: readonly string[];
  /** Each member with its key, in the order of `keys`. */
  readonly members: readonly string[];
}

type Members = Readonly<Record<string, unknown>>;

/**
 * The canonical form (RFC 8785) of a state, the same text that `seal` gives, but for the member called `without`. `before` is the state
 * that it was folded from: states never change once they are made, so what both share is not written out anew.
 * Throws on what has no canonical form.
 */
export function written<S extends object>(
  state: S,
  without: (keyof S & string) | null,
  before: Written<S> | null = null,
): Written<S> {
  const now = state as Members;
  const there = Object.keys(now).filter((key) => key !== without && now[key] !== undefined);
  const again = before === null || there.length !== before.keys.length ? null : membersAgain(now, before);
  // Sorted by UTF-16 code units, as the standard wants it and JavaScript does it.
  const keys = again === null || before === null ? there.sort() : before.keys;
  const members = again ?? keys.map((key) => memberText(key, now[key]));
  return { state, keys, members, text: `{${members.join(",")}}` };
}

/** The members of a state that has the keys of the one before it; null when it has others. */
function membersAgain(now: Members, before: Written<object>): readonly string[] | null {
  const then = before.state as Members;
  const members: string[] = [];
  for (const [at, key] of before.keys.entries()) {
    const member = now[key];
    if (member === undefined) return null;
    members.push(member === then[key] ? (before.members[at] ?? "") : memberText(key, member));
  }
  return members;
}

const memberText = (key: string, member: unknown): string => `${canonicalize(key)}:${canonicalize(member)}`;
