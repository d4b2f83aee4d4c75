import type { LookedAtServerView } from "../../contract/views.ts";
import type { Context } from "./context.ts";
import { isSure } from "./sure.ts";
import { offeredToolLines } from "./tool-server-text.ts";

/** Shows what is offered, and agrees to it when a person says so; `only`: these tools and no others. */
export async function agreeToTools(
  context: Context,
  project: string,
  looked: LookedAtServerView,
  { yes, only }: { readonly yes: boolean; readonly only: readonly string[] | undefined },
): Promise<LookedAtServerView> {
  const { api, out } = context;
  const wanted = looked.offered.filter(
    ({ name, callable }) => callable !== null && (only === undefined || only.includes(name)),
  );
  if (wanted.length === 0) return looked;
  if (!yes) for (const line of offeredToolLines(looked)) out.note(line);
  const names = wanted.map(({ name }) => name).join(", ");
  if (!(await isSure(context, yes, `The built-in agent may then use ${names} as shown.`))) return looked;
  return api.pinTools(project, looked.name, { digests: wanted.map(({ digest }) => digest) });
}
