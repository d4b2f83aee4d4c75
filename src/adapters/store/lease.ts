import { type LeaseChange, LeaseLost } from "../../ports/store.ts";
import type { Tx } from "./database.ts";

/** Throws `LeaseLost` unless the change may be made of the lease with this epoch; null: there is none. */
export function requireLease(change: LeaseChange, epoch: number | null): void {
  // A worker that takes the task with a later epoch takes it over; one that holds or releases must still be the one whose epoch stands there.
  if (change.kind === "acquire" ? epoch !== null && epoch >= change.epoch : epoch !== change.epoch)
    throw new LeaseLost(change.task);
}

/** The lease change of an append, in its transaction. */
export async function changeLease(tx: Tx, change: LeaseChange): Promise<void> {
  switch (change.kind) {
    case "acquire":
      await tx.query("DELETE FROM leases WHERE task = ?", [change.task]);
      await tx.query("INSERT INTO leases (task, worker, epoch, pid, start_ticks, boot_id) VALUES (?, ?, ?, ?, ?, ?)", [
        change.task,
        change.worker,
        change.epoch,
        change.owner.pid,
        change.owner.startTicks,
        change.owner.bootId,
      ]);
      return;
    case "hold":
      return;
    case "release":
      await tx.query("DELETE FROM leases WHERE task = ?", [change.task]);
      // Whoever gives the task back has ended every process of it.
      await tx.query("DELETE FROM processes WHERE task = ?", [change.task]);
      return;
  }
}
