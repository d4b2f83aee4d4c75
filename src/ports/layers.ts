export interface Layer {
  readonly key: string;
  readonly files: number;
  /** Hex SHA-256 over the sorted list of its files with mode, size and digest. */
  readonly listing: string;
  /** The wanted outputs that were there when it was made. */
  readonly outputs: readonly string[];
}

export interface Stores {
  readonly directory: string;
  readonly names: readonly string[];
}

/** The name of a store among a layer's outputs: no output of a checkout, which is a plain path, is called so. */
export const storeOutput = (name: string): string => `.agentos-store/${name}`;

export interface LayerUse {
  readonly key: string;
  readonly bytes: number;
  /** When it was last found or mounted, give or take an hour. */
  readonly usedAtMs: number;
}

/**
 * Prepared dependencies, kept by key and mounted read-only, never shared writable.
 * Contract: a layer exists whole or not at all, and once it exists it may be mounted: only `remove` takes it away, and nothing replaces
 * it. `adopt` moves the outputs out of the directory they were made in, follows no link of that directory (`act/denied`), and is durable before it
 * resolves. What a dead run left half-made is removed by `discard`.
 */
export interface Layers {
  find(key: string): Promise<Layer | null>;
  /** Of several who want the same key, one at a time works. Waiting ends with the signal's reason when it is aborted. */
  alone<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** The layer of that key: the one that is there already, else made of these outputs, and of these stores from another directory. */
  adopt(key: string, directory: string, outputs: readonly string[], stores?: Stores): Promise<Layer>;
  /** Host path of one output of the layer, null when it is not there. */
  path(key: string, output: string): Promise<string | null>;
  /** Removes what is half-made and nobody is making; never a whole layer. */
  discard(key: string): Promise<void>;
  /** Every whole layer, by key. */
  use(): Promise<readonly LayerUse[]>;
  /** Removes a layer whole, unless it was used after `unusedSinceMs`; whether it is gone. Nobody prepares the same key meanwhile. */
  remove(key: string, unusedSinceMs: number): Promise<boolean>;
}
