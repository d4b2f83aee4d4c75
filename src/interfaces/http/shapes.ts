import { z } from "@hono/zod-openapi";
import { ProblemView } from "./problem-response.ts";

export const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
/** The same as a list, or going on as a stream of server-sent events. */
export const jsonOrStream = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { "application/json": { schema }, "text/event-stream": { schema: z.string() } },
});
export const jsonBody = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { "application/json": { schema } },
});
/** A body that may be left out; what is there is checked all the same. */
export const optionalBody = <S extends z.ZodType>(schema: S) => ({
  required: false,
  content: { "application/json": { schema } },
});

/** The value of a body that may be left out altogether. */
export async function bodyOf(request: { text(): Promise<string> }): Promise<unknown> {
  const text = await request.text();
  return text === "" ? {} : JSON.parse(text);
}

const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: ProblemView } },
});

/** Every route may answer with these; `code` and `next` say more. */
export const problems = {
  400: problem("The input is not valid"),
  403: problem("Refused"),
  404: problem("There is no such thing"),
  409: problem("Not in the present state"),
  413: problem("Too large"),
  415: problem("Not JSON"),
  421: problem("A foreign Host"),
  422: problem("Understood, but it cannot be worked on"),
  424: problem("Something it needs is missing: a key, a program"),
  429: problem("Too many; Retry-After says when"),
  500: problem("A bug, or damaged data"),
  502: problem("What was asked on the way failed"),
  503: problem("Not now; Retry-After says when"),
  504: problem("What was asked on the way took too long"),
  507: problem("No space left"),
} as const;
