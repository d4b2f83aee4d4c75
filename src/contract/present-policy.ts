import type { DecisionView, PolicyView } from "./views.ts";

interface Standing {
  readonly id: string;
  readonly layer: "shipped" | "user" | "project";
  readonly effect: "permit" | "forbid";
  readonly reason: string;
  readonly forbidsOpaque: boolean;
}

export const policyView = (set: {
  readonly hash: string;
  readonly layers: readonly { readonly name: string; readonly sha256: string; readonly problem: string | null }[];
  readonly policies: readonly Standing[];
}): PolicyView => ({
  hash: set.hash,
  layers: set.layers.map((layer) => ({ ...layer })),
  policies: set.policies.map(({ forbidsOpaque, ...rest }) => ({ ...rest, forbids_opaque: forbidsOpaque })),
});

export const decisionView = (one: DecisionView): DecisionView => ({ ...one });
