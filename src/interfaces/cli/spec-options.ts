import { z } from "zod";
import type { SpecChangeInput } from "../../contract/inputs.ts";
import { MayChangeInput, NewTaskInput } from "../../contract/inputs.ts";
import { trouble } from "../client/trouble.ts";
import { AgentName, agentOnWire } from "./agent-choice.ts";
import { flag, option } from "./command.ts";
import { budget, modelsOf } from "./model-options.ts";
import { readPlanFile } from "./plan-file.ts";
import { Span } from "./span.ts";

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
  gate: option(
    many(),
    "NAME=COMMAND",
    "a command that proves the work by its exit code; NAME@REPO runs it in that repo, NAME@REPO+OTHER beside others, NAME@* beside all (each at $AGENTOS_REPOS/REPO)",
  ),
  branch: option(many(), "REPO=NAME", "the branch the work in that repo begins at and goes back to"),
  agent: option(AgentName.optional(), "AGENT", "who does the work"),
  agentCommand: option(z.string().min(1).optional(), "COMMAND", "an agent of your own, by its command"),
  agentPlain: flag(z.boolean().optional(), "with --agent-command: it speaks no protocol"),
  model: option(
    many(),
    "PROVIDER/MODEL",
    "the model it asks; named again, the next is asked where the one before cannot answer",
  ),
  phaseModel: option(
    many(),
    "PHASE=PROVIDER/MODEL",
    "the model of one phase: intent, planning, implementation or verification",
  ),
  budget: option(
    many(),
    "UNIT=N,…",
    "what it may spend before it waits and asks: tokens=200000,turns=50,usd=1.50,time=2h",
  ),
  plan: option(z.string().optional(), "FILE", "a plan file (YAML or JSON) for the script agent"),
  mode: option(NewTaskInput.shape.run_mode, "MODE", "how much you are asked (AGENTOS_RUN_MODE)"),
  approveCommand: option(many(), "PATTERN", "a command that is approved in advance, e.g. 'npm test*'"),
  includeChanges: flag(z.boolean().default(false), "let the task start with your uncommitted changes"),
  noChange: flag(z.boolean().default(false), "the work is to look, not to change: an empty change is no failure"),
  mayChange: option(
    many(),
    "WHAT",
    `what the work may change beside the product, so that nobody is asked about it: ${MayChangeInput.options.join(", ")}`,
  ),
  rerun: option(
    wholeNumber().optional(),
    "N",
    "run a gate whose tests fail again, up to N times; passing then counts, and is shown as flaky",
  ),
  scope: option(many(), "REPO=ACCESS", "what of a repo may change: full, read_only, or patterns like src/**,docs/**"),
  prepare: option(
    z.string().min(1).optional(),
    "COMMAND",
    "how the dependencies are prepared, instead of what was detected",
  ),
  prepareInput: option(many(), "PATH", "with --prepare: a file that decides what is prepared, e.g. a lock file"),
  prepareOutput: option(many(), "PATH", "with --prepare: a directory it makes, given to every step"),
  prepareHost: option(many(), "HOST:PORT", "with --prepare: a host it may reach"),
  noPrepare: flag(z.boolean().default(false), "there is nothing to prepare"),
  limit: option(
    many(),
    "NAME=VALUE",
    "a limit: step=10m, task=2h (or none), stall=5m, memory=2GiB, output=16MiB, processes=512",
  ),
  endStalled: flag(
    z.boolean().default(false),
    "end a step that shows no sign of life for as long as the limit stall says",
  ),
  review: flag(z.boolean().default(false), "have a model look over the change once no gate failed; it decides nothing"),
  attempts: option(wholeNumber().optional(), "N", "how often the work is tried before it stops"),
};

export type SpecGiven = z.infer<z.ZodObject<typeof SPEC_OPTIONS>>;

/** The same on the wire; what was not said is not in it. */
export async function specChange(given: SpecGiven, workingDirectory: string): Promise<z.input<typeof SpecChangeInput>> {
  const plan = given.plan === undefined ? undefined : await readPlanFile(given.plan, workingDirectory);
  const agent = agentOnWire(given.agent, given.agentCommand, given.agentPlain === true, workingDirectory);
  return {
    ...(given.intent !== undefined && { intent: given.intent }),
    ...(given.criterion !== undefined && { criteria: given.criterion.map(criterion) }),
    ...(given.constraint !== undefined && { constraints: given.constraint }),
    ...(given.branch !== undefined && { branches: Object.fromEntries(given.branch.map(branchOf)) }),
    ...(given.gate !== undefined && { gates: given.gate.map(gate) }),
    ...(agent !== undefined && { agent }),
    ...(plan !== undefined && { plan, agent: agent ?? "script" }),
    ...((given.model !== undefined || given.phaseModel !== undefined) && {
      models: modelsOf(given.model, given.phaseModel),
    }),
    ...(given.budget !== undefined && { budget: budget(given.budget) }),
    ...(given.mode !== undefined && { run_mode: given.mode }),
    ...(given.approveCommand !== undefined && { approved_commands: given.approveCommand }),
    ...(given.includeChanges && { include_changes: true }),
    ...(given.noChange && { expects_change: false }),
    ...(given.mayChange !== undefined && { may_change: given.mayChange.flatMap(mayChange) }),
    ...(given.rerun !== undefined && { flaky: { rerun: given.rerun } }),
    ...(given.scope !== undefined && { scopes: given.scope.map(scope) }),
    ...prepareChange(given),
    ...((given.limit !== undefined || given.endStalled) && {
      limits: { ...limits(given.limit ?? []), ...(given.endStalled && { stall_ends: true }) },
    }),
    ...(given.review && { review: true }),
    ...(given.attempts !== undefined && { attempts: given.attempts }),
  };
}

