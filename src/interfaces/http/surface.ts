import type { UseCases } from "../../app/use-cases.ts";
import type { HealthView } from "../../contract/views.ts";

/** What the routes work with. */
export interface Surface {
  readonly cases: UseCases;
  /** Who a request without any token is: the person whose daemon this is. */
  readonly person: { readonly kind: "person"; readonly name: string };
  /** Counts task creations; throws `rate/limited` when there were too many. */
  readonly takeCreation: (points: number) => Promise<void>;
  readonly health: () => Promise<HealthView>;
  /** Asks the daemon to stop in good order; it answers first. */
  readonly stop: () => void;
}
