import type { Pieces } from "../ports/foreign.ts";

/** Takes out of texts what was granted. */
export interface Redactor {
  redact(text: string): string;
  /** A text that comes in pieces. */
  pieces(): Pieces;
  redactions(): number;
}

/** Our own record of a turn: every message both ways, without secrets, and the readable part of it as it happens. */
export interface Transcript extends Redactor {
  hear(from: "agent" | "client", message: unknown, invalid: string | null): void;
  /** False: what is told is at its bound, and no more of it is kept. */
  tell(text: string): boolean;
  /** Bytes as they come, told as text. */
  stream(): { take(chunk: Uint8Array): void; end(): void };
  /** One JSON object a line. */
  end(): Uint8Array;
}

const BYTES_MAX = 32 * 1024 ** 2;
const REDACTED = "[redacted]";
/** Shorter ones are words of the language as well. */
const SECRET_MIN = 8;
const TOKEN_MIN = 20;

/** What must not stand in a record: the whole value, and every long run of characters that a key could be. */
export function secretsIn(value: string): readonly string[] {
  const whole = value.trim();
  const tokens = whole.match(/[A-Za-z0-9_\-.+/=]{20,}/g) ?? [];
  return [...(whole.length >= SECRET_MIN && !whole.includes("\n") ? [whole] : []), ...tokens].filter(
    (one) => one.length >= (one === whole ? SECRET_MIN : TOKEN_MIN),
  );
}

export function redactorOf(secrets: readonly string[]): Redactor {
  // As they stand in JSON too: a quote or a backslash in one is escaped there.
  const sought = [...new Set(secrets.flatMap((one) => [one, JSON.stringify(one).slice(1, -1)]))].sort(
    (a, b) => b.length - a.length,
  );
  let redactions = 0;
  const redact = (text: string): string => {
    let clean = text;
    for (const secret of sought) {
      const parts = clean.split(secret);
      redactions += parts.length - 1;
      clean = parts.join(REDACTED);
    }
    return clean;
  };
  return {
    redact,
    redactions: () => redactions,
    pieces() {
      let waiting = "";
      return {
        add(piece) {
          const text = waiting + piece;
          const end = toldUpTo(text, sought);
          waiting = text.slice(end);
          return redact(text.slice(0, end));
        },
        rest() {
          const rest = redact(waiting);
          waiting = "";
          return rest;
        },
      };
    },
  };
}

/** Up to where a text can be told before what comes after it is known: what may be the beginning of a secret waits, and a whole one with it. */
function toldUpTo(text: string, sought: readonly string[]): number {
  let end = text.length;
  for (const secret of sought)
    for (let from = Math.max(0, text.length - secret.length + 1); from < end; from += 1)
      if (secret.startsWith(text.slice(from))) end = from;
  for (let moved = true; moved; ) {
    moved = false;
    for (const secret of sought) {
      const from = text.indexOf(secret, Math.max(0, end - secret.length + 1));
      if (from < 0 || from >= end) continue;
      end = from;
      moved = true;
    }
  }
  return end;
}

/** `write` is called with at most so many bytes of what is told, and once more to say so. */
export function transcriptOf(
  secrets: readonly string[],
  write: (text: string) => void,
  toldBytesMax: number,
): Transcript {
  const redactor = redactorOf(secrets);
  const { redact } = redactor;
  const kept: string[] = [];
  let bytes = 0;
  let leftOut = 0;
  let told = 0;
  const tell = (text: string): boolean => {
    if (told > toldBytesMax) return false;
    const clean = new TextEncoder().encode(redact(text));
    const room = toldBytesMax - told;
    told += clean.byteLength;
    const fits = new TextDecoder().decode(clean.subarray(0, room));
    if (fits !== "") write(fits);
    if (told <= toldBytesMax) return true;
    write(`\n[more than ${toldBytesMax} bytes of output: no more is kept here]\n`);
    return false;
  };
  return {
    ...redactor,
    tell,
    hear(from, message, invalid) {
      const line = redact(JSON.stringify({ from, message, ...(invalid !== null && { invalid }) }));
      if (bytes + line.length > BYTES_MAX) {
        leftOut += 1;
        return;
      }
      bytes += line.length;
      kept.push(line);
    },
    stream() {
      const decoder = new TextDecoder();
      const pieces = redactor.pieces();
      return {
        take: (chunk) => void tell(pieces.add(decoder.decode(chunk, { stream: true }))),
        end: () => void tell(pieces.add(decoder.decode()) + pieces.rest()),
      };
    },
    end() {
      const lines = leftOut === 0 ? kept : [...kept, JSON.stringify({ left_out: leftOut })];
      return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
    },
  };
}
