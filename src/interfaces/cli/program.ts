import { Argument, Command as CommanderCommand, CommanderError, Option } from "commander";
import { trouble } from "../client/trouble.ts";
import { type AnyCommand, wordsOf } from "./command.ts";
import { COMMANDS, INNER_NOUNS, NOUNS } from "./commands.ts";

/** What every command takes. */
export interface CommonFlags {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly home?: string;
  readonly port?: string;
}

/** What a person typed, understood as far as words go. */
export type Typed =
  | {
      readonly kind: "command";
      readonly name: string;
      readonly definition: AnyCommand;
      readonly given: Readonly<Record<string, unknown>>;
      readonly flags: CommonFlags;
    }
  /** `agentos` without a command: the menu, or the page with `--web`. */
  | { readonly kind: "alone"; readonly web: boolean; readonly flags: CommonFlags }
  | { readonly kind: "help"; readonly text: string; readonly asked: true }
  /** A noun without what it is to do: help stands in for that. */
  | { readonly kind: "help"; readonly text: string; readonly asked: false; readonly noun: string }
  | { readonly kind: "version"; readonly flags: CommonFlags };

/** Throws `input/invalid` for words and flags that do not exist, with the nearest that does. */
export async function readWords(words: readonly string[], columns: number): Promise<Typed> {
  const name = commandNamed(words);
  const definition = name === null ? null : ((await COMMANDS[name]?.load()) ?? null);
  let typed: Typed | null = null;
  const texts: string[] = [];
  const program = programFor(words, name, definition, columns, {
    ran: (what) => {
      typed = what;
    },
    write: (text) => texts.push(text),
  });
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { kind: "help", text: texts.join(""), asked: true };
    if (error.code === "commander.help")
      return { kind: "help", text: texts.join(""), asked: false, noun: plainWords(words).join(" ") };
    throw usage(
      error.message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)$/s, "; did you mean $1?"),
      name,
    );
  }
  if (typed === null) throw new Error("commander ran no action");
  return typed;
}

const usage = (sentence: string, name: string | null) =>
  trouble("input/invalid", sentence.trim().replace(/[^.?!]$/, "$&."), {
    next: `agentos ${name === null ? "" : `${name} `}--help shows what there is.`,
  });

/** Help of one command, for the reference. */
export async function helpOf(name: string, columns: number): Promise<string> {
  const typed = await readWords([...name.split(" ").filter((word) => word !== ""), "--help"], columns);
  return typed.kind === "help" ? typed.text : "";
}

interface Ends {
  ran(typed: Typed): void;
  write(text: string): void;
}

