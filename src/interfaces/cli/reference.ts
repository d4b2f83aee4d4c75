import { PROBLEMS } from "../../contract/problems.ts";
import { COMMANDS, NOUNS } from "./commands.ts";
import { helpOf } from "./program.ts";

const COLUMNS = 100;

/** `docs/cli.md`: what `--help` says of every command, from the same schemas. A test keeps the file equal to this. */
export async function cliReference(): Promise<string> {
  const groups = new Map<string, string[]>([
    ["", []],
    ...Object.keys(NOUNS).map((noun) => [noun, []] as [string, string[]]),
  ]);
  for (const name of Object.keys(COMMANDS))
    groups.get(name.includes(" ") ? (name.split(" ")[0] ?? "") : "")?.push(name);
  const sections: string[] = [];
  for (const [noun, names] of groups) {
    sections.push(noun === "" ? "## agentos" : `## ${noun}`);
    if (noun === "") sections.push(fenced(await helpOf("", COLUMNS)));
    else sections.push(`${NOUNS[noun] ?? ""}.`);
    for (const name of names) sections.push(`### agentos ${name}`, fenced(await helpOf(name, COLUMNS)));
  }
  return `${[HEAD, ...sections, EXITS, exitTable()].join("\n\n")}\n`;
}

const fenced = (text: string): string => `\`\`\`text\n${text.trimEnd()}\n\`\`\``;

const HEAD = `# The command line

This file is made from the schemas that parse the arguments (\`src/interfaces/cli/reference.ts\`); change those, then
\`npx vitest run --project unit src/interfaces/cli/reference -u\`.

Results go to stdout, talk and progress to stderr. With \`--json\` stdout is exactly one line (but for \`--help\`):
\`{"agentos":1,"ok":true,"data":…}\`, or \`{"agentos":1,"ok":false,"problem":{"code":…,"detail":…,"next":…}}\`, the latter
with \`data\` where something was found out before the problem. With \`--quiet\` stdout has ids only. Questions are asked only
on a terminal. Whatever a terminal would obey or hide is shown by its number (\`\\u{1b}\`), and a line break inside a line as ⏎.

A command that needs the daemon starts it. \`init\`, \`doctor\` and \`audit verify\` never do: they open the data directory
themselves. A task may be named by the beginning of its id, six characters or more, where that is the only one.

A setting comes from its flag, else its variable, else \`config.yaml\` in the data directory, else its default.`;

const EXITS = `## Exit codes

0 is done. A command with \`--wait\` says what became of the task: 0 succeeded, 10 it awaits approval, 11 it is blocked,
12 it failed, 13 it was canceled, 124 the time was up (the task goes on). 130 is an interrupt (the task goes on). 1 is an
answer of no: a person's to a question, or that of \`repo probe\` and \`provider probe\`. Everything else is a problem:`;

function exitTable(): string {
  const codes = new Map<number, string[]>();
  for (const [code, { exit }] of Object.entries(PROBLEMS)) codes.set(exit, [...(codes.get(exit) ?? []), `\`${code}\``]);
  return [
    "| exit code | problems |",
    "| --- | --- |",
    ...[...codes].sort(([one], [other]) => one - other).map(([exit, names]) => `| ${exit} | ${names.join(", ")} |`),
  ].join("\n");
}
