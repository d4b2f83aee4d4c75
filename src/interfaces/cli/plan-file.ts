import { open } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { z } from "zod";
import { PlanFile } from "../../contract/inputs.ts";
import { parse } from "../../contract/parse.ts";
import { trouble } from "../client/trouble.ts";

const BYTES_MAX = 8 * 1024 ** 2;
/** An alias may stand for much; a few are honest, thousands are a bomb. */
const ALIASES_MAX = 100;

/**
 * A plan file, YAML 1.2 or JSON, checked against its schema. Nothing in it is run or looked up while it is read: no tags of
 * one's own, no merge keys, no file but this. Throws `plan/invalid` or `input/invalid` naming file and place.
 */
export async function readPlanFile(path: string, workingDirectory: string): Promise<z.input<typeof PlanFile>> {
  const file = resolve(workingDirectory, path);
  const text = await textOf(file, path);
  const value = extname(file) === ".json" ? readJson(text, path) : await readYaml(text, path);
  parse(PlanFile, value, path);
  return value as z.input<typeof PlanFile>;
}

async function textOf(file: string, named: string): Promise<string> {
  try {
    const opened = await open(file);
    try {
      const { size } = await opened.stat();
      if (size > BYTES_MAX)
        throw trouble("input/too-large", `${named} has ${size} bytes; a plan file may have ${BYTES_MAX}`);
      return new TextDecoder("utf-8", { fatal: true }).decode(await opened.readFile());
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (error instanceof TypeError) throw trouble("plan/invalid", `${named} is no UTF-8 text`);
    if (error instanceof Error && "code" in error && typeof error.code === "string")
      throw trouble("input/invalid", `the plan file ${named} cannot be read (${error.code})`, {
        next: "Name a file that is there: --plan FILE",
      });
    throw error;
  }
}

function readJson(text: string, named: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw trouble("plan/invalid", `${named} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readYaml(text: string, named: string): Promise<unknown> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: true,
    prettyErrors: true,
  });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined)
    throw trouble("plan/invalid", `${named} is no YAML a plan may be: ${problem.message.split("\n")[0] ?? ""}`);
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    // The library's own word for too many aliases; nothing else makes a parsed document fail here.
    if (error instanceof ReferenceError) throw trouble("plan/invalid", `${named}: ${error.message}`);
    throw error;
  }
}
