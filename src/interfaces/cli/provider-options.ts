import { resolve } from "node:path";
import { z } from "zod";
import { ContextTokens, KeyName, Port } from "../../contract/provider-inputs.ts";
import { trouble } from "../client/trouble.ts";
import { option } from "./command.ts";

/** Numbers come as words here. */
const number = (schema: typeof Port) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .pipe(schema);

/** What can be said of a provider, by flags. */
export const PROVIDER_OPTIONS = {
  url: option(z.string().min(1).optional(), "URL", "where it answers"),
  port: option(number(Port).optional(), "PORT", "the same, for a server on this machine"),
  keyName: option(KeyName.optional(), "NAME", "the variable that holds its key, never the key"),
  executable: option(z.string().min(1).optional(), "PATH", "its program; tried at once"),
  modelsDirectory: option(z.string().min(1).optional(), "DIR", "where its models are"),
  modelFile: option(z.string().min(1).optional(), "FILE", "the model a llama-server is started with"),
  context: option(number(ContextTokens).optional(), "TOKENS", "how large a context it is started with"),
  price: option(
    z.array(z.string()).optional(),
    "MODEL=IN/OUT",
    "US dollars for a million tokens in and out, e.g. large=2.5/10",
  ),
};

interface Given {
  readonly url?: string | undefined;
  readonly port?: number | undefined;
  readonly keyName?: string | undefined;
  readonly executable?: string | undefined;
  readonly modelsDirectory?: string | undefined;
  readonly modelFile?: string | undefined;
  readonly context?: number | undefined;
  readonly price?: readonly string[] | undefined;
}

/** As the API takes it: paths from where the person stands, prices in millionths. */
export const saidOf = (given: Given, workingDirectory: string) => ({
  ...(given.url !== undefined && { base_url: given.url }),
  ...(given.port !== undefined && { port: given.port }),
  ...(given.keyName !== undefined && { key_name: given.keyName }),
  ...(given.executable !== undefined && { executable: resolve(workingDirectory, given.executable) }),
  ...(given.modelsDirectory !== undefined && { models_directory: resolve(workingDirectory, given.modelsDirectory) }),
  ...(given.modelFile !== undefined && { model_file: resolve(workingDirectory, given.modelFile) }),
  ...(given.context !== undefined && { context_tokens: given.context }),
  ...(given.price !== undefined && { prices: Object.fromEntries(given.price.map(priceOf)) }),
});

function priceOf(text: string): readonly [string, { readonly input: number; readonly output: number }] {
  const [, model = "", input = "", output = ""] = /^(.+)=(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (model === "")
    throw trouble("input/invalid", `the price ${text} is not understood`, {
      next: "Say it as MODEL=IN/OUT, in US dollars for a million tokens: --price large=2.5/10",
    });
  return [model, { input: millionths(input), output: millionths(output) }];
}

const millionths = (dollars: string): number => Math.round(Number(dollars) * 1_000_000);
