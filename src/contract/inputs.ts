import { z } from "zod";
import { DEPENDENCY_KINDS } from "../domain/dependency.ts";
import { REPO_ROLES } from "../domain/event.ts";
import { EXIT_REASONS, type ExitReason } from "../domain/exit-reason.ts";
import { MAY_CHANGE } from "../domain/finding.ts";
import { REPORT_FORMATS } from "../domain/gate.ts";
import { LAUNCHERS } from "../domain/launchers.ts";
import { PHASES } from "../domain/phase.ts";
import { PRIORITIES } from "../domain/priority.ts";
import { RUN_MODES } from "../domain/spec.ts";
import { STATUSES, type Status } from "../domain/task.ts";
import { DIRECTIONS, TASK_ORDERS } from "../domain/task-list.ts";
import { BLOCK_REASONS, type BlockReason } from "../domain/waiting.ts";
import { Json } from "./json.ts";
import { knownKeys, notOneOf } from "./known-keys.ts";
import { BudgetInput, ModelPolicyInput } from "./model-inputs.ts";
import { WholeNumber } from "./whole-number.ts";

/*
 * What comes in. Every object is strict: a field nobody knows is an error that names it, never silently dropped. Names on the
 * wire are snake_case.
 */

/** Text people see: no control characters but tab and newline, no lone surrogates. */
const words = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => !/[^\P{Cc}\t\n]/u.test(text), "has control characters")
    .refine((text) => text.isWellFormed(), "has half of a surrogate pair");

const oneLine = (most: number) =>
  words(most)
    .refine((text) => !/[\n\t]/.test(text), "must be one line")
    .refine((text) => text.trim() !== "", "must not be empty");

export const Slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "must be lower-case letters, digits, dot, dash or underscore, 64 at most");
export const Id = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, "must be an id of 26 characters");
const RelativePath = z
  .string()
  .min(1)
  .max(4096)
  .refine(
    (path) =>
      path === "." ||
      (!path.startsWith("/") &&
        !path.includes("\0") &&
        !path.includes("\\") &&
        path.split("/").every((part) => part !== ".." && part !== "" && part !== ".")),
    "must be a plain relative path",
  );
const AbsolutePath = z
  .string()
  .max(4096)
  .refine((path) => path.startsWith("/") && !path.includes("\0"), "must be an absolute path");
/** Neither `*` nor `?` makes one of these match a path of a repo: taken, they would limit a task to nothing, without a word. */
const PathPattern = z
  .string()
  .min(1)
  .max(1_000)
  .refine(
    (pattern) =>
      !pattern.includes("\0") &&
      pattern !== "/" &&
      pattern
        .replace(/\/$/, "")
        .split("/")
        .every((part) => part !== "" && part !== "." && part !== ".."),
    'must be a path from the top of the repo, without a first slash, "." or ".."; * stands for anything within a directory, ** for any depth',
  );
const word = z
  .string()
  .max(65_536)
  .refine((text) => !text.includes("\0"), "has a NUL");
const Argv = z.array(word).min(1).max(1_000);
/** Text for a shell, or an argv. */
const Command = z.union([word.min(1), Argv], "must be a command: a text for a shell, or a list of words");
const HostPort = z.string().regex(/^[a-zA-Z0-9.-]{1,253}:\d{1,5}$/, "must be host:port");
const Hash = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits");

const actKeys = <S extends z.core.$ZodLooseShape>(name: string, shape: S) => knownKeys(shape, `the act ${name} `);
const ACTS = {
  run: actKeys("run", {
    run: Command,
    cwd: RelativePath.default("."),
    network: z.array(HostPort).max(20).default([]),
    timeout_ms: z.int().min(1_000).max(86_400_000).optional(),
  }),
  write: actKeys("write", {
    write: RelativePath,
    content: z.string().max(4_000_000),
    executable: z.boolean().default(false),
  }),
  replace: actKeys("replace", {
    replace: RelativePath,
    find: z.string().min(1).max(1_000_000),
    with: z.string().max(1_000_000),
  }),
  remove: actKeys("remove", { remove: RelativePath }),
};
const ScriptAct = z.union([ACTS.run, ACTS.write, ACTS.replace, ACTS.remove], {
  error: ({ input }) => notOneOf("act", ACTS, input),
});

