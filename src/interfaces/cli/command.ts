import type { z } from "zod";
import type { Context } from "./context.ts";

/** One command: what it takes, and what it does with the API. Help and parsing come from `args`. */
export interface Command<S extends z.ZodObject = z.ZodObject> {
  /** A field per argument or flag, each made by `positional`, `option` or `flag`. */
  readonly args: S;
  /** Lines that typed into a shell do something sensible. */
  readonly examples?: readonly string[];
  /** The exit code where it is not 0. */
  run(args: z.infer<S>, context: Context): Promise<number | undefined>;
}

/** What the table of commands needs of one: `run` gets only what `args` let through. */
export interface AnyCommand {
  readonly args: z.ZodObject;
  readonly examples?: readonly string[];
  run(args: never, context: Context): Promise<number | undefined>;
}

export const command = <S extends z.ZodObject>(definition: Command<S>): Command<S> => definition;

export interface ArgumentWords {
  readonly kind: "positional" | "option" | "flag";
  /** What stands for the value in help: `ID`, `TEXT`. */
  readonly value: string | null;
  readonly about: string;
}

const words = new WeakMap<z.ZodType, ArgumentWords>();
export const wordsOf = (schema: z.ZodType): ArgumentWords | undefined => words.get(schema);

function told<S extends z.ZodType>(schema: S, said: ArgumentWords): S {
  words.set(schema, said);
  return schema;
}

export const positional = <S extends z.ZodType>(schema: S, value: string, about: string): S =>
  told(schema, { kind: "positional", value, about });
export const option = <S extends z.ZodType>(schema: S, value: string, about: string): S =>
  told(schema, { kind: "option", value, about });
/** `schema` is `z.boolean().default(false)`. */
export const flag = <S extends z.ZodType>(schema: S, about: string): S =>
  told(schema, { kind: "flag", value: null, about });
