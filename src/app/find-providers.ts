import { LOCAL_KINDS, type LocalKind } from "../domain/provider-facts.ts";
import { OTHER_PORTS } from "../domain/provider-platforms.ts";
import type { ProviderLooking, ProviderSeen } from "./provider-places.ts";

/** A server that answers and that nobody has added yet. */
export interface FoundServer {
  readonly kind: LocalKind;
  readonly baseUrl: string;
  readonly version: string | null;
  /** Where: on this machine, or under WSL on Windows. */
  readonly on: "this_machine" | "windows";
  /** A name that is free. */
  readonly suggestedId: string;
}

const USUAL_PORTS: Readonly<Record<LocalKind, number>> = { ollama: 11_434, llamacpp: 8_080, lmstudio: 1_234 };

/** Servers beside the known ones: at the ports next to the usual, and under WSL at Windows' address. All are asked at the same time. */
export async function findServers(
  deps: ProviderLooking,
  seen: readonly ProviderSeen[],
): Promise<readonly FoundServer[]> {
  const windows = await deps.providers.windowsHost();
  const asked = new Set(seen.map(({ place }) => place.baseUrl));
  const candidates = LOCAL_KINDS.flatMap((kind) => [
    ...OTHER_PORTS[kind].map((port) => ({ kind, baseUrl: `http://127.0.0.1:${port}`, on: "this_machine" as const })),
    ...(windows === null
      ? []
      : [USUAL_PORTS[kind], ...OTHER_PORTS[kind]].map((port) => ({
          kind,
          baseUrl: `http://${windows}:${port}`,
          on: "windows" as const,
        }))),
  ]).filter(({ baseUrl }) => !asked.has(baseUrl));
  const judged = await Promise.all(
    candidates.map(async (one) => ({ ...one, judged: await deps.providers.look({ ...one, key: async () => null }) })),
  );
  const taken = new Set(seen.map(({ provider }) => provider.id));
  return judged
    .filter(({ kind, judged: { is } }) => is === kind)
    .map(({ kind, baseUrl, on, judged: { version } }) => {
      const stem = on === "windows" ? `${kind}-windows` : `${kind}-${baseUrl.slice(baseUrl.lastIndexOf(":") + 1)}`;
      let suggestedId = stem;
      for (let n = 2; taken.has(suggestedId); n += 1) suggestedId = `${stem}-${n}`;
      taken.add(suggestedId);
      return { kind, baseUrl, version, on, suggestedId };
    });
}
