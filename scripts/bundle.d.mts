export interface Bundled {
  /** What the directory's name begins with. */
  readonly kind: string;
  /** Name → source, from the checkout. */
  readonly programs: Readonly<Record<string, string>>;
  /** Files and folders whose content gives the directory its name. */
  readonly sources: readonly string[];
  /** Programs that only loading does not start: their parsed code is kept at once. */
  readonly compiled: readonly string[];
}

export const PRODUCT: Bundled;

/** The bundle of these sources, made now unless it is there: the absolute path of its directory. */
export function bundle(root: string, wanted?: Bundled): Promise<string>;
