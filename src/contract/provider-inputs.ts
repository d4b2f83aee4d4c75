import { z } from "zod";
import { isLinkLocal } from "../domain/link-local.ts";
import { isLocal, PROVIDER_KINDS } from "../domain/provider-facts.ts";
import { Slug } from "./inputs.ts";

/** The address of a server or an API; slashes at its end do not count. */
export const ProviderUrl = z
  .string()
  .max(2048)
  .refine(isPlainUrl, "must be an http or https url without user, query or fragment")
  .refine(
    (url) => !isPlainUrl(url) || !isLinkLocal(new URL(url).hostname),
    "must not be a link-local address: there clouds tell their machines' credentials, and nobody serves models",
  )
  .transform((url) => url.replace(/\/+$/, ""));

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text) || /[\s\\]/.test(text)) return false;
  const { protocol, username, password, search, hash, hostname } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + search + hash === "" && hostname !== "";
}

const MachinePath = z
  .string()
  .max(4096)
  .refine((path) => /^(\/|[A-Za-z]:[\\/])/.test(path) && !path.includes("\0"), "must be an absolute path");

export const KeyName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, "must be the name of an environment variable, never the key itself");

const Price = z.strictObject({ input: z.int().min(0).max(1e12), output: z.int().min(0).max(1e12) });
/** Millionths of a US dollar for a million tokens, by model. */
const Prices = z
  .record(z.string().min(1).max(200), Price)
  .refine((all) => Object.keys(all).length <= 500, "are too many");

export const Port = z.int().min(1).max(65_535);
export const ContextTokens = z.int().min(256).max(100_000_000);

const Said = {
  base_url: ProviderUrl.nullable().optional(),
  /** Of a server on this machine, instead of `base_url`. */
  port: Port.optional(),
  key_name: KeyName.nullable().optional(),
  executable: MachinePath.nullable().optional(),
  models_directory: MachinePath.nullable().optional(),
  model_file: MachinePath.nullable().optional(),
  context_tokens: ContextTokens.nullable().optional(),
  prices: Prices.optional(),
};

const onePlace = ({
  base_url,
  port,
}: {
  readonly base_url?: string | null | undefined;
  readonly port?: number | undefined;
}) => base_url === undefined || port === undefined;

export const NewProviderInput = z
  .strictObject({ id: Slug, kind: z.enum(PROVIDER_KINDS), ...Said })
  .refine(onePlace, "has both a base_url and a port")
  .refine(
    ({ kind, port }) => port === undefined || isLocal(kind),
    "has a port, and is no server of this machine: name its base_url",
  );
export type NewProviderInput = z.infer<typeof NewProviderInput>;

/** Null takes back what was said: then what is usual counts. */
export const ProviderChangeInput = z.strictObject(Said).refine(onePlace, "has both a base_url and a port");
export type ProviderChangeInput = z.infer<typeof ProviderChangeInput>;

const ModelName = z
  .string()
  .min(1)
  .max(300)
  .regex(/^[^\s\p{Cc}-][^\s\p{Cc}]*$/u, "must be one word that does not begin with a dash");

export const KeyInput = z.strictObject({
  key: z
    .string()
    .min(1)
    .max(20_000)
    .regex(/^[\x21-\x7e]+$/, "must be one word of printable characters"),
});
export const PullInput = z.strictObject({ model: ModelName });
export const ProbeInput = z.strictObject({ model: ModelName.optional() });
export const BrowseQuery = z.strictObject({ path: z.string().min(1).max(4096).optional() });
