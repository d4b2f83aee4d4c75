/** A person's word that no queued task is taken up: none of a project, or (`project` null) none at all. */
export interface Pause {
  /** The project's name. */
  readonly project: string | null;
  readonly sinceMs: number;
  readonly by: string;
  readonly reason: string | null;
}
