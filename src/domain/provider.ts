import type { ProviderEvent, Recorded } from "./event.ts";
import type { ProbeResult, ProviderFacts, ProviderStatus, ServerStarted } from "./provider-facts.ts";

/** A provider at one moment, as far as the journal knows it. */
export interface Provider {
  readonly id: string;
  readonly facts: ProviderFacts;
  readonly createdAtMs: number;
  readonly removed: boolean;
  readonly status: ProviderStatus;
  /** Why it has that status, as a sentence without its end. */
  readonly detail: string | null;
  readonly statusAtMs: number | null;
  /** Null: AgentOS did not start what answers there, and so never ends it. */
  readonly started: ServerStarted | null;
  readonly probe: (ProbeResult & { readonly atMs: number }) | null;
}

/** A provider nothing has happened to yet. */
export const freshProvider = (id: string, facts: ProviderFacts, createdAtMs: number): Provider => ({
  id,
  facts,
  createdAtMs,
  removed: false,
  status: "unknown",
  detail: null,
  statusAtMs: null,
  started: null,
  probe: null,
});

export function bornProvider(id: string, { event, atMs }: Recorded<ProviderEvent>): Provider {
  if (event.type !== "PROVIDER_ADDED") throw new Error(`provider ${id} begins with ${event.type}`);
  return freshProvider(id, event.body, atMs);
}

export function evolveProvider(provider: Provider, { event, atMs }: Recorded<ProviderEvent>): Provider {
  switch (event.type) {
    case "PROVIDER_ADDED":
      if (!provider.removed) throw new Error(`provider ${provider.id} was added twice`);
      return freshProvider(provider.id, event.body, atMs);
    case "PROVIDER_CHANGED":
      return { ...provider, facts: event.body };
    case "PROVIDER_REMOVED":
      return { ...provider, removed: true };
    case "PROVIDER_STARTED":
      return { ...provider, started: event.body, status: "starting", detail: null, statusAtMs: atMs };
    case "PROVIDER_STOPPED":
      return { ...provider, started: null, status: "stopped", detail: event.body.because, statusAtMs: atMs };
    case "PROVIDER_STATUS_CHANGED":
      return { ...provider, status: event.body.status, detail: event.body.detail, statusAtMs: atMs };
    case "PROVIDER_KEY_STORED":
    case "PROVIDER_KEY_FORGOTTEN":
      return provider;
    case "PROVIDER_PROBED":
      return { ...provider, probe: { ...event.body, atMs } };
  }
}
