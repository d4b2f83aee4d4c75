import { release } from "node:os";
import { localProviders } from "../adapters/providers/providers.ts";
import { platformOf } from "../domain/provider-platforms.ts";
import type { Providers } from "../ports/providers.ts";
import { ownAccount } from "./account.ts";

/** The providers of this machine, looked for along the person's own PATH where there is one. */
export const machineProviders = (home: string, toolPath: readonly string[]): Providers =>
  localProviders({
    home,
    personHome: process.env["HOME"] ?? ownAccount().home,
    platform: platformOf(process.platform, release()),
    environment: { ...process.env, ...(toolPath.length > 0 && { PATH: toolPath.join(":") }) },
  });
