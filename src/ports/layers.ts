export interface Layer {
  readonly key: string;
  readonly files: number;
  /** Hex SHA-256 over the sorted list of its files with mode, size and digest. */
  readonly listing: string;
}

/**
 * Prepared dependencies, kept by key and mounted read-only, never shared writable.
 * Contract: a layer exists whole or not at all; `adopt` moves the outputs out of the directory they were made in and is durable
 * before it resolves; a half-made layer of a dead run is removed by `discard`.
 */
export interface Layers {
  find(key: string): Promise<Layer | null>;
  adopt(key: string, directory: string, outputs: readonly string[]): Promise<Layer>;
  /** Host path of one output of the layer, null when the layer has no such output. */
  path(key: string, output: string): Promise<string | null>;
  discard(key: string): Promise<void>;
}
