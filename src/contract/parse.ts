import type { z } from "zod";
import { Failure } from "../domain/failure.ts";

/** The one door: a value of the schema's type, or `input/invalid` that names every field that is wrong. */
export function parse<S extends z.ZodType>(schema: S, value: unknown, what = "the input"): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error, what);
}

/** Of what was sent, so much is said again: names of fields come from outside, and there may be thousands of them. */
const WORDS_MAX = 200;

export function invalid(error: z.ZodError, what = "the input"): Failure {
  const issues = error.issues.slice(0, 20).map((issue) => ({
    field: issue.path.length === 0 ? "(whole)" : shortened(issue.path.join(".")),
    problem: shortened(issue.message),
  }));
  return new Failure(
    "input/invalid",
    `${what} is not valid: ${issues.map(({ field, problem }) => `${field}: ${problem}`).join("; ")}`,
    { facts: { issues } },
  );
}

const shortened = (text: string): string => (text.length <= WORDS_MAX ? text : `${text.slice(0, WORDS_MAX)}…`);
