import type { Bench } from "./bench.ts";
import { api } from "./benches/api.ts";
import { cli } from "./benches/cli.ts";
import { policy } from "./benches/policy.ts";
import { sandbox } from "./benches/sandbox.ts";
import { start } from "./benches/start.ts";
import { steps } from "./benches/steps.ts";
import { workspaces } from "./benches/workspaces.ts";

export const BENCHES: readonly Bench[] = [steps, sandbox, policy, start, workspaces, cli, api];
