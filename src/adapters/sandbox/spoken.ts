import type { Writable } from "node:stream";

/** What is said to a process before and after it can hear: a stream whose writes wait for its stdin. */
export interface Spoken {
  readonly stream: WritableStream<Uint8Array>;
  /** From now on it is heard. */
  to(stdin: Writable): void;
  /** Nobody hears any more: writes that wait, and all later ones, are errors. */
  gone(): void;
}

export const spoken = (): Spoken => {
  let found: (stdin: Writable | null) => void = () => {};
  const hearing = new Promise<Writable | null>((resolve) => {
    found = resolve;
  });
  let isGone = false;
  const listener = async (): Promise<Writable> => {
    const stdin = await hearing;
    if (stdin === null || isGone) throw new Error("the process is gone");
    return stdin;
  };
  return {
    stream: new WritableStream<Uint8Array>({
      async write(chunk) {
        const stdin = await listener();
        await new Promise<void>((resolve, reject) => {
          stdin.write(chunk, (error) => (error ? reject(error) : resolve()));
        });
      },
      async close() {
        (await listener()).end();
      },
      abort: async () => {
        (await hearing)?.destroy();
      },
    }),
    to: (stdin) => found(stdin),
    gone: () => {
      isGone = true;
      found(null);
    },
  };
};
