import type { z } from "zod";
import { Failure } from "../domain/failure.ts";

/** The one door: a value of the schema's type, or `input/invalid` that names every field that is wrong. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, what = "the input"): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error, what, value);
}

/** Of what was sent, so much is said again: names of fields come from outside, and there may be thousands of them. */
const WORDS_MAX = 200;

/** @param given what was looked at; without it nothing is said of the values */
export function invalid(error: z.ZodError, what = "the input", given?: unknown): Failure {
  const issues = error.issues.slice(0, 20).map((issue) => ({
    field: issue.path.length === 0 ? "(whole)" : shortened(issue.path.join(".")),
    problem: `${shortened(issue.message)}${notThis(given, issue.path)}`,
  }));
  return new Failure(
    "input/invalid",
    `${what} is not valid: ${issues.map(({ field, problem }) => `${field}: ${problem}`).join("; ")}`,
    { facts: { issues } },
  );
}

const shortened = (text: string): string => (text.length <= WORDS_MAX ? text : `${text.slice(0, WORDS_MAX)}…`);

/** What may be a secret, or was typed where the name of one belongs. */
const UNSAID = /key|token|secret|password|header|env/i;
/** A word, a number or a short path as people type them; what is longer, or a url, may hold a key wherever it was put. */
const PLAIN = /^(?!.*:\/\/)[^@+=]{0,20}$/s;

/** `, not "bogus"`: the one value that a problem is about; nothing where that is none, or may be nobody's to read. */
export function notThis(given: unknown, path: readonly PropertyKey[]): string {
  if (path.some((name) => UNSAID.test(String(name)))) return "";
  let at = given;
  for (const name of path) {
    // Several values may be written as one, with commas.
    if (typeof at !== "object" || at === null) break;
    at = (at as Readonly<Record<PropertyKey, unknown>>)[name];
  }
  return ["string", "number", "boolean"].includes(typeof at) && PLAIN.test(String(at))
    ? `, not ${JSON.stringify(at)}`
    : "";
}
