import type { Bench } from "./bench.ts";
import { steps } from "./benches/steps.ts";

export const BENCHES: readonly Bench[] = [steps];