/** A plan file. A command as one string is given to `sh -c`. `repo` may be left out when the project has one. */
export const PlanFile = knownKeys({
  version: z.literal(1).default(1),
  explore: z
    .array(knownKeys({ repo: Slug.optional(), run: Command }))
    .max(50)
    .default([]),
  items: z
    .array(
      knownKeys({
        id: Slug,
        title: oneLine(300),
        repo: Slug.optional(),
        criterion: z.string().max(64).optional(),
        depends_on: z.array(Slug).max(100).default([]),
        do: z.array(ScriptAct).min(1).max(500),
        /** Files to keep when it is done, each under its last name. */
        artifacts: z
          .array(RelativePath.refine((path) => path !== ".", "must be a file"))
          .max(20)
          .default([]),
      }),
    )
    .min(1)
    .max(500),
});

const BranchName = z.string().min(1).max(200).refine(isBranchName, "is no branch name git takes");

export const NamedGateInput = z.strictObject({
  id: Slug,
  repo: Slug.optional(),
  beside: z.union([z.literal("all"), z.array(Slug).min(1).max(50)], "must be all, or a list of repos").optional(),
  run: Command,
  cwd: RelativePath.default("."),
  report: z.enum(REPORT_FORMATS).optional(),
  definition: z.array(RelativePath).max(100).default([]),
  timeout_ms: z.int().min(1_000).max(86_400_000).optional(),
});

export const ScopeInput = z.discriminatedUnion(
  "access",
  [
    z.strictObject({ repo: Slug, access: z.enum(["full", "read_only"]) }),
    z.strictObject({ repo: Slug, access: z.literal("paths"), paths: z.array(PathPattern).min(1).max(200) }),
  ],
  "must be full, read_only or paths",
);

/** `rerun`: how often a gate whose tests fail is run again; `passes`: whether a pass after failures counts. */
const FlakyInput = z.strictObject({ rerun: z.int().min(0).max(10), passes: z.boolean().default(true) });

export const LAUNCHER_NAMES = LAUNCHERS.map(({ name }) => name);
const ACP_NAMES = LAUNCHERS.map(({ name }) => `acp:${name}` as const);

/** A foreign agent by a command of one's own, with the protocol (`acp`) or without. */
const OwnAgentInput = z.union([
  z.strictObject({ kind: z.literal("acp"), agent: z.enum(LAUNCHER_NAMES).optional(), command: Command }),
  z.strictObject({ kind: z.literal("command"), command: Command }),
]);
const ACP_SAYS =
  'acp:NAME of one that agentos agent list shows, or your own: {"kind": "acp" or "command", "command": …}';
/** `acp:NAME`: an agent that AgentOS knows how to start. */
export const AgentInput = z.union(
  [z.enum(["builtin", "script", "gates", ...ACP_NAMES]), OwnAgentInput],
  `must be builtin, script, gates, ${ACP_SAYS}`,
);
export const ProjectAgentInput = z.union(
  [z.enum(["gates", "builtin", ...ACP_NAMES]), OwnAgentInput],
  `must be gates, builtin, ${ACP_SAYS}`,
);
/** A foreign agent to be tried; with what `project` grants. */
export const AgentTrialInput = z.strictObject({
  agent: z.union([z.enum(ACP_NAMES), OwnAgentInput], `must be ${ACP_SAYS}`),
  project: oneLine(200).optional(),
});
const ForkAgentInput = z.enum(["gates", "builtin"]);
/** What a spec may let the work change beside the product. */
export const MayChangeInput = z.enum(MAY_CHANGE);

