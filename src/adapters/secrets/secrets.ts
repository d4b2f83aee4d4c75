import type { SecretPlace, SecretRef, Secrets } from "../../ports/secrets.ts";
import { type Keychain, osKeychain } from "./keychain.ts";
import { secretFile } from "./secret-file.ts";

export interface SecretsOptions {
  /** The data directory; the daemon that writes here holds its lock. */
  readonly home: string;
  /** What the environment says under a name: only src/main reads it. */
  readonly environment: (variable: string) => string | undefined;
  /** The keychain, looked for at the first need; null: none works here. */
  readonly keychain?: () => Promise<Keychain | null>;
}

/** See the port for the order and the contract, secret-file.ts for what the file protects against. */
export function secrets({ home, environment, keychain = osKeychain }: SecretsOptions): Secrets {
  const file = secretFile(home);
  let looking: Promise<Keychain | null> | null = null;
  const chain = (): Promise<Keychain | null> => {
    looking ??= keychain();
    return looking;
  };

  const find = async ({ name, variable }: SecretRef): Promise<{ place: SecretPlace; value: string } | null> => {
    const said = variable === null ? undefined : environment(variable);
    if (said !== undefined && said !== "") return { place: "environment", value: said };
    const kept = (await (await chain())?.read(name)) ?? null;
    if (kept !== null) return { place: "keychain", value: kept };
    const filed = await file.read(name);
    return filed === null ? null : { place: "file", value: filed };
  };

  return {
    read: async (ref) => (await find(ref))?.value ?? null,
    place: async (ref) => (await find(ref))?.place ?? null,
    async write(name, value) {
      const found = await chain();
      if (found !== null) {
        await found.write(name, value);
        // Else an older one would come back where the keychain is locked one day.
        await file.remove(name);
        return "keychain";
      }
      await file.write(name, value);
      return "file";
    },
    async remove(name) {
      const kept = (await (await chain())?.remove(name)) ?? false;
      return (await file.remove(name)) || kept;
    },
  };
}
