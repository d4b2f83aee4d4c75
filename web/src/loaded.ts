import { useEffect, useState } from "react";

export type Loaded<Value> =
  | { readonly state: "loading" }
  | { readonly state: "ready"; readonly value: Value }
  /** `stale` is what was shown before: an old truth with a warning beats an empty page. */
  | { readonly state: "failed"; readonly sentence: string; readonly stale: Value | null };

/** Loads at mount and again for each new revision; a newer load cancels the older. `load` must keep its identity. */
export function useLoaded<Value>(load: (signal: AbortSignal) => Promise<Value>, revision: number): Loaded<Value> {
  const [loaded, setLoaded] = useState<{ readonly by: typeof load; readonly what: Loaded<Value> }>();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is the reason to load again.
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).then(
      (value) => setLoaded({ by: load, what: { state: "ready", value } }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const sentence = error instanceof Error ? error.message : String(error);
        setLoaded((before) => {
          const stale = before?.by === load ? shown(before.what) : null;
          return { by: load, what: { state: "failed", sentence, stale } };
        });
      },
    );
    return () => abort.abort();
  }, [load, revision]);

  // What an earlier `load` brought (another task's history) is never shown as this one's.
  return loaded?.by === load ? loaded.what : { state: "loading" };
}

/** The value to show: the fresh one, the stale one, or none yet. */
export function shown<Value>(loaded: Loaded<Value>): Value | null {
  if (loaded.state === "ready") return loaded.value;
  return loaded.state === "failed" ? loaded.stale : null;
}
