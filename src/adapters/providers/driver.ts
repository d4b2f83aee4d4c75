import type { ContextWindow, Launch, ProviderModel, ProviderPlace } from "../../ports/providers.ts";

/** What the kinds of providers do each in their own way. */
export interface Driver {
  models(place: ProviderPlace): Promise<readonly ProviderModel[]>;
  window(place: ProviderPlace, model: string): Promise<ContextWindow>;
  /** What it said last; throws `provider/refused` where it cannot fetch models. */
  pull(place: ProviderPlace, model: string): Promise<string>;
  /** How its server is started; throws `provider/refused` that says what is missing. */
  launch(place: ProviderPlace): Promise<Launch>;
}
