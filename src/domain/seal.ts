/**
 * Canonical form (RFC 8785) and its SHA-256 in hex. The domain is pure, so the implementation arrives as an argument.
 * Throws on what has no canonical form (lone surrogates, non-finite numbers).
 */
export type Seal = (value: unknown) => { readonly text: string; readonly sha256: string };
