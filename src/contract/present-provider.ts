import type { Provider } from "../domain/provider.ts";
import type { ProbeResult } from "../domain/provider-facts.ts";
import { type Judged, nextFor, type Standing } from "../domain/provider-look.ts";
import type { Platform } from "../domain/provider-platforms.ts";
import { time } from "./present.ts";
import type { NewProviderInput, ProviderChangeInput } from "./provider-inputs.ts";
import type { ProbeResultView, ProviderView } from "./provider-views.ts";

interface Seen {
  readonly provider: Provider;
  readonly configured: boolean;
  readonly place: {
    readonly baseUrl: string;
    readonly executable: string | null;
    readonly modelsDirectory: string | null;
  };
  readonly hasKey: boolean;
  readonly ours: boolean;
  readonly judged: Judged | null;
  readonly standing: Standing;
}

export function providerView(
  { provider, configured, place, hasKey, ours, judged, standing }: Seen,
  platform: Platform,
): ProviderView {
  const { id, facts, started, probe } = provider;
  return {
    id,
    kind: facts.kind,
    configured,
    status: standing.status,
    detail: standing.detail,
    next: nextFor(id, facts.kind, standing, platform, place.executable !== null),
    base_url: place.baseUrl,
    version: judged?.version ?? null,
    key_name: facts.keyName,
    has_key: hasKey,
    executable: place.executable,
    models_directory: place.modelsDirectory,
    model_file: facts.modelFile,
    context_tokens: facts.contextTokens,
    prices: Object.fromEntries(Object.entries(facts.prices).map(([model, price]) => [model, { ...price }])),
    started:
      started === null
        ? null
        : { how: started.how, pid: started.mark?.pid ?? null, argv: [...started.argv], alive: ours },
    probe: probe === null ? null : { ...probeView(probe), at: time(probe.atMs) },
  };
}

export const probeView = (probe: ProbeResult): ProbeResultView => ({
  model: probe.model,
  tool_call: probe.toolCall,
  detail: probe.detail,
  context_tokens: probe.contextTokens,
  context_tokens_max: probe.contextTokensMax,
  tokens_per_second: probe.tokensPerSecond,
  change: [...probe.change],
});

/** What was said of a provider on the wire, in the words of the domain; what was not said is left out. */
export const factsSaid = (input: ProviderChangeInput | NewProviderInput) => ({
  ...(input.base_url !== undefined && { baseUrl: input.base_url }),
  ...(input.port !== undefined && { baseUrl: `http://127.0.0.1:${input.port}` }),
  ...(input.key_name !== undefined && { keyName: input.key_name }),
  ...(input.executable !== undefined && { executable: input.executable }),
  ...(input.models_directory !== undefined && { modelsDirectory: input.models_directory }),
  ...(input.model_file !== undefined && { modelFile: input.model_file }),
  ...(input.context_tokens !== undefined && { contextTokens: input.context_tokens }),
  ...(input.prices !== undefined && { prices: input.prices }),
});
