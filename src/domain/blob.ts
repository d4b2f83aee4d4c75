/**
 * Names long or person-written content that lies outside the journal. `digest` is hex SHA-256 over salt ‖ bytes; the salt
 * lies with the content, so that erasing the content leaves nothing in the journal to guess it from.
 */
export interface BlobRef {
  readonly digest: string;
  readonly bytes: number;
}
