/** Contract: where a program resolves for confined commands of a person with this PATH: its real path, or null. */
export interface Programs {
  resolve(toolPath: readonly string[], program: string): Promise<string | null>;
}
