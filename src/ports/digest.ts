/** Hex SHA-256 of bytes. */
export type BytesDigest = (bytes: Uint8Array) => string;
