import { Failure } from "../../domain/failure.ts";
import type { OpenPlan, WorkItem } from "../../domain/plan.ts";
import { artifactName, type ScriptAct, type ScriptItem, type ScriptPlan } from "../../domain/script-plan.ts";
import type { Spec } from "../../domain/spec.ts";
import type { Agent, PlanningCapabilities, WorkCapabilities, WorkOutcome } from "../../ports/agent.ts";

/** Does what a person wrote into a plan file, act by act. Deterministic, without any model. */
export const scriptAgent: Agent = {
  kind: "script",
  retry: "restart",
  retries: true,

  async plan(can: PlanningCapabilities): Promise<Pick<OpenPlan, "items" | "notes">> {
    const plan = scriptOf(can.spec);
    const notes: string[] = [];
    for (const { repo, argv } of plan.explore) {
      const seen = await can.inspect(repo, argv);
      notes.push(
        `${repo}: ${argv.join(" ")} exited with ${seen.exitCode ?? "a signal"}: ${firstLine(seen.stdout || seen.stderr)}`,
      );
    }
    if (can.changeRequest !== null)
      notes.push(
        `Changes were asked for: ${firstLine(can.changeRequest)}. A script does what its file says; revise the file to change it.`,
      );
    return { items: plan.items.map(planned), notes };
  },

  async work(item: WorkItem, can: WorkCapabilities): Promise<WorkOutcome> {
    const script = scriptOf(can.spec).items.find(({ id }) => id === item.id);
    if (script === undefined) throw new Failure("plan/invalid", `the plan's work item ${item.id} is not in the script`);
    for (const act of script.acts) {
      const cause = await perform(script.repo, act, can);
      if (cause !== null) return { done: false, cause };
    }
    for (const path of script.artifacts ?? [])
      if (!(await can.keep(script.repo, path, artifactName(path))))
        return { done: false, cause: `the artifact ${path} is not there` };
    return { done: true };
  },

  conclude: async () => undefined,
};

async function perform(repo: string, act: ScriptAct, can: WorkCapabilities): Promise<string | null> {
  switch (act.act) {
    case "run": {
      const result = await can.run(repo, act);
      if (result.endedBy !== "itself") return `${act.argv.join(" ")} was ended by the limit on ${result.endedBy}`;
      return result.exitCode === 0 ? null : `${act.argv.join(" ")} exited with ${result.exitCode ?? "a signal"}`;
    }
    case "write":
      await can.write(repo, act.path, act.content, act.executable);
      return null;
    case "remove":
      await can.remove(repo, act.path);
      return null;
    case "replace": {
      const text = await can.read(repo, act.path);
      if (text === null) return `${act.path} is not there`;
      const first = text.indexOf(act.find);
      if (first < 0) return `${act.path} does not contain the text to replace`;
      if (text.indexOf(act.find, first + 1) >= 0) return `${act.path} contains the text to replace more than once`;
      await can.write(repo, act.path, text.slice(0, first) + act.with + text.slice(first + act.find.length), null);
      return null;
    }
  }
}

function planned(item: ScriptItem): WorkItem {
  const commands = item.acts.flatMap((act) => (act.act === "run" ? [act.argv.join(" ")] : []));
  const paths = item.acts.flatMap((act) => (act.act === "run" ? [] : [act.path]));
  const outside = item.acts.some((act) => act.act === "run" && act.network.length > 0);
  return {
    id: item.id,
    title: item.title,
    repo: item.repo,
    paths: [...new Set(paths)],
    commands,
    risk: outside ? "elevated" : "low",
    criterion: item.criterion,
    dependsOn: item.dependsOn,
  };
}

function scriptOf(spec: Spec): ScriptPlan {
  if (spec.agent.kind !== "script") throw new Error(`the script agent was given a spec for ${spec.agent.kind}`);
  return spec.agent.plan;
}

const firstLine = (text: string): string => (text.trim().split("\n")[0] ?? "").slice(0, 200).toWellFormed();
