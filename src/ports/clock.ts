/** Wall clock for what is recorded. Durations and time-outs never come from it. */
export interface Clock {
  nowMs(): number;
}

/** New ids: ULIDs, 26 characters, in order of time. */
export interface Ids {
  ulid(): string;
  /** 128 random bits in hex. */
  nonce(): string;
}
