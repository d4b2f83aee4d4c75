import { z } from "zod";
import type { EvidenceKind } from "../../contract/views.ts";
import { argvText } from "./argv-text.ts";

const Blob = z.object({ digest: z.string(), bytes: z.number() });
const Counts = z.object({ passed: z.number(), failed: z.number(), skipped: z.number() });

type Words = (piece: unknown) => string | null;

const inWords =
  <S extends z.ZodType>(schema: S, words: (one: z.infer<S>) => string): Words =>
  (piece) => {
    const read = schema.safeParse(piece);
    return read.success ? words(read.data) : null;
  };

const Ended = z.object({ exitCode: z.number().nullable(), signal: z.string().nullable(), endedBy: z.string() });
const ended = ({ exitCode, signal, endedBy }: z.infer<typeof Ended>): string =>
  exitCode === null ? (endedBy === "itself" ? (signal ?? "signal") : `ended: ${endedBy}`) : `exit code ${exitCode}`;

/** A blob's digest is over its salt too, so it is not called by the name of what a person can compute from the content. */
const content = (what: string, { digest, bytes }: z.infer<typeof Blob>): string =>
  `${what} digest ${digest} (${bytes} bytes)`;

/** Words for every kind of evidence as the journal has it: a new kind does not compile without its own. */
const WORDS = {
  command: inWords(
    Ended.extend({ argv: z.array(z.string()), durationMs: z.number(), stdout: Blob, stderr: Blob }),
    (one) =>
      `command ${argvText(one.argv)}: ${ended(one)}, ${one.durationMs} ms, ${content("stdout", one.stdout)}, ${content("stderr", one.stderr)}`,
  ),
  file: inWords(
    z.object({ path: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
    (one) => `file ${one.path}: ${one.before ?? "none"} → ${one.after ?? "none"}`,
  ),
  tree: inWords(z.object({ repo: z.string(), before: z.string(), after: z.string() }), (one) =>
    one.before === one.after
      ? `tree of ${one.repo}: ${one.before}, unchanged`
      : `tree of ${one.repo}: ${one.before} → ${one.after}`,
  ),
  mount: inWords(
    z.object({ repo: z.string(), line: z.string(), readOnly: z.boolean() }),
    (one) => `mount of ${one.repo}, ${one.readOnly ? "read-only" : "writable"}: ${one.line}`,
  ),
  tests: inWords(
    z.object({ runner: z.string(), counts: Counts, report: Blob }),
    ({ runner, counts, report }) =>
      `tests by ${runner}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${content("report", report)}`,
  ),
  artifact: inWords(z.object({ name: z.string(), content: Blob }), (one) =>
    content(`artifact ${one.name}:`, one.content),
  ),
  egress: inWords(
    z.object({
      host: z.string(),
      port: z.number(),
      verdict: z.string(),
      bytesUp: z.number(),
      bytesDown: z.number(),
    }),
    (one) => `connection to ${one.host}:${one.port}: ${one.verdict}, ${one.bytesUp} bytes up, ${one.bytesDown} down`,
  ),
  decision: inWords(
    z.object({ verdict: z.string(), policy: z.string(), set: z.string() }),
    (one) =>
      `decision: ${one.verdict === "ask" ? "asked and allowed" : one.verdict} by ${one.policy}, policies ${one.set}`,
  ),
  turn: inWords(
    Ended.extend({
      agent: z.string(),
      version: z.string().nullable(),
      durationMs: z.number(),
      stop: z.string(),
      resumed: z.boolean(),
      usage: z.object({
        totalTokens: z.number().nullable(),
        cost: z.object({ amount: z.number(), currency: z.string() }).nullable(),
      }),
      toolCalls: z.number(),
      acts: z.number(),
      invalidMessages: z.number(),
      redactions: z.number(),
      prompt: Blob,
      transcript: Blob,
      stderr: Blob,
    }),
    (one) =>
      [
        `turn of ${one.agent}${one.version === null ? "" : ` ${one.version}`}${one.resumed ? ", going on in its session" : ""}: ${one.stop.replaceAll("_", " ")}`,
        // That we closed an agent whose turn was over says nothing of the turn.
        ...(one.endedBy === "closed" ? [] : [ended(one)]),
        `${one.durationMs} ms`,
        `${one.toolCalls} tool calls`,
        `${one.acts} acts`,
        ...(one.usage.totalTokens === null ? [] : [`${one.usage.totalTokens} tokens as it says`]),
        ...(one.usage.cost === null ? [] : [`${one.usage.cost.amount} ${one.usage.cost.currency} as it says`]),
        ...(one.invalidMessages === 0 ? [] : [`${one.invalidMessages} messages that were none`]),
        ...(one.redactions === 0 ? [] : [`${one.redactions} secrets taken out`]),
        content("prompt", one.prompt),
        content("transcript", one.transcript),
        content("stderr", one.stderr),
      ].join(", "),
  ),
  tool: inWords(
    z.object({
      server: z.string(),
      tool: z.string(),
      digest: z.string(),
      isError: z.boolean(),
      durationMs: z.number(),
      answer: Blob,
      stderr: Blob,
    }),
    (one) =>
      `tool ${one.tool} of ${one.server}, agreed on as ${one.digest}: ${one.isError ? "an error" : "answered"}, ${one.durationMs} ms, ${content("answer", one.answer)}, ${content("stderr", one.stderr)}`,
  ),
  commit: inWords(
    z.object({ repo: z.string(), commit: z.string(), tree: z.string() }),
    (one) => `commit of ${one.repo}: ${one.commit}, tree ${one.tree}`,
  ),
  program: inWords(
    z.object({ name: z.string(), path: z.string().nullable() }),
    (one) => `program ${one.name}: ${one.path ?? "not found"}`,
  ),
  layer: inWords(
    z.object({ repo: z.string(), key: z.string(), files: z.number(), reused: z.boolean() }),
    (one) => `dependencies of ${one.repo}: layer ${one.key}, ${one.files} files${one.reused ? ", reused" : ""}`,
  ),
  model: inWords(
    z.object({
      provider: z.string(),
      model: z.string(),
      answeredBy: z.string(),
      request: Blob,
      response: Blob,
      inputTokens: z.number(),
      outputTokens: z.number(),
      estimated: z.boolean(),
      microdollars: z.number().nullable(),
      durationMs: z.number(),
    }),
    (one) =>
      [
        `model ${one.provider}/${one.model}${one.answeredBy === one.model ? "" : `, answered by ${one.answeredBy}`}: ${one.inputTokens} tokens in, ${one.outputTokens} out${one.estimated ? ", estimated" : ""}`,
        ...(one.microdollars === null ? [] : [`${(one.microdollars / 1_000_000).toFixed(4)} USD`]),
        `${one.durationMs} ms`,
        content("request", one.request),
        content("response", one.response),
      ].join(", "),
  ),
} satisfies Record<EvidenceKind, Words>;

const Kind = z.object({ kind: z.string() });

/** One piece of evidence in one line. What this version does not know, a newer daemon's for example, is shown as JSON. */
export function evidenceText(piece: unknown): string {
  const kind = Kind.safeParse(piece).data?.kind ?? "";
  return (isKnown(kind) ? WORDS[kind](piece) : null) ?? JSON.stringify(piece);
}

const isKnown = (kind: string): kind is EvidenceKind => Object.hasOwn(WORDS, kind);
