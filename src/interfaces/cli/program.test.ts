import { globSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { problemOf } from "../client/trouble.ts";
import { COMMANDS } from "./commands.ts";
import { kebab, readWords, type Typed } from "./program.ts";

const read = (...words: string[]): Promise<Typed> => readWords(words, 100);
const refused = async (...words: string[]) => problemOf(await read(...words).catch((error: unknown) => error));

describe("words are understood:", () => {
  test("a command with arguments, flags, lists and the flags of every command anywhere", async () => {
    const typed = await read(
      "--home",
      "/data",
      "task",
      "create",
      "Mend it",
      "--criterion",
      "a",
      "--criterion",
      "b => tests",
      "--no-change",
      "--wait",
      "--json",
    );
    expect(typed).toMatchObject({
      kind: "command",
      name: "task create",
      given: { title: "Mend it", criterion: ["a", "b => tests"], noChange: true, wait: true },
      flags: { json: true, quiet: false, home: "/data" },
    });
  });

  test("a flag that was not said is not there", async () => {
    const typed = await read("task", "create", "Mend it");
    expect(typed.kind === "command" && typed.given).toEqual({ title: "Mend it" });
  });

  test("nothing, the page, the version", async () => {
    expect(await read()).toMatchObject({ kind: "alone", web: false });
    expect(await read("--web", "--port", "9000")).toMatchObject({ kind: "alone", web: true, flags: { port: "9000" } });
    expect(await read("--version", "--json")).toMatchObject({ kind: "version", flags: { json: true } });
  });

  test("a noun alone shows what it can do, and is no success", async () => {
    const typed = await read("task");
    expect(typed).toMatchObject({ kind: "help", asked: false });
    expect(typed.kind === "help" && typed.text).toContain("request-changes");
  });
});

describe("words that are not understood are refused in a sentence, with the nearest that is:", () => {
  const wrong: readonly (readonly [words: readonly string[], detail: string])[] = [
    [["tsk"], "unknown command 'tsk'; did you mean task?"],
    [["task", "shw"], "unknown command 'shw'; did you mean show?"],
    [["task", "create", "x", "--wiat"], "unknown option '--wiat'; did you mean --wait?"],
    [["task", "show"], "missing required argument 'ID'."],
    [["task", "show", "A", "B"], "too many arguments for 'show'. Expected 1 argument but got 2: A, B."],
    [["task", "accept", "A"], "required option '--reason <TEXT>' not specified."],
    [["task", "create", "x", "--intent"], "option '--intent <TEXT>' argument missing."],
    [["--nonsense"], "unknown option '--nonsense'."],
    [["task", "list", "--web"], "--web goes with no command, and task list is one."],
  ];
  test.each(wrong)("%j", async (words, detail) => {
    const problem = await refused(...words);
    expect(problem?.code).toBe("input/invalid");
    expect(problem?.detail).toBe(detail);
  });
});

describe("every command", () => {
  const names = Object.keys(COMMANDS);

  test.each(names)("%s tells what it takes", async (name) => {
    const typed = await read(...name.split(" "), "--help");
    const definition = await COMMANDS[name]?.load();
    const text = typed.kind === "help" && typed.asked ? typed.text : "";
    expect(text).toContain(COMMANDS[name]?.summary ?? "?");
    for (const field of Object.keys(definition?.args.shape ?? {}))
      expect(text).toMatch(new RegExp(`--${kebab(field)}\\b|<[A-Z]|\\[[A-Z]`));
  });

  test.each(names)("%s says of a value that it does not take what it takes", async (name) => {
    const shape: Readonly<Record<string, z.ZodType>> = (await COMMANDS[name]?.load())?.args.shape ?? {};
    const silent = Object.entries(shape).flatMap(([field, schema]) =>
      ["8x ~", ["8x ~"], "-1"].flatMap((value) =>
        (schema.safeParse(value).error?.issues ?? [])
          .filter(({ message }) => message === "Invalid input")
          .map(() => ({ field, value })),
      ),
    );
    expect(silent).toEqual([]);
  });

  test("stands under a noun that the overview has words for", async () => {
    const typed = await read("--help");
    const text = typed.kind === "help" ? typed.text : "";
    const nouns = [...new Set(names.map((name) => name.split(" ")[0] ?? ""))];
    expect(nouns.filter((noun) => !new RegExp(`^ {2}${noun} {2,}\\S`, "m").test(text))).toEqual([]);
  });

  test("gate run waits by itself, and its help speaks of no flag that it does not have", async () => {
    const typed = await read("gate", "run", "--help");
    const text = typed.kind === "help" ? typed.text : "";
    expect(/^ +--timeout <SECONDS> +(.*)$/m.exec(text)?.[1]).toBe(
      "stop following after so long (exit code 124); the task goes on",
    );
  });

  test("has a file of its own, and each file a command", () => {
    const files = globSync("*.ts", { cwd: join(import.meta.dirname, "commands") });
    expect(files.map((file) => file.replace(/\.ts$/, "")).sort()).toEqual(
      names.map((name) => name.replaceAll(" ", "-")).sort(),
    );
  });
});
