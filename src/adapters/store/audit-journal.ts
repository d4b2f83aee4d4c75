import { firstBreak, type JournalRow } from "../../domain/chain.ts";
import type { Recorded } from "../../domain/event.ts";
import { isFailure } from "../../domain/failure.ts";
import type { Project } from "../../domain/project.ts";
import type { Provider } from "../../domain/provider.ts";
import type { Seal } from "../../domain/seal.ts";
import { streamId, streamKind } from "../../domain/stream.ts";
import type { Task } from "../../domain/task.ts";
import type { AuditReport } from "../../ports/store.ts";
import { textFrom } from "./append.ts";
import type { NamedBlob } from "./audit-blobs.ts";
import type { Found } from "./audit-stream.ts";
import { blobRefsIn } from "./blob-refs.ts";
import type { Queries } from "./database.ts";
import { foldProject, foldProvider, foldTask } from "./fold.ts";
import { recordedFrom, streamKindOf } from "./journal-row.ts";
import { type Projecting, projectProject, projectProvider, projectTask } from "./projection.ts";
import { readJournal } from "./read-stream.ts";

export interface JournalAudit {
  readonly queries: Queries;
  /** Receives the projections as the journal alone gives them. */
  readonly shadow: Queries;
  readonly blobDirectory: string;
  readonly seal: Seal;
  readonly found: Found;
  /** Receives the content that events name. */
  readonly named: Map<string, NamedBlob>;
  /** Told of each event that says an earlier time than the one before it. */
  readonly wentBack: (one: AuditReport["backwards"][number]) => void;
}

/** Two events of one stream may be dated in another order than they are appended, by the time that takes. */
const BACK_MS = 1_000;

export interface JournalAudited {
  readonly streams: number;
  readonly events: number;
  /** Streams whose events no longer make a state; their projections cannot be judged. */
  readonly unreplayable: ReadonlySet<string>;
}

/** Each stream's hash chain, each body's form, and the replay of each stream into the shadow. */
export async function auditJournal(audit: JournalAudit): Promise<JournalAudited> {
  const unreplayable = new Set<string>();
  let streams = 0;
  let events = 0;
  for await (const rows of byStream(readJournal(audit.queries, null))) {
    streams += 1;
    events += rows.length;
    const [first] = rows;
    if (first !== undefined && !(await auditStream(audit, first.stream, rows))) unreplayable.add(first.stream);
  }
  return { streams, events, unreplayable };
}

/** False when the stream cannot be replayed. */
async function auditStream(audit: JournalAudit, stream: string, rows: readonly JournalRow[]): Promise<boolean> {
  const { seal, found } = audit;
  const broken = firstBreak(seal, rows);
  if (broken !== null) found(broken);
  for (const [at, row] of rows.entries()) {
    const ms = (rows[at - 1]?.atMs ?? row.atMs) - row.atMs;
    if (ms > BACK_MS) audit.wentBack({ stream, seq: row.seq, ms });
  }
  const recorded: Recorded[] = [];
  for (const row of rows) {
    const at = (problem: string): void => found({ stream, seq: row.seq, problem });
    const body = parsed(row.body);
    if (body === undefined) at(`its body is not JSON`);
    else {
      if (row.seq !== broken?.seq && seal(body).text !== row.body) at("its body is not in canonical form");
      for (const ref of blobRefsIn(body))
        audit.named.set(ref.digest, audit.named.get(ref.digest) ?? { ref, stream, seq: row.seq });
    }
    const one = attempt(() => {
      if (streamKindOf(row.type) !== streamKind(stream)) throw new Error(`${row.type} does not belong in this stream`);
      return recordedFrom(row);
    });
    if ("value" in one) recorded.push(one.value);
    else at(`cannot be read: ${one.problem}`);
  }
  return recorded.length === rows.length && (await replay(audit, stream, recorded));
}

async function replay(audit: JournalAudit, stream: string, recorded: readonly Recorded[]): Promise<boolean> {
  const projecting: Projecting = { seal: audit.seal, textOf: soundText(audit) };
  const id = streamId(stream);
  const kind = streamKind(stream);
  let task: Task | null = null;
  let project: Project | null = null;
  let provider: Provider | null = null;
  let last = 0;
  try {
    for (const one of recorded) {
      last = one.seq;
      if (kind === "task") task = foldTask(id, task, [one]);
      if (kind === "project") project = foldProject(id, project, [one]);
      if (kind === "provider") provider = foldProvider(id, provider, [one]);
    }
    if (kind === "task") await projectTask(audit.shadow, projecting, id, null, recorded);
    if (kind === "project") await projectProject(audit.shadow, projecting, id, null, recorded);
    if (kind === "provider") await projectProvider(audit.shadow, id, null, recorded);
    return true;
  } catch (error) {
    // Whatever breaks the fold of a journal that someone changed is a finding at that place.
    audit.found({ stream, seq: last, problem: `cannot be replayed: ${messageOf(error)}` });
    return false;
  }
}

/** Content that is missing or changed is found where content is checked; here it only cannot be compared. */
const soundText = ({ queries, blobDirectory }: JournalAudit): Projecting["textOf"] => {
  const textOf = textFrom(queries, blobDirectory);
  return async (ref) => {
    try {
      return await textOf(ref);
    } catch (error) {
      if (isFailure(error, "store/corrupt")) return null;
      throw error;
    }
  };
};

async function* byStream(rows: AsyncIterable<JournalRow>): AsyncGenerator<readonly JournalRow[]> {
  let group: JournalRow[] = [];
  for await (const row of rows) {
    if (group.length > 0 && group[0]?.stream !== row.stream) {
      yield group;
      group = [];
    }
    group.push(row);
  }
  if (group.length > 0) yield group;
}

const parsed = (text: string): unknown => {
  const one = attempt((): unknown => JSON.parse(text));
  return "value" in one ? one.value : undefined;
};

function attempt<T>(work: () => T): { readonly value: T } | { readonly problem: string } {
  try {
    return { value: work() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
