/** The values used last, at most so many. */
export interface Recent<T> {
  get(key: string): T | undefined;
  remember(key: string, value: T): void;
}

export function recent<T>(most: number): Recent<T> {
  // A Map keeps the order of insertion: what is used again is put behind, so the first key is the one unused for longest.
  const values = new Map<string, T>();
  const touch = (key: string, value: T): void => {
    values.delete(key);
    values.set(key, value);
  };
  return {
    get(key) {
      const value = values.get(key);
      if (value !== undefined) touch(key, value);
      return value;
    },
    remember(key, value) {
      touch(key, value);
      if (values.size <= most) return;
      const [oldest] = values.keys();
      if (oldest !== undefined) values.delete(oldest);
    },
  };
}
