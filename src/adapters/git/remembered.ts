export interface Remembered<T> {
  (key: string, ask: () => Promise<T>): Promise<T>;
  /** The answer, where it is kept. */
  known(key: string): T | null;
}

/**
 * Answers that cannot come out otherwise, because the key fixes them: what a text says, what objects contain by their ids. Each saves the
 * start of a git. The `most` that were asked for last are kept, none that is `tooLarge`; what failed is asked again.
 */
export function remembered<T>(
  most: number,
  tooLarge: (key: string, answer: T) => boolean = () => false,
): Remembered<T> {
  const known = new Map<string, T>();
  const answerTo = async (key: string, ask: () => Promise<T>): Promise<T> => {
    const before = known.get(key);
    const answer = before ?? (await ask());
    known.delete(key);
    if (tooLarge(key, answer)) return answer;
    known.set(key, answer);
    for (const oldest of known.keys()) {
      if (known.size <= most) break;
      known.delete(oldest);
    }
    return answer;
  };
  return Object.assign(answerTo, { known: (key: string) => known.get(key) ?? null });
}
