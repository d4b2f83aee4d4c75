import { type Bench, type Figure, holds, median, type Ratio, type Result } from "./bench.ts";
import type { Machine } from "./machine.ts";

/** Markdown: a table per bench, medians with the smallest and the largest of the rounds. */
export function tableOf(
  about: Machine & { readonly command: string },
  results: readonly { readonly bench: Bench; readonly result: Result }[],
): string {
  const head = [
    `- command: \`${about.command}\``,
    `- commit: ${about.commit}, Node ${about.node}`,
    `- machine: ${about.machine}; load before: ${about.load}`,
    `- at: ${about.at}`,
  ];
  return `${[head.join("\n"), ...results.map(({ bench, result }) => benchTable(bench, result))].join("\n\n")}\n`;
}

function benchTable({ name, about }: Bench, { figures, ratios }: Result): string {
  return [
    `### ${name}`,
    "",
    `${about}.`,
    "",
    "| what | median | least – most | rounds |",
    "| --- | ---: | ---: | ---: |",
    ...figures.map(figureRow),
    ...ratios.map(ratioRow),
  ].join("\n");
}

const figureRow = ({ name, unit, values }: Figure): string => row(name, `${number(median(values))} ${unit}`, values);

function ratioRow(ratio: Ratio): string {
  const { name, values, wanted } = ratio;
  const bound = wanted === null ? "" : "least" in wanted ? `, at least ${wanted.least}` : `, at most ${wanted.most}`;
  const verdict = holds(ratio);
  return row(
    `**${name}**${bound}`,
    `**${number(median(values))} ×**${verdict === null ? "" : verdict ? " ✓" : " ✗"}`,
    values,
  );
}

const row = (what: string, middle: string, values: readonly number[]): string =>
  `| ${what} | ${middle} | ${number(Math.min(...values))} – ${number(Math.max(...values))} | ${values.length} |`;

const number = (value: number): string =>
  value >= 1_000 ? Math.round(value).toLocaleString("en-US") : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
