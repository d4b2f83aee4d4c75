import type { ProviderKind } from "../../domain/provider-facts.ts";

/** How each kind wants to be shown a key. */
export function keyHeaders(kind: ProviderKind, key: string | null): Readonly<Record<string, string>> {
  const version = kind === "anthropic" ? { "anthropic-version": "2023-06-01" } : {};
  if (key === null) return version;
  switch (kind) {
    case "anthropic":
      return { ...version, "x-api-key": key };
    case "google":
      return { "x-goog-api-key": key };
    default:
      return { authorization: `Bearer ${key}` };
  }
}