const SPEC_FIELDS = {
  title: oneLine(300),
  intent: words(100_000),
  criteria: z
    .array(
      z.union(
        [oneLine(2_000), z.strictObject({ text: oneLine(2_000), gate: Slug.optional() })],
        'must be a text, or {"text": …, "gate": …}',
      ),
    )
    .max(100),
  constraints: z.array(oneLine(2_000)).max(100),
  scopes: z.array(ScopeInput).min(1).max(50),
  branches: z.record(Slug, BranchName),
  gates: z.array(NamedGateInput).max(50),
  prepare: z
    .array(
      z.strictObject({
        repo: Slug.optional(),
        run: z.union([z.literal(""), Command]),
        inputs: z.array(RelativePath).max(100).default([]),
        outputs: z.array(RelativePath).max(50).default([]),
        hosts: z.array(HostPort).max(50).default([]),
      }),
    )
    .max(50),
  agent: AgentInput,
  plan: PlanFile,
  run_mode: z.enum(RUN_MODES),
  /** `*` stands for anything; what such a command runs beside itself has to match too. */
  approved_commands: z.array(oneLine(1_000)).max(100),
  expects_change: z.boolean(),
  include_changes: z.boolean(),
  may_change: z.array(MayChangeInput).max(20),
  attempts: z.int().min(1).max(20),
  flaky: FlakyInput,
  /** Its own choice of models, before its project's and the person's. */
  models: ModelPolicyInput,
  /** What all of it may spend. */
  budget: BudgetInput,
  /** The model of the verification looks over the change and may add findings. */
  review: z.boolean(),
  limits: z.strictObject({
    step_ms: z.int().min(1_000).max(86_400_000).optional(),
    task_ms: z
      .int()
      .min(1_000)
      .max(365 * 86_400_000)
      .nullable()
      .optional(),
    stall_ms: z.int().min(1_000).max(86_400_000).optional(),
    stall_ends: z.boolean().optional(),
    memory_bytes: z
      .int()
      .min(16 * 1024 ** 2)
      .optional(),
    processes: z.int().min(4).max(100_000).optional(),
    output_bytes: z
      .int()
      .min(1_024)
      .max(1024 ** 3)
      .optional(),
  }),
};

/** In a change, what is not named stays as it is. */
export const SpecChangeInput = z.strictObject(SPEC_FIELDS).partial();

export const SpecInput = z.strictObject({
  ...SpecChangeInput.shape,
  title: SPEC_FIELDS.title,
});

/** Made from free-form input: bounded in depth and size where it is parsed. */
const Metadata = z
  .record(z.string().max(200), Json)
  .refine((value) => JSON.stringify(value).length <= 65_536, "must be at most 64 KiB of JSON");

export const NewTaskInput = z.strictObject({
  ...SpecInput.shape,
  created_by: oneLine(200).optional(),
  metadata: Metadata.optional(),
  priority: z.enum(PRIORITIES).optional(),
  session: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,100}$/, "must be letters, digits, dot, dash, colon or underscore, 100 at most")
    .optional(),
  project: oneLine(200).optional(),
  /** Tasks that come before it. */
  requires: z.array(Id).max(100).default([]),
  suggests: z.array(Id).max(100).default([]),
});

/** The task of the route requires, blocks or suggests the other. */
export const DependencyInput = z.strictObject({ kind: z.enum(DEPENDENCY_KINDS), other: Id });
export const GraphQuery = z.strictObject({
  project: oneLine(200).optional(),
  session: z.string().max(100).optional(),
});

/** Whoever is named does the work instead; the rest of the spec stays as it was frozen. */
export const ForkInput = z.strictObject({
  times: z.int().min(1).max(20).default(1),
  agent: ForkAgentInput.optional(),
  plan: PlanFile.optional(),
  created_by: oneLine(200).optional(),
});
export const CompareQuery = z.strictObject({
  tasks: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(Id).min(1).max(100)),
});

export const BindInput = z.strictObject({ project: oneLine(200) });
/** `plan` is the hash of what was looked at; `item` the work item, where one is asked for. */
export const ApproveInput = z.strictObject({
  plan: Hash,
  spec: Hash.optional(),
  item: Slug.optional(),
  reason: words(10_000).optional(),
});
export const RequestChangesInput = z.strictObject({
  request: words(100_000).refine((text) => text.trim() !== "", "must not be empty"),
});
export const ReasonInput = z.strictObject({ reason: words(10_000).optional() });
const MoreMs = z
  .int()
  .min(1_000)
  .max(30 * 86_400_000);
export const ResumeInput = z.strictObject({
  outcome: z.enum(["done", "redo", "abort"]).optional(),
  reason: words(10_000).optional(),
  /** Time the task gets beyond its limit. */
  more_ms: MoreMs.optional(),
  /** What it may spend beyond its budgets. */
  more: BudgetInput.optional(),
});
export const TaskChangeInput = z.strictObject({
  priority: z.enum(PRIORITIES).optional(),
  /** From the next step on. */
  run_mode: z.enum(RUN_MODES).optional(),
});

