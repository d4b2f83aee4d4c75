import type { OpenPlan, WorkItem } from "../../domain/plan.ts";
import type { Agent, PlanningCapabilities, WorkCapabilities, WorkOutcome } from "../../ports/agent.ts";

/** A program without a protocol: it gets the task as text and does what it does. Its plan is the task itself, as one item. */
export const commandAgent: Agent = {
  kind: "command",
  retry: "continue",
  retries: true,

  async plan({ spec, changeRequest }: PlanningCapabilities): Promise<Pick<OpenPlan, "items" | "notes">> {
    const writable = spec.scopes.find(({ access }) => access !== "read_only") ?? spec.scopes[0];
    if (writable === undefined) throw new Error("a task without a repo is planned");
    const argv = spec.agent.kind === "command" ? spec.agent.argv : [];
    const item: WorkItem = {
      id: "work",
      title: spec.title,
      repo: writable.repo,
      paths: [],
      commands: [argv.join(" ")],
      risk: "elevated",
      criterion: spec.criteria.length === 1 ? (spec.criteria[0]?.id ?? null) : null,
      dependsOn: [],
    };
    return {
      items: [item],
      notes: [
        "This agent is a plain command: it cannot be asked for a plan, and it asks for nothing. Mounts and egress alone govern it.",
        ...(changeRequest === null ? [] : ["Changes that were asked for reach it only by a revised spec."]),
      ],
    };
  },

  async work(_item: WorkItem, can: WorkCapabilities): Promise<WorkOutcome> {
    const { spec, lastFailure } = can;
    const prompt = [
      `# ${spec.title}`,
      spec.intent,
      ...(spec.criteria.length === 0 ? [] : [spec.criteria.map(({ text }) => `- ${text}`).join("\n")]),
      ...(spec.constraints.length === 0 ? [] : [spec.constraints.map((one) => `- ${one}`).join("\n")]),
      ...(lastFailure === null ? [] : [`The attempt before failed:\n${lastFailure}`]),
    ]
      .filter((part) => part !== "")
      .join("\n\n");
    const told = await can.turn({ prompt, words: {} });
    return told.stop === "end_turn"
      ? { done: true }
      : { done: false, cause: told.trouble ?? `it stopped: ${told.stop.replaceAll("_", " ")}` };
  },

  conclude: async () => undefined,
};
