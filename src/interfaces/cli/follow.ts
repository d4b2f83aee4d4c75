import type { TaskView } from "../../contract/views.ts";
import type { Context } from "./context.ts";
import { settle, settledLines } from "./settle.ts";
import { changedLines, gateLines, nextLines } from "./task-text.ts";
import { seconds } from "./wait-options.ts";

/** The end of a command that set a task going: what it is now, or with `--wait` what became of it. */
export async function follow(
  context: Context,
  task: TaskView,
  seenSeq: number,
  { wait, timeout }: { readonly wait: boolean; readonly timeout?: string | undefined },
): Promise<number> {
  const { out } = context;
  if (!wait) {
    out.result(task, changedLines, ({ id }) => [id]);
    out.note(...nextLines(task));
    return 0;
  }
  const settled = await settle(context, task.id, { after: seenSeq, timeoutMs: seconds(timeout) });
  out.result(
    settled.task,
    (one) => [...changedLines(one), ...gateLines(one.gates)],
    ({ id }) => [id],
  );
  out.note(...settledLines(settled.task));
  return settled.exit;
}