type Change = z.input<typeof SpecChangeInput>;

function prepareChange(given: SpecGiven): Pick<Change, "prepare"> {
  const { prepare, prepareInput, prepareOutput, prepareHost, noPrepare } = given;
  const details = [prepareInput, prepareOutput, prepareHost].some((one) => one !== undefined);
  if (noPrepare && (prepare !== undefined || details))
    throw trouble("input/invalid", "--no-prepare says that there is nothing to prepare, and --prepare how it is done", {
      next: "Give one of them.",
    });
  if (noPrepare) return { prepare: [{ run: "" }] };
  if (prepare === undefined && details)
    throw trouble("input/invalid", "what is prepared was described, but not by which command", {
      next: "For example: --prepare 'npm ci' --prepare-input package-lock.json --prepare-output node_modules",
    });
  if (prepare === undefined) return {};
  return {
    prepare: [
      {
        run: prepare,
        ...(prepareInput !== undefined && { inputs: prepareInput }),
        ...(prepareOutput !== undefined && { outputs: prepareOutput }),
        ...(prepareHost !== undefined && { hosts: prepareHost }),
      },
    ],
  };
}

export function scope(text: string): NonNullable<Change["scopes"]>[number] {
  const [, repo, access] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (repo === undefined || access === undefined)
    throw trouble("input/invalid", `--scope must be REPO=ACCESS, and ${JSON.stringify(text)} is not`, {
      next: "For example: --scope app=src/**,test/** --scope docs=read_only",
    });
  return access === "full" || access === "read_only"
    ? { repo, access }
    : { repo, access: "paths", paths: access.split(",") };
}

const BYTES_OF = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

function bytes(text: string): number | null {
  const [, n, unit] = /^(\d{1,9})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  return n === undefined ? null : Number(n) * (unit === undefined ? 1 : BYTES_OF[unit as keyof typeof BYTES_OF]);
}

const ms = (text: string): number | null => {
  const span = Span.safeParse(text);
  return span.success ? span.data : null;
};

type Limits = NonNullable<Change["limits"]>;
/** Each limit by its name: what its value comes to on the wire, null when it is none. */
const LIMITS: Readonly<Record<string, (value: string) => Limits | null>> = {
  step: (value) => limit("step_ms", ms(value)),
  task: (value) => (value === "none" ? { task_ms: null } : limit("task_ms", ms(value))),
  stall: (value) => limit("stall_ms", ms(value)),
  memory: (value) => limit("memory_bytes", bytes(value)),
  output: (value) => limit("output_bytes", bytes(value)),
  processes: (value) => limit("processes", /^\d{1,6}$/.test(value) ? Number(value) : null),
};
const limit = (field: keyof Limits, value: number | null): Limits | null =>
  value === null ? null : { [field]: value };

export function limits(texts: readonly string[]): Limits {
  return Object.assign(
    {},
    ...texts.map((text) => {
      const [name = "", value = ""] = text.split("=", 2);
      const found = Object.hasOwn(LIMITS, name) ? LIMITS[name]?.(value) : undefined;
      if (found == null)
        throw trouble("input/invalid", `--limit ${JSON.stringify(text)} is no limit`, {
          next: `There are ${Object.keys(LIMITS).join(", ")}; for example --limit step=10m --limit memory=4GiB`,
        });
      return found;
    }),
  ) as Limits;
}

export function criterion(text: string): string | { text: string; gate: string } {
  const arrow = /^(.*\S)\s*=>\s*([a-z0-9][a-z0-9._-]{0,63})\s*$/s.exec(text);
  return arrow === null ? text : { text: arrow[1] ?? "", gate: arrow[2] ?? "" };
}

/** One or several with commas between; what is none is refused with the list of those there are. */
export function mayChange(text: string): NonNullable<Change["may_change"]> {
  return text.split(",").map((one) => {
    const found = MayChangeInput.safeParse(one.trim());
    if (!found.success)
      throw trouble("input/invalid", `--may-change ${JSON.stringify(one)} is nothing that a spec can let change`, {
        next: `There are ${MayChangeInput.options.join(", ")}.`,
      });
    return found.data;
  });
}

function branchOf(text: string): [repo: string, branch: string] {
  const equals = text.indexOf("=");
  if (equals < 1 || equals === text.length - 1)
    throw trouble("input/invalid", `--branch must be REPO=NAME, and ${JSON.stringify(text)} is not`, {
      next: "For example: --branch app=release",
    });
  return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
}

export function gate(text: string): { id: string; run: string; repo?: string; beside?: "all" | string[] } {
  const equals = text.indexOf("=");
  const name = text.slice(0, equals).trim();
  const run = text.slice(equals + 1).trim();
  const [id = "", place, ...more] = name.split("@").map((part) => part.trim());
  const [repo, ...beside] = place?.split("+").map((part) => part.trim()) ?? [];
  if (equals < 1 || id === "" || run === "" || repo === "" || more.length > 0 || beside.includes(""))
    throw trouble("input/invalid", `--gate must be NAME=COMMAND, and ${JSON.stringify(text)} is not`, {
      next: "For example: --gate tests='npm test', or --gate fits@app+lib='make check'",
    });
  if (repo === "*") return { id, run, beside: "all" };
  return { id, run, ...(repo !== undefined && { repo }), ...(beside.length > 0 && { beside }) };
}
