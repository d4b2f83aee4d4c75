/** What a secret is asked for by: never the secret. */
export interface SecretRef {
  /** What it is stored under: a provider's id. */
  readonly name: string;
  /** The environment variable that comes before anything stored, where the settings name one. */
  readonly variable: string | null;
}

/** Where a secret was found or put, for people to see. */
export type SecretPlace = "environment" | "keychain" | "file";

/**
 * Contract: secrets by name, for the daemon alone. The environment's comes first, then the operating system's keychain where one works,
 * then the file of the data directory. A value stands in no error and no log; it is handed to nobody but the caller of `read`. What is
 * there and must not be trusted, because others can read it or it was changed, is `secret/unreadable`: it is never taken as absent.
 */
export interface Secrets {
  /** null: there is none. */
  read(ref: SecretRef): Promise<string | null>;
  /** Where `read` would find it; null: there is none. */
  place(ref: SecretRef): Promise<SecretPlace | null>;
  /** Durable when it resolves; replaces what was stored under the name, wherever that was. Says where it is now. */
  write(name: string, value: string): Promise<"keychain" | "file">;
  /** Forgets what is stored; false: nothing was. What the environment says is not AgentOS's to forget. */
  remove(name: string): Promise<boolean>;
}