const PolicyText = z.string().max(1024 ** 2);
export const PolicyCheckInput = z.strictObject({
  text: PolicyText,
  layer: z.enum(["user", "project"]).default("project"),
  grant: z.boolean().default(false),
});
export const PolicySetInput = z.strictObject({
  text: PolicyText,
  /** Whose policies they are; without it: the person's own. */
  project: z.string().min(1).max(200).optional(),
  grant: z.boolean().default(false),
});
/** A step that was, or an act that might be. */
export const PolicyExplainInput = z
  .strictObject({
    task: Id.optional(),
    step: z.string().min(1).max(200).optional(),
    project: z.string().min(1).max(200).optional(),
    argv: z.array(z.string().max(100_000)).min(1).max(10_000).optional(),
    edit: z.string().min(1).max(4096).optional(),
    network: z.array(z.string().min(1).max(300)).max(100).default([]),
    phase: z.enum(PHASES).default("implementation"),
    run_mode: z.enum(RUN_MODES).default("assisted"),
    /** Whether a work item of the approved plan names it. */
    planned: z.boolean().default(true),
  })
  .refine(
    ({ task, step, argv, edit }) =>
      (task !== undefined) === (step !== undefined) &&
      [task, argv, edit].filter((one) => one !== undefined).length === 1,
    "name a task and its step, or one of argv and edit",
  );

export const BULK_VERBS = ["pause", "resume", "retry", "cancel", "accept"] as const;
const BULK_MOST = 1_000;
/** Which tasks: by id, or by a filter; everything only when that is said in words. */
export const BulkInput = z
  .strictObject({
    verb: z.enum(BULK_VERBS),
    ids: z.array(Id).min(1).max(BULK_MOST).optional(),
    project: oneLine(200).optional(),
    session: z.string().max(100).optional(),
    status: z.array(z.enum(STATUSES)).min(1).optional(),
    all: z.literal(true).optional(),
    cursor: z.string().max(200).optional(),
    limit: z.int().min(1).max(BULK_MOST).default(BULK_MOST),
    dry_run: z.boolean().default(false),
    reason: words(10_000).optional(),
    more_ms: MoreMs.optional(),
    more: BudgetInput.optional(),
  })
  .refine(({ ids, project, session, status, all }) => {
    const filtered = project !== undefined || session !== undefined || status !== undefined || all === true;
    return (ids !== undefined) !== filtered;
  }, "name the tasks: either ids, or a filter (project, session, status), or all");
export const AcceptInput = z.strictObject({
  reason: words(10_000).refine((text) => text.trim() !== "", "must not be empty"),
});
export const DeliverInput = z.strictObject({
  way: z.enum(["merge", "branch", "patch"]).default("merge"),
  branch: BranchName.optional(),
  push: BranchName.optional(),
  /** Moves nothing: a delivery that stands half-way is given up, and its branches stay as they are. */
  leave: z.boolean().default(false),
});
export const NoInput = z.strictObject({});

function isBranchName(name: string): boolean {
  return !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\.lock(\/|$)|^[-/.]|[/.]$|\/\.|^@$/u.test(name);
}

const GrantsInput = z.strictObject({
  hosts: z.array(HostPort).max(50).default([]),
  variables: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,100}$/, "must be the name of a variable"))
    .max(50)
    .default([]),
  files: z.array(RelativePath).max(50).default([]),
});
/** A program that speaks the Model Context Protocol over its streams. */
export const NewToolServerInput = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be lower-case letters, digits or dash, 32 at most"),
  argv: Argv,
  grants: GrantsInput.default({ hosts: [], variables: [], files: [] }),
});
/** Digests of the tools that are agreed to, all of them. */
export const PinToolsInput = z.strictObject({ digests: z.array(Hash).max(200) });

const ToolPath = z.array(AbsolutePath).max(200);
export const ProjectSettingsInput = z.strictObject({
  agent: ProjectAgentInput.nullable().optional(),
  /** What its foreign agents are let have, all of it: what is not named is taken back. */
  agent_grants: GrantsInput.optional(),
  run_mode: z.enum(RUN_MODES).nullable().optional(),
  package_hosts: z.array(HostPort).max(50).optional(),
  flaky: FlakyInput.nullable().optional(),
  tasks_max: z.int().min(1).max(64).nullable().optional(),
  /** Models of its tasks, before the person's own; what is sent replaces all of them. */
  models: ModelPolicyInput.optional(),
  approvals: z
    .strictObject({
      /** Whoever created a task may not approve what it proposes. */
      approver_not_creator: z.boolean().default(false),
      /** How long a proposal takes a yes. */
      expires_ms: z
        .int()
        .min(1_000)
        .max(365 * 86_400_000)
        .nullable()
        .default(null),
      /** Names of those who may answer; none: everyone. */
      delegates: z.array(oneLine(200)).max(100).default([]),
    })
    .optional(),
});
/** Checked where it is taken in, which says why one is no good. */
const RemoteUrl = z.string().min(1).max(2_000);
/** A local repository by its path, or a remote one by its url. */
export const NewRepoInput = z
  .strictObject({
    path: AbsolutePath.optional(),
    url: RemoteUrl.optional(),
    name: Slug.optional(),
    role: z.enum(REPO_ROLES).default("code"),
    writable: z.boolean().default(true),
    path_filters: z.array(PathPattern).max(200).default([]),
    /** Not said: the one that is checked out. Null: whatever is checked out when a task begins. */
    default_branch: BranchName.nullable().optional(),
    tool_path: ToolPath.optional(),
  })
  .refine(({ path, url }) => (path === undefined) !== (url === undefined), "must have either path or url");
