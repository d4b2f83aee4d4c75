import { Failure } from "../../domain/failure.ts";

/** The operating system's place for secrets: Keychain, Credential Manager, or the secret service of a desktop. */
export interface Keychain {
  read(name: string): Promise<string | null>;
  write(name: string, value: string): Promise<void>;
  remove(name: string): Promise<boolean>;
}

const SERVICE = "agentos";
const PROBE = "agentos-probe";

/** A keychain may wait for a person who is not there; then there is none. */
const ANSWER_MS_MAX = 5_000;

/**
 * The kernel's keyring of Linux is not used: it forgets at the next boot, and a stored key would be gone without a word. Without a
 * desktop session, in a container and on most servers there is no secret service, so the file is what most machines use.
 *
 * @returns null where none answers
 */
export async function osKeychain(): Promise<Keychain | null> {
  // Native code, loaded at the first look for a key: an idle daemon and the command line have no use for it.
  const { AsyncEntry } = await import("@napi-rs/keyring");
  const entry = (name: string): InstanceType<typeof AsyncEntry> =>
    new AsyncEntry(SERVICE, name, { linux: { store: "secret-service" } });
  try {
    await entry(PROBE).getPassword(AbortSignal.timeout(ANSWER_MS_MAX));
  } catch {
    return null; // Absent, locked or refused: the file is used, and `place` says so.
  }
  return {
    read: (name) => answered(entry(name).getPassword(AbortSignal.timeout(ANSWER_MS_MAX))),
    write: (name, value) => answered(entry(name).setPassword(value, AbortSignal.timeout(ANSWER_MS_MAX))),
    remove: (name) => answered(entry(name).deleteCredential(AbortSignal.timeout(ANSWER_MS_MAX))),
  };
}

/** It worked when it was looked for: locked since, most likely, which a person can change. */
async function answered<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch {
    // Without its cause, which is a stranger's and may show what was to be stored.
    throw new Failure("secret/unreadable", "the keychain of this machine does not answer", {
      next: "Unlock it and try again.",
    });
  }
}
