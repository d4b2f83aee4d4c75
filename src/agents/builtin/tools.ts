import { z } from "zod";
import type { Spec } from "../../domain/spec.ts";
import type { CommandResult, PlanningCapabilities, TalkCapabilities, WorkCapabilities } from "../../ports/agent.ts";
import type { ModelTool } from "../../ports/model.ts";

/** One row of what a model can call. `parse` comes first and does nothing; `act` goes through the capabilities only. */
export interface Tool<C> {
  readonly told: ModelTool;
  parse(args: unknown): { readonly act: (can: C) => Promise<string> } | { readonly wrong: string };
}

/** The call that ends a conversation. `wrong` is told to the model, which may try again. */
export interface Finish<T> {
  readonly told: ModelTool;
  take(args: unknown): { readonly handedIn: T } | { readonly wrong: string };
}

export function tool<C, S extends z.ZodType>(
  name: string,
  description: string,
  input: S,
  act: (can: C, input: z.infer<S>) => Promise<string>,
): Tool<C> {
  return {
    told: described(name, description, input),
    parse(args) {
      const parsed = input.safeParse(withoutNulls(args));
      return parsed.success ? { act: (can) => act(can, parsed.data) } : { wrong: wrongIn(parsed.error) };
    },
  };
}

export function described(name: string, description: string, input: z.ZodType): ModelTool {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(input, { io: "input" });
  return { name, description, parameters };
}

/** Models write null for what they leave out. */
export const withoutNulls = (args: unknown): unknown =>
  typeof args === "object" && args !== null && !Array.isArray(args)
    ? Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null))
    : args;

