import { Failure } from "./failure.ts";

/** A program that is there and can not be used: what is wrong with it, as the end of a sentence about it, and what helps. */
export interface Unusable {
  readonly unusable: string;
  readonly next: string;
}

/** What was found, or the failure that says why there is nothing to start. `named`: whose program it is, as the sentence begins. */
export function startable<P extends { readonly path: string }>(
  found: P | Unusable | null,
  named: string,
  next?: string,
): P {
  if (found === null) throw new Failure("agent/missing", `${named} was not found`, next === undefined ? {} : { next });
  if ("unusable" in found) throw new Failure("agent/missing", `${named} ${found.unusable}`, { next: found.next });
  return found;
}
