import { wordsOf } from "./command.ts";
import { COMMANDS, NOUNS } from "./commands.ts";
import { kebab } from "./program.ts";
import type { Shell } from "./shells.ts";

/** What every command takes. */
const COMMON = ["--json", "--quiet", "--home", "--port", "--help"];

interface Known {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly string[];
}

/** A script for the shell that completes commands and their flags, made from the table of commands. */
export async function completionFor(shell: Shell): Promise<string> {
  const known: Known[] = [];
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const { args } = await load();
    const flags = Object.entries(args.shape).flatMap(([field, schema]) =>
      wordsOf(schema as never)?.kind === "positional" ? [] : [`--${kebab(field)}`],
    );
    known.push({ name, summary, flags });
  }
  return SCRIPTS[shell](known);
}

const SCRIPTS: Readonly<Record<Shell, (known: readonly Known[]) => string>> = {
  bash: bashScript,
  // The same function: zsh knows how to use bash's.
  zsh: (known) => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(known)}`,
  fish: fishScript,
};

/** First words: commands of one word, and nouns. */
const firstWords = (known: readonly Known[]): readonly string[] => [
  ...new Set(known.map(({ name }) => name.split(" ")[0] ?? "")),
];

const verbsOf = (known: readonly Known[], noun: string): readonly string[] =>
  known.flatMap(({ name }) => (name.startsWith(`${noun} `) ? [name.slice(noun.length + 1)] : []));

function bashScript(known: readonly Known[]): string {
  const nouns = firstWords(known).filter((word) => Object.hasOwn(NOUNS, word));
  return [
    "_agentos() {",
    `  local current="\${COMP_WORDS[COMP_CWORD]}" words=""`,
    "  COMPREPLY=()",
    "  if (( COMP_CWORD == 1 )); then",
    `    words="${firstWords(known).join(" ")} --version --web ${COMMON.join(" ")}"`,
    "  else",
    `    case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in`,
    ...known
      .filter(({ name }) => name.includes(" "))
      .map(({ name, flags }) => `      "${name}") words="${[...flags, ...COMMON].join(" ")}" ;;`),
    "      *)",
    `        case "\${COMP_WORDS[1]}" in`,
    ...nouns.map((noun) => `          ${noun}) words="${verbsOf(known, noun).join(" ")}" ;;`),
    ...known
      .filter(({ name }) => !name.includes(" "))
      .map(({ name, flags }) => `          ${name}) words="${[...flags, ...COMMON].join(" ")}" ;;`),
    "        esac ;;",
    "    esac",
    "  fi",
    '  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$current")',
    "}",
    "complete -o default -F _agentos agentos",
  ].join("\n");
}

function fishScript(known: readonly Known[]): string {
  const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, "\\$&")}'`;
  const firsts = firstWords(known);
  const lines = ["complete -c agentos -f"];
  for (const first of firsts) {
    const about = NOUNS[first] ?? known.find(({ name }) => name === first)?.summary ?? "";
    lines.push(`complete -c agentos -n __fish_use_subcommand -a ${first} -d ${quoted(about)}`);
  }
  for (const { name, summary, flags } of known) {
    const [noun = "", verb] = name.split(" ");
    const within = `__fish_seen_subcommand_from ${noun}`;
    const verbs = verbsOf(known, noun).join(" ");
    if (verb !== undefined)
      lines.push(
        `complete -c agentos -n ${quoted(`${within}; and not __fish_seen_subcommand_from ${verbs}`)} -a ${verb} -d ${quoted(summary)}`,
      );
    const here = verb === undefined ? within : `${within}; and __fish_seen_subcommand_from ${verb}`;
    for (const flag of flags) lines.push(`complete -c agentos -n ${quoted(here)} -l ${flag.slice(2)}`);
  }
  for (const flag of COMMON) lines.push(`complete -c agentos -l ${flag.slice(2)}`);
  return lines.join("\n");
}
