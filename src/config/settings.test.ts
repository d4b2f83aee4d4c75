import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CliFlags } from "./config.ts";
import { configFile, SETTINGS } from "./settings.ts";

const DOCUMENT = readFileSync(join(import.meta.dirname, "../../docs/settings.md"), "utf8");
const FLAGS: Readonly<Record<string, string>> = { home: "--home", port: "--port" } satisfies Record<
  keyof CliFlags,
  string
>;
/** What is usual where the code leaves it to others. */
const ELSEWHERE: Readonly<Record<string, string>> = { run_mode: "the project's, else `assisted`" };

test("the document about settings has each, with its variable, its flag and its default", () =>
  expect(DOCUMENT.split("\n").filter((line) => line.startsWith("| `"))).toEqual(
    Object.entries(SETTINGS).map(([name, { environment, file, otherwise, about }]) => {
      const usual = ELSEWHERE[name] ?? `\`${otherwise}\``;
      const flag = FLAGS[name] === undefined ? "" : `\`${FLAGS[name]}\``;
      return `| \`${name}\`${file ? "" : " (not in the file)"} | \`${environment}\` | ${flag} | ${usual} | ${about} |`;
    }),
  ));

test("config.yaml takes every setting that the table says it takes, and remotes", () =>
  expect(Object.keys(configFile().shape)).toEqual([
    ...Object.entries(SETTINGS).flatMap(([name, { file }]) => (file ? [name] : [])),
    "remotes",
  ]));
