/** A word as a POSIX shell reads it back, whatever is in it. A shell drops NUL bytes without a word: one is a `TypeError`. */
export function shellWord(word: string): string {
  if (word.includes("\0")) throw new TypeError(`a program cannot be given a NUL byte: ${JSON.stringify(word)}`);
  return `'${word.replaceAll("'", "'\\''")}'`;
}
