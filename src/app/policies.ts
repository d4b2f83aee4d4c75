import type { Actor } from "../domain/actor.ts";
import { Failure } from "../domain/failure.ts";
import type { Phase } from "../domain/phase.ts";
import type { RunMode } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";
import { policyStream, USER_POLICY } from "../domain/stream.ts";
import type { PolicyAnswer, PolicyLayer, PolicySetView } from "../ports/policy.ts";
import { StreamMoved } from "../ports/store.ts";
import type { AppDependencies } from "./deps.ts";
import { findProject } from "./projects.ts";

/** An act that might be asked for, of a task of this project, in a repo that it may change. */
export interface Supposed {
  readonly project: string | null;
  readonly act: { readonly argv: readonly string[] } | { readonly edit: string };
  readonly network: readonly string[];
  readonly phase: Phase;
  readonly runMode: RunMode;
  /** A work item of the approved plan names it. */
  readonly planned: boolean;
}

export interface Explained extends PolicyAnswer {
  /** What was asked for, where it was a step. */
  readonly step: string | null;
}

export const policies = (deps: AppDependencies) => {
  const idOf = async (project: string | null): Promise<string | null> =>
    project === null ? null : (await findProject(deps, project)).id;

  return {
    check: (layer: PolicyLayer): PolicySetView => deps.policies.check(layer),

    inForce: async (project: string | null): Promise<PolicySetView> => deps.policies.inForce(await idOf(project)),

    /** Checked, recorded, then in force from the next decision on. Without a project: the person's own file is written. */
    async set(by: Actor, project: string | null, text: string, grant: boolean): Promise<PolicySetView> {
      if (by.kind !== "person") throw new Failure("policy/invalid", "only a person may set policies");
      const id = await idOf(project);
      deps.policies.check({ name: id === null ? "user" : "project", text, granted: grant });
      const bytes = new TextEncoder().encode(text);
      const blob = await deps.store.stage(bytes);
      const sha256 = deps.digest(text);
      const stream = policyStream(id ?? USER_POLICY);
      for (let tries = 0; ; tries += 1)
        try {
          await deps.store.append({
            stream,
            expected: (await deps.store.latest(stream))?.seq ?? 0,
            events: [
              {
                actor: by,
                atMs: deps.clock.nowMs(),
                event: { type: "POLICY_SET", body: { text: blob.ref, sha256, granted: grant } },
              },
            ],
            blobs: [blob],
            lease: null,
          });
          break;
        } catch (error) {
          if (!(error instanceof StreamMoved) || tries === TRIES_MAX) throw error;
        }
      if (id === null) deps.userPolicy.write(text);
      return deps.policies.inForce(id);
    },

    /** What would be decided now, and by which policy. Nothing is run and nothing is recorded. */
    async suppose({ project, act, network, phase, runMode, planned }: Supposed): Promise<Explained> {
      const asked: Act =
        "argv" in act
          ? { kind: "command", repo: "repo", argv: act.argv, cwd: ".", timeoutMs: 0, network }
          : { kind: "edit", repo: "repo", path: act.edit, before: null, after: "", content: null, executable: null };
      const answer = await deps.policies.decide({
        principal: { kind: "agent", name: "any" },
        phase,
        runMode,
        act: asked,
        project: await idOf(project),
        scope: { repo: "repo", access: "full" },
        repoWritable: true,
        packageHosts: [],
        item: planned ? null : UNPLANNED,
        grants: [],
        approvedCommands: [],
      });
      return { ...answer, step: null };
    },

    /** What was decided before a step, as its evidence or the refusal says. */
    async explainStep(task: string, step: string): Promise<Explained> {
      for (let after = 0; ; ) {
        const page = await deps.store.tasks.events(task, after, PAGE);
        for (const { event } of page) {
          if (event.type === "DENIED" && event.body.step === step) {
            const { rule, reason } = event.body;
            return { step, verdict: "deny", rule, policy: rule, set: "", reason };
          }
          if ((event.type === "STEP_COMPLETED" || event.type === "STEP_FAILED") && event.body.step === step)
            for (const one of event.body.evidence)
              if (one.kind === "decision") return { step, ...(await withReason(task, one)) };
        }
        const last = page.at(-1);
        if (last === undefined)
          throw new Failure("task/not-found", `task ${task} has no finished step ${step} with a decision`, {
            next: `agentos task evidence ${task} names its steps.`,
          });
        after = last.seq;
      }
    },
  };

  async function withReason(
    task: string,
    { verdict, rule, policy, set }: Omit<PolicyAnswer, "reason">,
  ): Promise<PolicyAnswer> {
    const found = await deps.store.tasks.task(task);
    const now = await deps.policies.inForce(found?.task.project?.id ?? null);
    const standing = now.policies.find(({ layer, id }) => `${layer}:${id}` === policy);
    const reason =
      now.hash !== set ? "the policies were others then" : (standing?.reason ?? "no policy says more about it");
    return { verdict, rule, policy, set, reason };
  }
};

const PAGE = 500;
const TRIES_MAX = 20;
const UNPLANNED = {
  id: "item",
  title: "",
  repo: "repo",
  paths: [],
  commands: [],
  risk: "low",
  criterion: null,
  dependsOn: [],
} as const;
