import type { Seal } from "../../domain/seal.ts";
import type { AuditFinding, AuditReport } from "../../ports/store.ts";
import { auditBlobs, type NamedBlob } from "./audit-blobs.ts";
import { auditJournal } from "./audit-journal.ts";
import { auditOrder } from "./audit-order.ts";
import { auditProjections } from "./audit-projections.ts";
import { auditSchema, madeBySchema } from "./audit-schema.ts";
import { DATABASE } from "./audit-stream.ts";
import type { Database, Queries } from "./database.ts";
import type { StorePaths } from "./home.ts";
import { connectReadOnly } from "./read-only.ts";
import { openScratch } from "./sqlite.ts";

/**
 * Every check of the journal that needs nothing but the data directory; it writes nothing there and works beside a running daemon,
 * on the state of one moment. Each finding names its stream and seq, or the database where it belongs to no stream. What it cannot
 * see, because no hash in the database binds it: a journal cut off at its end together with all that is derived from it, and
 * events of different streams that changed places in the order while each stream kept its own.
 */
export async function auditStore(home: string, { seal }: { readonly seal: Seal }): Promise<AuditReport> {
  const { database, paths, close } = await connectReadOnly(home);
  const shadow = openScratch();
  try {
    return await database.snapshot((queries) => auditSnapshot(queries, database, shadow, paths, seal));
  } finally {
    await shadow.close();
    await close();
  }
}

async function auditSnapshot(
  queries: Queries,
  { dialect }: Database,
  shadow: Database,
  paths: StorePaths,
  seal: Seal,
): Promise<AuditReport> {
  const findings: AuditFinding[] = [];
  const found = (finding: AuditFinding): void => {
    findings.push(finding);
  };
  const named = new Map<string, NamedBlob>();
  const backwards: AuditReport["backwards"][number][] = [];
  const counts = { streams: 0, events: 0, blobs: 0, erased: 0 };
  try {
    await shadow.transaction(async (tx) => {
      await madeBySchema(tx);
      await auditSchema(queries, tx, found);
      const journal = await auditJournal({
        queries,
        shadow: tx,
        blobDirectory: paths.blobs,
        seal,
        found,
        named,
        wentBack: (one) => backwards.push(one),
      });
      counts.streams = journal.streams;
      counts.events = journal.events;
      await auditOrder(queries, found);
      await auditProjections(queries, tx, journal.unreplayable, found);
      const blobs = await auditBlobs(queries, paths.blobs, named.values(), found);
      counts.blobs = blobs.checked;
      counts.erased = blobs.erased;
    });
  } catch (error) {
    // A page that cannot be read is what an audit is there to say; anything else is a bug.
    if (dialect.trouble(error) !== "broken") throw error;
    found({ stream: DATABASE, seq: null, problem: `cannot be read further: ${(error as Error).message}` });
  }
  return { ...counts, findings, backwards };
}