export const wrongIn = (error: z.ZodError): string =>
  error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.length === 0 ? "the arguments" : path.join(".")}: ${message}`)
    .join("; ")
    .slice(0, 600)
    .toWellFormed();

/** Which repo a call is about: with only one in the task it need not be said. */
export function repoIn(spec: Spec) {
  const [first, ...others] = spec.scopes.map(({ repo }) => repo);
  if (first === undefined) throw new Error("the spec has no scope");
  const named = z.enum([first, ...others]);
  return others.length === 0 ? named.default(first) : named;
}

const Command = z.string().min(1).max(8_000).describe("one line for sh, like: npm test");
const Path = z.string().min(1).max(1_000).describe("from the repo's top, like src/a.ts");
const LINES_AT_ONCE = 400;
const SHOWN_MOST = 300;

type Looking = Pick<WorkCapabilities, "read" | "list" | "search">;

function lookingTools(spec: Spec): readonly Tool<Looking>[] {
  const repo = repoIn(spec);
  return [
    tool(
      "read",
      `Read a text file, ${LINES_AT_ONCE} lines at once.`,
      z.strictObject({ repo, path: Path, from_line: z.int().min(1).default(1) }),
      async (can: Looking, { repo: at, path, from_line }) => {
        const text = await can.read(at, path);
        if (text === null) return `${path} is not there.`;
        const lines = text.split("\n");
        const shown = lines.slice(from_line - 1, from_line - 1 + LINES_AT_ONCE);
        const to = from_line - 1 + shown.length;
        const more = to < lines.length ? `; read on with from_line ${to + 1}` : "";
        return `[${path}, lines ${from_line} to ${to} of ${lines.length}${more}]\n${shown.join("\n")}`;
      },
    ),
    tool(
      "list",
      "List the files below a directory, or all of them.",
      z.strictObject({ repo, under: z.string().max(1_000).default("") }),
      async (can: Looking, { repo: at, under }) => {
        const paths = await can.list(at, under === "." ? "" : under.replace(/\/+$/, ""));
        if (paths.length === 0) return "There are none.";
        const more = paths.length > SHOWN_MOST ? `\n[${paths.length - SHOWN_MOST} more: list a directory below]` : "";
        return `${paths.slice(0, SHOWN_MOST).join("\n")}${more}`;
      },
    ),
    tool(
      "search",
      "Find lines that hold a text, which is no pattern; below a directory or everywhere.",
      z.strictObject({ repo, text: z.string().min(1).max(500), under: z.string().max(1_000).default("") }),
      async (can: Looking, { repo: at, text, under }) => {
        const { lines, more } = await can.search(at, text, under === "." ? "" : under.replace(/\/+$/, ""));
        if (lines.length === 0) return "No line holds it.";
        return `${lines.join("\n")}${more ? "\n[there are more: search for less]" : ""}`;
      },
    ),
  ];
}

const askTool: Tool<Pick<TalkCapabilities, "ask">> = tool(
  "ask",
  "Ask the person something that only they can say. It can take long: ask only what you cannot find out.",
  z.strictObject({
    question: z.string().min(1).max(4_000),
    choices: z.array(z.string().min(1).max(200)).max(8).default([]),
  }),
  async (can, { question, choices }) => `The person answered: ${await can.ask(question, choices)}`,
);

const noteTool = (spec: Spec): Tool<Pick<TalkCapabilities, "proposeNote">> =>
  tool(
    "propose_note",
    "Propose a short fact about this project that later tasks should know: a command, a convention, a trap. A person decides whether it is kept.",
    z.strictObject({ repo: repoIn(spec), text: z.string().trim().min(1).max(500) }),
    async (can, { repo, text }) => {
      await can.proposeNote(text, repo);
      return "It was proposed; a person decides.";
    },
  );

export const planningTools = (spec: Spec): readonly Tool<PlanningCapabilities>[] => [
  ...lookingTools(spec),
  tool(
    "inspect",
    "Run a shell command to look around. Nothing can be written and there is no network.",
    z.strictObject({ repo: repoIn(spec), command: Command }),
    async (can: PlanningCapabilities, { repo, command }) => outcomeOf(await can.inspect(repo, argvOf(command))),
  ),
  askTool,
  noteTool(spec),
];

export const workTools = (spec: Spec): readonly Tool<WorkCapabilities>[] => {
  const repo = repoIn(spec);
  return [
    ...lookingTools(spec),
    tool(
      "edit",
      "Replace a piece of text in a file by another. The text has to stand there exactly once, so give enough around it.",
      z.strictObject({ repo, path: Path, find: z.string().min(1), replace: z.string() }),
      async (can: WorkCapabilities, { repo: at, path, find, replace }) => {
        const text = await can.read(at, path);
        if (text === null) return `Nothing was changed: ${path} is not there.`;
        const first = text.indexOf(find);
        if (first < 0) return `Nothing was changed: ${path} does not hold that text. Read it again.`;
        if (text.indexOf(find, first + 1) >= 0)
          return `Nothing was changed: ${path} holds that text more than once. Give more of what stands around it.`;
        await can.write(at, path, text.slice(0, first) + replace + text.slice(first + find.length), null);
        return `${path} was changed.`;
      },
    ),
    tool(
      "write",
      "Write a whole file: a new one, or in place of what is there.",
      z.strictObject({ repo, path: Path, content: z.string(), executable: z.boolean().optional() }),
      async (can: WorkCapabilities, { repo: at, path, content, executable }) => {
        await can.write(at, path, content, executable ?? null);
        return `${path} was written.`;
      },
    ),
    tool(
      "remove",
      "Remove a file.",
      z.strictObject({ repo, path: Path }),
      async (can: WorkCapabilities, { repo: at, path }) => {
        await can.remove(at, path);
        return `${path} was removed.`;
      },
    ),
    tool(
      "run",
      "Run a shell command in the workspace, without network. Use the plan's own commands word for word.",
      z.strictObject({
        repo,
        command: Command,
        cwd: z.string().min(1).max(1_000).default("."),
        timeout_s: z.int().min(1).max(86_400).optional(),
      }),
      async (can: WorkCapabilities, { repo: at, command, cwd, timeout_s }) =>
        outcomeOf(
          await can.run(at, {
            argv: argvOf(command),
            cwd,
            network: [],
            timeoutMs: timeout_s === undefined ? null : timeout_s * 1_000,
          }),
        ),
    ),
    askTool,
    noteTool(spec),
  ];
};

/** Plain words run as they are; whatever a shell would read otherwise is text for one. */
export function argvOf(command: string): readonly string[] {
  const text = command.trim();
  return /^[\w@%+:,./-][\w@%+=:,./-]*( [\w@%+=:,./-]+)*$/.test(text) && !/^\w+=/.test(text)
    ? text.split(" ")
    : ["/bin/sh", "-c", text];
}

function outcomeOf({ exitCode, endedBy, stdout, stderr }: CommandResult): string {
  const how =
    endedBy === "itself" ? `exited with ${exitCode ?? "a signal"}` : `ended by the limit on ${endedBy}, before its end`;
  const parts = [
    ...(stdout.trim() === "" ? [] : [`stdout:\n${stdout.trimEnd()}`]),
    ...(stderr.trim() === "" ? [] : [`stderr:\n${stderr.trimEnd()}`]),
  ];
  return [how, ...(parts.length === 0 ? ["it put out nothing"] : parts)].join("\n");
}
