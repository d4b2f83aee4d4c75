import { z } from "zod";
import { argvText } from "./argv-text.ts";

const Blob = z.object({ digest: z.string(), bytes: z.number() });
const Counts = z.object({ passed: z.number(), failed: z.number(), skipped: z.number() });

/** Evidence as the journal has it. What this version does not know is shown as JSON. */
const Known = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("command"),
    argv: z.array(z.string()),
    exitCode: z.number().nullable(),
    signal: z.string().nullable(),
    endedBy: z.string(),
    durationMs: z.number(),
    stdout: Blob,
    stderr: Blob,
  }),
  z.object({ kind: z.literal("file"), path: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
  z.object({ kind: z.literal("tree"), repo: z.string(), before: z.string(), after: z.string() }),
  z.object({ kind: z.literal("mount"), repo: z.string(), line: z.string(), readOnly: z.boolean() }),
  z.object({ kind: z.literal("tests"), runner: z.string(), counts: Counts, report: Blob }),
  z.object({ kind: z.literal("artifact"), name: z.string(), content: Blob }),
  z.object({
    kind: z.literal("egress"),
    host: z.string(),
    port: z.number(),
    verdict: z.string(),
    bytesUp: z.number(),
    bytesDown: z.number(),
  }),
  z.object({
    kind: z.literal("decision"),
    verdict: z.string(),
    rule: z.string(),
    policy: z.string(),
    set: z.string(),
  }),
  z.object({ kind: z.literal("commit"), repo: z.string(), commit: z.string(), tree: z.string() }),
  z.object({ kind: z.literal("program"), name: z.string(), path: z.string().nullable() }),
  z.object({ kind: z.literal("layer"), repo: z.string(), key: z.string(), files: z.number(), reused: z.boolean() }),
]);

/** One piece of evidence in one line. */
export function evidenceText(piece: unknown): string {
  const read = Known.safeParse(piece);
  if (!read.success) return JSON.stringify(piece);
  const one = read.data;
  switch (one.kind) {
    case "command":
      return `command ${argvText(one.argv)}: ${one.exitCode === null ? (one.endedBy === "itself" ? (one.signal ?? "signal") : `ended: ${one.endedBy}`) : `exit code ${one.exitCode}`}, ${one.durationMs} ms, stdout sha256 ${one.stdout.digest} (${one.stdout.bytes} bytes), stderr sha256 ${one.stderr.digest} (${one.stderr.bytes} bytes)`;
    case "file":
      return `file ${one.path}: ${one.before ?? "none"} → ${one.after ?? "none"}`;
    case "tree":
      return one.before === one.after
        ? `tree of ${one.repo}: ${one.before}, unchanged`
        : `tree of ${one.repo}: ${one.before} → ${one.after}`;
    case "mount":
      return `mount of ${one.repo}, ${one.readOnly ? "read-only" : "writable"}: ${one.line}`;
    case "tests":
      return `tests by ${one.runner}: ${one.counts.passed} passed, ${one.counts.failed} failed, ${one.counts.skipped} skipped, report sha256 ${one.report.digest}`;
    case "artifact":
      return `artifact ${one.name}: sha256 ${one.content.digest} (${one.content.bytes} bytes)`;
    case "egress":
      return `connection to ${one.host}:${one.port}: ${one.verdict}, ${one.bytesUp} bytes up, ${one.bytesDown} down`;
    case "decision":
      return `decision: ${one.verdict === "ask" ? "asked and allowed" : one.verdict} by ${one.policy}, policies ${one.set}`;
    case "commit":
      return `commit of ${one.repo}: ${one.commit}, tree ${one.tree}`;
    case "program":
      return `program ${one.name}: ${one.path ?? "not found"}`;
    case "layer":
      return `dependencies of ${one.repo}: layer ${one.key}, ${one.files} files${one.reused ? ", reused" : ""}`;
  }
}
