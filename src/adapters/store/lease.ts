import { type LeaseChange, LeaseLost } from "../../ports/store.ts";
import { integerOf, type Tx } from "./database.ts";

/**
 * The lease change of an append, in its transaction. A worker that takes the task with a later epoch takes it over; one that
 * holds or releases must still be the one whose epoch stands there. Throws `LeaseLost`.
 */
export async function changeLease(tx: Tx, change: LeaseChange): Promise<void> {
  const [row] = await tx.query("SELECT epoch FROM leases WHERE task = ?", [change.task]);
  const epoch = row === undefined ? null : integerOf(row, "epoch");
  switch (change.kind) {
    case "acquire":
      if (epoch !== null && epoch >= change.epoch) throw new LeaseLost(change.task);
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
      if (epoch !== change.epoch) throw new LeaseLost(change.task);
      return;
    case "release":
      if (epoch !== change.epoch) throw new LeaseLost(change.task);
      await tx.query("DELETE FROM leases WHERE task = ?", [change.task]);
      // Whoever gives the task back has ended every process of it.
      await tx.query("DELETE FROM processes WHERE task = ?", [change.task]);
      return;
  }
}
