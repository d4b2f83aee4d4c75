import type { Actor } from "../domain/actor.ts";
import { type ModelPolicy, modelsFor, NO_MODELS, type PhaseModels } from "../domain/model-policy.ts";
import { PHASES, type Phase } from "../domain/phase.ts";
import { MODEL_POLICY_STREAM } from "../domain/stream.ts";
import type { ModelStanding } from "../ports/model-check.ts";
import { StreamMoved } from "../ports/store.ts";
import type { AppDependencies } from "./deps.ts";
import { looks } from "./look.ts";
import { findProject } from "./projects.ts";

export type LayerName = "task" | "project" | "user";

/** Of which task or project the layers are wanted. */
export interface PolicyOf {
  readonly task: string | null;
  readonly project: string | null;
}

/** What each layer says (null: it was not asked for), and who is asked in each phase. */
export interface PolicyLayers {
  readonly task: ModelPolicy | null;
  readonly project: ModelPolicy | null;
  readonly user: ModelPolicy;
  readonly inForce: Readonly<Record<Phase, (PhaseModels & { readonly from: LayerName }) | null>>;
}

export interface CheckedModel extends ModelStanding {
  readonly provider: string;
  readonly model: string;
  /** The layers and phases that name it: `user any`. */
  readonly namedBy: readonly string[];
}

/** Which models do the work, by the layers: task before project before the person's own. */
export const modelPolicies = (deps: AppDependencies) => {
  const layers = async ({ task, project }: PolicyOf): Promise<PolicyLayers> => {
    const of = task === null ? null : (await looks(deps).spec(task)).value;
    const bound = task === null ? null : ((await deps.log.load(task)).task.project?.id ?? null);
    const named = project ?? bound;
    const found = named === null ? null : await findProject(deps, named);
    const each = {
      task: of === null ? null : (of.models ?? NO_MODELS),
      project: found === null ? null : (found.settings.models ?? NO_MODELS),
      user: await userPolicy(deps),
    };
    return { ...each, inForce: inForce(each) };
  };

  return {
    layers,

    /** The person's own layer, whole. Tasks take it up at their next stretch of work. */
    async set(by: Actor, policy: ModelPolicy): Promise<PolicyLayers> {
      const wanted = deps.seal(policy).text;
      for (;;) {
        const last = await deps.store.latest(MODEL_POLICY_STREAM);
        if (deps.seal(await userPolicy(deps)).text === wanted) break;
        try {
          await deps.store.append({
            stream: MODEL_POLICY_STREAM,
            expected: last?.seq ?? 0,
            events: [{ actor: by, atMs: deps.clock.nowMs(), event: { type: "MODEL_POLICY_SET", body: { policy } } }],
            blobs: [],
            lease: null,
          });
          break;
        } catch (error) {
          if (!(error instanceof StreamMoved)) throw error;
        }
      }
      return layers({ task: null, project: null });
    },

    /** Every model that a layer names, each once, with how it stands. Asks no model anything. */
    async check(
      of: PolicyOf,
    ): Promise<{ readonly models: readonly CheckedModel[]; readonly unnamed: readonly Phase[] }> {
      const seen = await layers(of);
      const named = new Map<string, { provider: string; model: string; namedBy: string[] }>();
      for (const layer of LAYERS)
        for (const [phase, { use }] of Object.entries(seen[layer] ?? {}))
          for (const { provider, model } of use) {
            const one = named.get(`${provider}/${model}`) ?? { provider, model, namedBy: [] };
            one.namedBy.push(`${layer} ${phase}`);
            named.set(`${provider}/${model}`, one);
          }
      return {
        models: await Promise.all(
          [...named.values()].map(async (one) => ({ ...one, ...(await deps.modelCheck.check(one)) })),
        ),
        unnamed: PHASES.filter((phase) => ASKS.has(phase) && seen.inForce[phase] === null),
      };
    },
  };
};

const LAYERS = ["task", "project", "user"] as const satisfies readonly LayerName[];
/** Gates are run by the system: no model has a part in verification unless one is named for it. */
const ASKS: ReadonlySet<Phase> = new Set<Phase>(["intent", "planning", "implementation"]);

/** What the person set for whoever names none. */
export async function userPolicy({ store }: Pick<AppDependencies, "store">): Promise<ModelPolicy> {
  const set = await store.latest(MODEL_POLICY_STREAM, ["MODEL_POLICY_SET"]);
  return set?.event.type === "MODEL_POLICY_SET" ? set.event.body.policy : NO_MODELS;
}

function inForce(each: Omit<PolicyLayers, "inForce">): PolicyLayers["inForce"] {
  const of = (phase: Phase): PolicyLayers["inForce"][Phase] => {
    for (const from of LAYERS) {
      const models = modelsFor(phase, [each[from] ?? NO_MODELS]);
      if (models !== null) return { ...models, from };
    }
    return null;
  };
  return {
    intent: of("intent"),
    planning: of("planning"),
    implementation: of("implementation"),
    verification: of("verification"),
  };
}