export const NewProjectInput = z.strictObject({
  name: Slug,
  settings: ProjectSettingsInput.default({}),
  repos: z.array(NewRepoInput).max(50).default([]),
});
export const ProjectOfPathInput = z.strictObject({ path: AbsolutePath, tool_path: ToolPath.optional() });
export const DetectGatesInput = z.strictObject({ path: AbsolutePath, tool_path: ToolPath.optional() });
export const ProjectChangeInput = z.strictObject({ name: Slug.optional(), settings: ProjectSettingsInput.optional() });
export const RepoChangeInput = z.strictObject({
  path: AbsolutePath.optional(),
  role: z.enum(REPO_ROLES).optional(),
  writable: z.boolean().optional(),
  path_filters: z.array(PathPattern).max(200).optional(),
  default_branch: BranchName.nullable().optional(),
  tool_path: ToolPath.optional(),
});
export const GcInput = z.strictObject({ dry_run: z.boolean().default(false) });
export const CleanInput = z.strictObject({
  task: Id,
  /** Also where that gives up proven work which is not delivered. */
  undelivered: z.boolean().default(false),
});

const Page = WholeNumber.min(1).max(1_000);
/** Several of these, with commas between. */
const severalOf = <T extends string>(known: readonly [T, ...T[]]) =>
  z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(z.enum(known)));
/** A day (it begins at midnight UTC) or a moment, as ISO 8601; milliseconds since 1970. */
const Moment = z
  .union(
    [z.iso.date(), z.iso.datetime({ offset: true })],
    "must be a day or a moment as ISO 8601, e.g. 2026-01-31 or 2026-01-31T09:30:00Z",
  )
  .transform((text) => Date.parse(text));
export const TaskListQuery = z.strictObject({
  status: severalOf(STATUSES as unknown as [Status, ...Status[]]).optional(),
  project: oneLine(200).optional(),
  session: z.string().max(100).optional(),
  created_by: oneLine(200).optional(),
  block_reason: severalOf(Object.keys(BLOCK_REASONS) as [BlockReason, ...BlockReason[]]).optional(),
  exit_reason: severalOf(Object.values(EXIT_REASONS).flat() as unknown as [ExitReason, ...ExitReason[]]).optional(),
  created_from: Moment.optional(),
  created_before: Moment.optional(),
  text: words(200).optional(),
  search: oneLine(500).optional(),
  sort: z.enum(TASK_ORDERS).default("created"),
  direction: z.enum(DIRECTIONS).default("desc"),
  cursor: z.string().max(8_000).optional(),
  limit: Page.default(50),
});
export const EventsQuery = z.strictObject({
  after: WholeNumber.min(0).default(0),
  limit: Page.default(500),
});
/** `now`: only what comes after this moment, for whoever does not want to be told all that ever happened. */
export const AllEventsQuery = z.strictObject({
  ...EventsQuery.shape,
  after: z.union([z.literal("now"), WholeNumber.min(0)], "must be a whole number, or now").default(0),
});
export const LogsQuery = z.strictObject({
  step: z.string().max(200).optional(),
  bytes: WholeNumber.min(1)
    .max(64 * 1024 ** 2)
    .default(1024 ** 2),
});
/** From a byte of what a run put out; an offset past the end is the end. */
export const OutputQuery = z.strictObject({
  step: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/, "must be a step's name"),
  run: WholeNumber.min(1).max(1_000_000).default(1),
  offset: WholeNumber.min(0).default(0),
  bytes: WholeNumber.min(16)
    .max(1024 ** 2)
    .default(65_536),
});
export const DiffQuery = z.strictObject({ repo: Slug.optional() });
