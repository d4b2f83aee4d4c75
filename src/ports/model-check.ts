import type { ModelTarget } from "../domain/model-policy.ts";

export interface ModelStanding {
  /** False: it cannot be used as it is. Null: nobody could say. */
  readonly ok: boolean | null;
  readonly says: string;
  /** What to do about it. */
  readonly next: string | null;
}

/** Contract: says whether a model can be asked (its provider known and answering, its key there, the model listed) without asking the model anything. */
export interface ModelCheck {
  check(target: Pick<ModelTarget, "provider" | "model">): Promise<ModelStanding>;
}
