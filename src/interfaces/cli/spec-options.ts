import { z } from "zod";
import type { SpecChangeInput } from "../../contract/inputs.ts";
import { NewTaskInput } from "../../contract/inputs.ts";
import { trouble } from "../client/trouble.ts";
import { flag, option } from "./command.ts";
import { readPlanFile } from "./plan-file.ts";

const many = () => z.array(z.string()).optional();
const wholeNumber = () =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number);

/** What `task create` and `task revise` can say about the work. */
export const SPEC_OPTIONS = {
  intent: option(z.string().optional(), "TEXT", "what is to be done, at length"),
  criterion: option(many(), "TEXT", 'an acceptance criterion; "TEXT => GATE" names the gate that proves it'),
  constraint: option(many(), "TEXT", "something the work must not do"),
  gate: option(many(), "NAME=COMMAND", "a command that proves the work by its exit code"),
  agent: option(NewTaskInput.shape.agent, "AGENT", "who does the work"),
  plan: option(z.string().optional(), "FILE", "a plan file (YAML or JSON) for the script agent"),
  mode: option(NewTaskInput.shape.run_mode, "MODE", "how much you are asked (AGENTOS_RUN_MODE)"),
  includeChanges: flag(z.boolean().default(false), "let the task start with your uncommitted changes"),
  noChange: flag(z.boolean().default(false), "the work is to look, not to change: an empty change is no failure"),
  rerun: option(
    wholeNumber().optional(),
    "N",
    "run a gate whose tests fail again, up to N times; passing then counts, and is shown as flaky",
  ),
  attempts: option(wholeNumber().optional(), "N", "how often the work is tried before it stops"),
};

export type SpecGiven = z.infer<z.ZodObject<typeof SPEC_OPTIONS>>;

/** The same on the wire; what was not said is not in it. */
export async function specChange(given: SpecGiven, workingDirectory: string): Promise<z.input<typeof SpecChangeInput>> {
  const plan = given.plan === undefined ? undefined : await readPlanFile(given.plan, workingDirectory);
  return {
    ...(given.intent !== undefined && { intent: given.intent }),
    ...(given.criterion !== undefined && { criteria: given.criterion.map(criterion) }),
    ...(given.constraint !== undefined && { constraints: given.constraint }),
    ...(given.gate !== undefined && { gates: given.gate.map(gate) }),
    ...(given.agent !== undefined && { agent: given.agent }),
    ...(plan !== undefined && { plan, agent: given.agent ?? "script" }),
    ...(given.mode !== undefined && { run_mode: given.mode }),
    ...(given.includeChanges && { include_changes: true }),
    ...(given.noChange && { expects_change: false }),
    ...(given.rerun !== undefined && { flaky: { rerun: given.rerun } }),
    ...(given.attempts !== undefined && { attempts: given.attempts }),
  };
}

export function criterion(text: string): string | { text: string; gate: string } {
  const arrow = /^(.*\S)\s*=>\s*([a-z0-9][a-z0-9._-]{0,63})\s*$/s.exec(text);
  return arrow === null ? text : { text: arrow[1] ?? "", gate: arrow[2] ?? "" };
}

export function gate(text: string): { id: string; run: string } {
  const equals = text.indexOf("=");
  const id = text.slice(0, equals).trim();
  const run = text.slice(equals + 1).trim();
  if (equals < 1 || id === "" || run === "")
    throw trouble("input/invalid", `--gate must be NAME=COMMAND, and ${JSON.stringify(text)} is not`, {
      next: "For example: --gate tests='npm test'",
    });
  return { id, run };
}
