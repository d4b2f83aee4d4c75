import { Failure } from "./failure.ts";

/** Linux: a word with its end takes at most 32 pages. All words and the environment share what the stack leaves, nowhere less than this. */
const WORD_BYTES_MAX = 128 * 1024 - 1;
const WORDS_BYTES_MAX = 1024 ** 2;
/** What each word costs beside its bytes: its end, and a pointer to it. */
const WORD_COST = 9;

/** A command that no system starts is refused in words that whoever asked for it can act on: `input/invalid`. */
export function checkWords(argv: readonly string[]): void {
  let all = 0;
  for (const word of argv) {
    if (word.includes("\0")) throw refused("a word of the command holds a NUL character");
    const bytes = bytesOf(word);
    if (bytes > WORD_BYTES_MAX)
      throw refused(`a word of the command has ${bytes} bytes, and a program can be given ${WORD_BYTES_MAX}`);
    all += bytes + WORD_COST;
  }
  if (all > WORDS_BYTES_MAX)
    throw refused(`the command has ${all} bytes in all, and at most ${WORDS_BYTES_MAX} are started`);
}

const refused = (sentence: string): Failure =>
  new Failure("input/invalid", sentence, { next: "Put what is long into a file, and leave out what is no text." });

/** As UTF-8. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
