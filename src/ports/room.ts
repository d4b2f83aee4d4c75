/**
 * Space on the data directory's file system. A part of it is set aside, so that when the disk is full there is still room to write down
 * that tasks wait.
 */
export interface Room {
  /** Whether there is as little left that a write may have failed for it. Asks the file system. */
  full(): Promise<boolean>;
  /** Gives up what was set aside: it is there for the next writes. */
  release(): Promise<void>;
  /** Sets it aside again. False, and nothing changed, as long as work could not go on beside it. */
  setAside(): Promise<boolean>;
}
