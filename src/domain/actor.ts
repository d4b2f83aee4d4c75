/** Who did it. `person` is someone at the terminal, browser or API; the others are parts of the system. */
export type Actor = {
  readonly kind: "person" | "agent" | "worker" | "policy" | "system";
  readonly name: string;
};

export const actorText = (actor: Actor): string => `${actor.kind}:${actor.name}`;

export const POLICY: Actor = { kind: "policy", name: "default" };
export const SYSTEM: Actor = { kind: "system", name: "agentos" };

const KINDS: Readonly<Record<Actor["kind"], true>> = {
  person: true,
  agent: true,
  worker: true,
  policy: true,
  system: true,
};
const isKind = (text: string): text is Actor["kind"] => Object.hasOwn(KINDS, text);

/** Reads what `actorText` wrote; what has no known kind is a bug in the row that holds it. */
export function actorFrom(text: string): Actor {
  const colon = text.indexOf(":");
  const kind = text.slice(0, colon);
  if (colon < 1 || !isKind(kind)) throw new Error(`not an actor: ${text}`);
  return { kind, name: text.slice(colon + 1) };
}
