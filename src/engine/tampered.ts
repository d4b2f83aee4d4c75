import { Failure } from "../domain/failure.ts";
import type { Status, Task } from "../domain/task.ts";
import type { Tampered } from "../ports/store.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold } from "./hold.ts";

/**
 * The frozen spec is the law, and the journal says which one it is. Before a task is taken up or delivered, all that is stored of it is
 * held against its journal; before each step, what was agreed on is read once more. What does not agree stops the task before anything
 * runs: as `blocked/integrity` where its journal lets it be taken up, and else by a refusal in its journal.
 */
export const tamperedText = (id: string, { problem }: Tampered): string =>
  `what is stored of task ${id} was changed outside of AgentOS: ${problem}`;

/** Whether the journal itself lets the task be taken up; nobody knows of one that gives no state. */
export const isClaimable = (status: Status | null): boolean =>
  status === null || status === "queued" || status === "running";

/** Records that the task is left alone, and gives the failure that says so. */
export async function refuseToTouch(deps: EngineDependencies, task: Task, tampered: Tampered): Promise<Failure> {
  const by = { kind: "worker", name: deps.worker } as const;
  const reason = tamperedText(task.id, tampered);
  await deps.log.give(task.id, { type: "deny", by, act: "work on this task", rule: "integrity", reason, item: null });
  return new Failure("store/corrupt", reason);
}

/** Reads the spec and the plan that were agreed on again; throws `store/corrupt` when they are not what is stored. */
export async function requireAgreed(deps: EngineDependencies, hold: Hold): Promise<void> {
  const { spec, plan } = hold.task();
  for (const what of ["spec", "plan"] as const) {
    const agreed = what === "spec" ? spec : plan;
    if (agreed === null) continue;
    const stored = await deps.store.tasks[what](hold.id, agreed.version);
    if (stored === null || deps.digest(new TextEncoder().encode(stored.text)) !== agreed.hash)
      throw new Failure(
        "store/corrupt",
        tamperedText(hold.id, { problem: `the stored ${what} does not have the hash ${agreed.hash}`, status: null }),
      );
  }
}
