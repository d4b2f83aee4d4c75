import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localProviders } from "../../src/adapters/providers/providers.ts";
import { secrets } from "../../src/adapters/secrets/secrets.ts";
import { PLATFORMS, type PlatformName } from "../../src/domain/provider-platforms.ts";
import { type TestDaemon, temporaryDirectory, withDaemon } from "../support/daemon.ts";

const FIXTURES = join(import.meta.dirname, "..", "fixtures", "providers");
export const fixture = (name: string): string => join(FIXTURES, name);

export interface Machine {
  /** The data directory. */
  readonly home: string;
  readonly personHome: string;
  /** A file that stands for a model; its name says how the server behaves. */
  model(name: string): string;
  /** A daemon on this machine; started again after it was stopped, it finds what was there. */
  daemon(adapters?: NonNullable<Parameters<typeof withDaemon>[0]>["adapters"]): Promise<TestDaemon>;
}

/** A machine of a person's own: their home, their variables, and nothing of the machine the tests run on but its PATH. */
export function machine(
  wanted: {
    readonly platform?: PlatformName;
    readonly variables?: Readonly<Record<string, string>>;
    /** Where Windows is, seen from WSL. */
    readonly windowsHost?: string;
  } = {},
): Machine {
  const home = temporaryDirectory("home");
  const personHome = temporaryDirectory("person");
  const models = join(personHome, "models");
  mkdirSync(models);
  const variables: Readonly<Record<string, string>> = wanted.variables ?? {};
  const environment = {
    PATH: `${join(import.meta.dirname, "..", "..", "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`,
    HOME: personHome,
    ...variables,
  };
  const platform = PLATFORMS[wanted.platform ?? "linux"];
  return {
    home,
    personHome,
    model(name) {
      const path = join(models, `${name}.gguf`);
      writeFileSync(path, "GGUF");
      return path;
    },
    daemon: (adapters = {}) =>
      withDaemon({
        home,
        adapters: {
          ...adapters,
          providers: {
            ...localProviders({ home, personHome, platform, environment }),
            ...(wanted.windowsHost !== undefined && { windowsHost: async () => wanted.windowsHost ?? null }),
          },
          // Never the keychain of whoever runs the tests.
          secrets: secrets({ home, environment: (name) => variables[name], keychain: async () => null }),
        },
      }),
  };
}

/** Whether a process is there at all. */
export const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
