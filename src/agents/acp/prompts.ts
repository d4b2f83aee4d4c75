import type { WorkItem } from "../../domain/plan.ts";
import type { Spec } from "../../domain/spec.ts";
import type { PersonsWord, PlanningCapabilities, TurnTold, WorkCapabilities } from "../../ports/agent.ts";

/** What the task is, as every prompt begins. */
function taskText(spec: Spec): string {
  const lines = [`# ${spec.title}`, "", spec.intent];
  if (spec.criteria.length > 0)
    lines.push("", "It is done when:", ...spec.criteria.map(({ id, text }) => `- ${id}: ${text}`));
  if (spec.constraints.length > 0) lines.push("", "Constraints:", ...spec.constraints.map((one) => `- ${one}`));
  lines.push("", "Repositories:");
  for (const scope of spec.scopes) {
    const may =
      scope.access === "full"
        ? "you may change all of it"
        : scope.access === "paths"
          ? `you may change only ${scope.paths.join(", ")}`
          : "you may only read it";
    lines.push(`- ${scope.repo} in /workspace/${scope.repo}: ${may}`);
  }
  const commands = spec.gates.filter(({ argv }) => argv.length > 0).map(({ argv }) => `- ${argv.join(" ")}`);
  if (commands.length > 0)
    lines.push("", "The result is judged by these commands, run elsewhere on your files:", ...commands);
  lines.push("", "There is no network but your model's. What you say about your work changes nothing; the files do.");
  return lines.join("\n").trim();
}

const PLAN_SHAPE = `End with exactly one JSON object, and nothing after it:
{"items": [{"id": "short-name", "title": "one line", "repo": "name", "paths": ["src/a.ts"], "commands": ["npm test"], "risk": "low", "criterion": null, "depends_on": []}], "notes": []}
"paths" are files or patterns you will change, "commands" what you will run, each exactly as you will run it; "risk" is "low" or "elevated"; "criterion" is the id of the criterion an item serves, or null; "depends_on" are ids of other items.`;

export function planPrompt({ spec, changeRequest }: PlanningCapabilities): string {
  return [
    taskText(spec),
    "Make a plan for this. Only look now: nothing can be changed yet, and whatever you try to write will fail. A person reads the plan before anything is done.",
    ...(changeRequest === null ? [] : [`A person asked for changes to the plan before this one:\n${changeRequest}`]),
    PLAN_SHAPE,
  ].join("\n\n");
}

export const repairPrompt = (why: string): string =>
  `That plan cannot be used: ${why}. Give it again, mended.\n\n${PLAN_SHAPE}`;

export function workPrompt(item: WorkItem, { spec, lastFailure }: WorkCapabilities): string {
  const agreed = [
    ...(item.paths.length === 0 ? [] : [`Files it concerns: ${item.paths.join(", ")}`]),
    ...(item.commands.length === 0 ? [] : [`Commands that were agreed on: ${item.commands.join("; ")}`]),
  ];
  return [
    taskText(spec),
    `The plan was approved. Do this item of it now, and only this: ${item.title} (in ${item.repo})`,
    ...agreed,
    ...(lastFailure === null ? [] : [`The attempt before failed:\n${lastFailure}`]),
    "Change the files; do not commit.",
  ].join("\n\n");
}

export const wordPrompt = (
  { tool, title, detail }: NonNullable<TurnTold["asked"]>,
  word: PersonsWord,
  prompt: string,
): string =>
  [
    word === "allow"
      ? `You asked to be allowed: ${title} (${tool}). A person allowed exactly that. Ask for it again in the same words and it will be granted, then go on.`
      : `You asked to be allowed: ${title} (${tool}). A person said no. Do without it, or stop.`,
    `It was: ${detail}`,
    `This was your task:\n\n${prompt}`,
  ].join("\n\n");

export const goOnPrompt = (prompt: string): string =>
  `You stopped because of a no. The rest of your task is still wanted: do it without that.\n\nThis was your task:\n\n${prompt}`;