function programFor(
  words: readonly string[],
  chosen: string | null,
  definition: AnyCommand | null,
  columns: number,
  { ran, write }: Ends,
): CommanderCommand {
  const program = new CommanderCommand("agentos");
  const dress = (command: CommanderCommand): CommanderCommand =>
    command
      .exitOverride()
      .configureOutput({
        writeOut: write,
        writeErr: write,
        outputError: () => {},
        getOutHelpWidth: () => columns,
        getErrHelpWidth: () => columns,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
      .configureHelp({
        showGlobalOptions: true,
        visibleGlobalOptions: (command) =>
          (command === program ? [] : [...program.options]).filter(({ long }) => COMMON.has(long ?? "")),
      })
      .helpOption("-h, --help", "show help");

  dress(program)
    .description(
      "Runs agents on your repositories as durable tasks, and calls a task done only when it can prove it.\nAlone on a terminal it opens a menu.",
    )
    .option("--json", "answer with one JSON envelope on stdout")
    .option("-q, --quiet", "print ids only, and no talk")
    .option("--home <dir>", "the data directory (AGENTOS_HOME; ~/.agentos)");
  // A command with a port of its own means that one: `agentos provider add --port` is where the provider listens.
  if (definition === null || !Object.hasOwn(definition.args.shape, "port"))
    program.option("--port <n>", "the daemon's port (AGENTOS_PORT; 8000)");
  program
    .option("--web", "start the daemon, print the page's address and open it")
    .option("-V, --version", "say which AgentOS this is")
    .usage("[command] [options]")
    .addHelpText("after", "\nagentos <noun> --help lists what a noun can do; docs/cli.md has all of it.");
  program.helpCommand(false);
  // Only without any word: with an action of its own, commander would take an unknown command for an argument too many.
  if (plainWords(words).length === 0) program.action(() => ran(aloneOrVersion(program.opts())));

  const nouns = new Map<string, CommanderCommand>();
  const leaves = new Map<string, CommanderCommand>();
  for (const [name, { summary }] of Object.entries(COMMANDS)) {
    // Whoever typed one command sees nothing of the others, and making them all takes longer than most commands do.
    if (chosen !== null && !isOnTheWay(name, chosen)) continue;
    const [first = "", second, third] = name.split(" ");
    // `task deps add` stands under the command `task deps`, and `inbox show` under `inbox`, which come before them in the table.
    const parent =
      second === undefined
        ? program
        : (leaves.get(third === undefined ? first : `${first} ${second}`) ??
          nounOf(third === undefined ? first : `${first} ${second}`, nouns, program, dress));
    const leaf = dress(new CommanderCommand(third ?? second ?? first)).description(summary);
    leaf.helpCommand(false);
    leaves.set(name, leaf);
    if (name === chosen && definition !== null)
      fill(leaf, name, definition, (given) => {
        for (const lonely of ["web", "version"])
          if (program.opts()[lonely] === true)
            throw usage(`--${lonely} goes with no command, and ${name} is one`, name);
        ran({ kind: "command", name, definition, given, flags: common(program.opts()) });
      });
    parent.addCommand(leaf);
  }
  return program;
}

function nounOf(
  noun: string,
  nouns: Map<string, CommanderCommand>,
  program: CommanderCommand,
  dress: (command: CommanderCommand) => CommanderCommand,
): CommanderCommand {
  const known = nouns.get(noun);
  if (known !== undefined) return known;
  const [first = "", inner] = noun.split(" ");
  const made = dress(new CommanderCommand(inner ?? first)).description(NOUNS[noun] ?? INNER_NOUNS[noun] ?? "");
  made.helpCommand(false);
  nouns.set(noun, made);
  // `model policy` is no command and stands under `model`.
  (inner === undefined ? program : nounOf(first, nouns, program, dress)).addCommand(made);
  return made;
}

/** Flags of `agentos` itself that every command takes. */
const COMMON: ReadonlySet<string> = new Set(["--json", "--quiet", "--home", "--port"]);

const common = (options: Readonly<Record<string, unknown>>): CommonFlags => ({
  json: options["json"] === true,
  quiet: options["quiet"] === true,
  ...(typeof options["home"] === "string" && { home: options["home"] }),
  ...(typeof options["port"] === "string" && { port: options["port"] }),
});

const aloneOrVersion = (options: Readonly<Record<string, unknown>>): Typed =>
  options["version"] === true
    ? { kind: "version", flags: common(options) }
    : { kind: "alone", web: options["web"] === true, flags: common(options) };

/** What zod tells of a field's shape, without the wrappers. */
interface Shape {
  readonly optional: boolean;
  readonly type: string;
  readonly choices: readonly string[];
  readonly otherwise: unknown;
}

interface Inner {
  readonly def: {
    readonly type: string;
    readonly innerType?: Inner;
    readonly in?: Inner;
    readonly defaultValue?: unknown;
    readonly entries?: Readonly<Record<string, string>>;
  };
}

function shapeOf(schema: Inner): Shape {
  const { def } = schema;
  if (def.type === "optional" && def.innerType !== undefined) return { ...shapeOf(def.innerType), optional: true };
  if (def.type === "default" && def.innerType !== undefined)
    return { ...shapeOf(def.innerType), optional: true, otherwise: def.defaultValue };
  if (def.type === "pipe" && def.in !== undefined) return shapeOf(def.in);
  return { optional: false, type: def.type, choices: Object.values(def.entries ?? {}), otherwise: undefined };
}

function fill(
  leaf: CommanderCommand,
  name: string,
  definition: AnyCommand,
  act: (given: Record<string, unknown>) => void,
): void {
  const positionals: string[] = [];
  const read: ((options: Readonly<Record<string, unknown>>) => readonly [string, unknown])[] = [];
  for (const [field, schema] of Object.entries(definition.args.shape)) {
    const words = wordsOf(schema as never);
    if (words === undefined) throw new Error(`${name}: the argument ${field} says nothing about itself`);
    const shape = shapeOf(schema as Inner);
    const many = shape.type === "array";
    if (words.kind === "positional") {
      positionals.push(field);
      const value = `${words.value ?? field}${many ? "..." : ""}`;
      leaf.addArgument(new Argument(shape.optional ? `[${value}]` : `<${value}>`, words.about));
      continue;
    }
    const made = new Option(
      `--${kebab(field)}${words.kind === "flag" ? "" : ` <${words.value ?? "value"}>`}`,
      about(words.about, shape, many),
    );
    if (many) made.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    if (!shape.optional) made.makeOptionMandatory();
    leaf.addOption(made);
    const attribute = made.attributeName();
    // `--no-change` is a flag named noChange here, and commander's `change` turned off.
    read.push((options) => [field, made.negate ? options[attribute] === false || undefined : options[attribute]]);
  }
  if (definition.examples !== undefined)
    leaf.addHelpText("after", `\nExamples:\n${definition.examples.map((example) => `  ${example}`).join("\n")}`);
  leaf.action((...values: unknown[]) => {
    const options = leaf.opts();
    const given = [
      ...positionals.map((field, index) => [field, values[index]] as const),
      ...read.map((one) => one(options)),
    ];
    act(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
  });
}

function about(words: string, { choices, otherwise, type }: Shape, many: boolean): string {
  const extra = [
    choices.length > 0 ? choices.join(" | ") : "",
    many ? "may be repeated" : "",
    otherwise === undefined || type === "boolean" || type === "array" ? "" : `default: ${String(otherwise)}`,
  ].filter((text) => text !== "");
  return extra.length === 0 ? words : `${words} (${extra.join("; ")})`;
}

export const kebab = (field: string): string => field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const TAKES_VALUE: ReadonlySet<string> = new Set(["--home", "--port"]);

/** Which command the words name, null when none does. Only its file is loaded. */
export function commandNamed(words: readonly string[]): string | null {
  const [first = "", second = "", third = ""] = plainWords(words);
  return (
    [`${first} ${second} ${third}`, `${first} ${second}`, first].find((name) => Object.hasOwn(COMMANDS, name)) ?? null
  );
}

/** The words that are no flags and no values of the flags every command takes. */
/** Itself, the command it stands under, or one that stands under it. */
const isOnTheWay = (name: string, chosen: string): boolean =>
  name === chosen || chosen.startsWith(`${name} `) || name.startsWith(`${chosen} `);

function plainWords(words: readonly string[]): readonly string[] {
  return words.filter((word, at) => !word.startsWith("-") && !TAKES_VALUE.has(words[at - 1] ?? ""));
}
