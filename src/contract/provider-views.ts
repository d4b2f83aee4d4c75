import { z } from "zod";
import { LOCAL_KINDS, PROVIDER_KINDS, PROVIDER_STATUSES } from "../domain/provider-facts.ts";
import { PLATFORM_NAMES } from "../domain/provider-platforms.ts";
import { Time } from "./first-views.ts";

export const ProbeResultView = z.object({
  model: z.string(),
  tool_call: z.enum(["works", "no_call", "wrong_call", "cut_off", "failed"]),
  detail: z.string(),
  /** What it keeps of a conversation, and what the model would allow; null: nobody says. */
  context_tokens: z.number().nullable(),
  context_tokens_max: z.number().nullable(),
  tokens_per_second: z.number().nullable(),
  /** What to change so that agents can work with it, the most pressing first. */
  change: z.array(z.string()),
});
export type ProbeResultView = z.infer<typeof ProbeResultView>;

export const ProviderView = z.object({
  id: z.string(),
  kind: z.enum(PROVIDER_KINDS),
  /** False: nobody has said anything of it; it is known because everyone's is. */
  configured: z.boolean(),
  status: z.enum(PROVIDER_STATUSES),
  detail: z.string(),
  /** What to do about it. */
  next: z.string().nullable(),
  base_url: z.string(),
  version: z.string().nullable(),
  key_name: z.string().nullable(),
  has_key: z.boolean(),
  executable: z.string().nullable(),
  models_directory: z.string().nullable(),
  model_file: z.string().nullable(),
  context_tokens: z.number().nullable(),
  prices: z.record(z.string(), z.object({ input: z.number(), output: z.number() })),
  /** What AgentOS started; null where it started nothing, and so never ends it. */
  started: z
    .object({
      how: z.enum(["process", "service"]),
      pid: z.number().nullable(),
      argv: z.array(z.string()),
      alive: z.boolean(),
    })
    .nullable(),
  /** The last one. */
  probe: ProbeResultView.extend({ at: Time }).nullable(),
});
export type ProviderView = z.infer<typeof ProviderView>;

export const ProviderListView = z.object({ platform: z.enum(PLATFORM_NAMES), items: z.array(ProviderView) });
export type ProviderListView = z.infer<typeof ProviderListView>;

export const DetectedView = ProviderListView.extend({
  /** Servers that answer and that nobody has added. */
  found: z.array(
    z.object({
      kind: z.enum(LOCAL_KINDS),
      base_url: z.string(),
      version: z.string().nullable(),
      on: z.enum(["this_machine", "windows"]),
      suggested_id: z.string(),
    }),
  ),
});
export type DetectedView = z.infer<typeof DetectedView>;

export const ProviderRanView = z.object({
  provider: ProviderView,
  /** What a person has to do now. */
  say: z.string().nullable(),
});

export const ProviderRemovedView = z.object({ id: z.string(), removed: z.literal(true) });

export const KeyKeptView = z.object({
  provider: z.string(),
  place: z.enum(["keychain", "file"]),
  /** A variable that is set and asked first: the stored key is not the one that is used. */
  hidden_by: z.string().nullable(),
});
export const KeyForgottenView = z.object({ provider: z.string(), forgotten: z.literal(true) });

export const ProviderModelsView = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      where: z.enum(["server", "disk"]),
      bytes: z.number().nullable(),
      loaded: z.boolean().nullable(),
      tools: z.boolean().nullable(),
      context_tokens_max: z.number().nullable(),
    }),
  ),
});

export const PulledView = z.object({ provider: z.string(), model: z.string(), said: z.string() });
export const ProviderLogView = z.object({ from: z.string(), text: z.string() });

export const BrowsedView = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  entries: z.array(z.object({ name: z.string(), kind: z.enum(["directory", "file"]) })),
  more: z.boolean(),
  roots: z.array(z.string()),
});
