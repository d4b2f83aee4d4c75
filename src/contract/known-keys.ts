import { z } from "zod";

/** An object with these keys and no others; a key it does not have is told together with those it has. */
export const knownKeys = <S extends z.core.$ZodLooseShape>(shape: S, what = "") =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `${what}has no ${quoted(issue.keys)}; it has ${Object.keys(shape).join(", ")}`
        : undefined,
  });

type Choices = Readonly<Record<string, z.ZodObject>>;

/** What is wrong with a value that has to be one of several, each known by a key that only it has. */
export function notOneOf(what: string, choices: Choices, value: unknown): string {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const [meant, ...more] = keys.filter((key) => Object.hasOwn(choices, key));
  const problem =
    meant === undefined || more.length > 0 ? undefined : choices[meant]?.safeParse(value).error?.issues[0];
  if (problem !== undefined)
    return problem.code === "unrecognized_keys"
      ? problem.message
      : `the ${what} ${meant}: ${problem.path.join(".")}: ${problem.message}`;
  const one = `an ${what} has exactly one of ${Object.keys(choices).join(", ")}`;
  const named = more.length > 0 ? [meant, ...more] : keys;
  return named.length === 0 ? one : `${one}; this one has ${quoted(named)}`;
}

const KEYS_NAMED_MAX = 10;
const quoted = (keys: readonly unknown[]): string =>
  keys
    .slice(0, KEYS_NAMED_MAX)
    .map((key) => JSON.stringify(key))
    .join(", ");
