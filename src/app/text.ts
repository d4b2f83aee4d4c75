import type { StagedBlob } from "../ports/store.ts";
import type { AppDependencies } from "./deps.ts";

/** Stages a person's words; null stays null. */
export async function stageText(deps: AppDependencies, text: string | null): Promise<StagedBlob | null> {
  return text === null || text === "" ? null : deps.store.stage(new TextEncoder().encode(text));
}

export const present = (blobs: readonly (StagedBlob | null)[]): StagedBlob[] => blobs.filter((blob) => blob !== null);
