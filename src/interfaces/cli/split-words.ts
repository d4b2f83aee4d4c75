/** One piece of a word: plain text, a character after a backslash, or what stands between quotes. */
const PIECE = /[^\s'"\\]+|\\.|'[^']*'|"(?:[^"\\]|\\.)*"/sy;

/** The words of a command as a shell would take them apart, and nothing else that a shell does. Null: a quote is not closed. */
export function splitWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at] ?? "")) {
      if (word !== null) words.push(word);
      word = null;
      at += 1;
      continue;
    }
    PIECE.lastIndex = at;
    const [piece] = PIECE.exec(text) ?? [];
    if (piece === undefined) return null;
    word = (word ?? "") + said(piece);
    at += piece.length;
  }
  return word === null ? words : [...words, word];
}

function said(piece: string): string {
  if (piece.startsWith("'")) return piece.slice(1, -1);
  if (piece.startsWith('"')) return piece.slice(1, -1).replace(/\\(["\\$`])/g, "$1");
  return piece.startsWith("\\") ? piece.slice(1) : piece;
}
