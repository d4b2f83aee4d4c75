import { trouble } from "../client/trouble.ts";
import type { Context } from "./context.ts";

/**
 * Whether a person is sure of an act that takes something away. Without a terminal they must have said so in advance; the
 * refusal names how, and says again what would be done, because a program may be the one who reads it.
 */
export async function isSure({ prompt, out }: Context, yes: boolean, what: string): Promise<boolean> {
  if (yes) return true;
  if (prompt === null)
    throw trouble("input/invalid", `${what} Nobody can be asked here whether that is meant.`, {
      next: "A person who means it adds --yes.",
    });
  if (await prompt.confirm(`${what} Go on?`)) return true;
  out.note("nothing was changed");
  return false;
}
