import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { ProviderPlace } from "../../ports/providers.ts";
import { type Answer, ask, type Question } from "./ask.ts";
import { keyHeaders } from "./key-headers.ts";

/** A list or a fact may take a server a while that is busy with a model. */
const ANSWER_MS = 15_000;
const CONNECT_MS = 3_000;

/** What a provider answers, in the form it must have. Throws the failure a person can act on. */
export async function told<S extends z.ZodType>(
  place: ProviderPlace,
  path: string,
  schema: S,
  question: Question = {},
): Promise<z.infer<S>> {
  const answer = await asked(place, path, question);
  return formed(place, path, schema, answer);
}

/** The same, and null where the provider does not know the path: it says 404, or (LM Studio) 200 with nothing but an error in it. */
export async function toldIfKnown<S extends z.ZodType>(
  place: ProviderPlace,
  path: string,
  schema: S,
  question: Question = {},
): Promise<z.infer<S> | null> {
  const answer = await asked(place, path, question);
  if (answer.got === "answer" && (answer.status === 404 || answer.status === 405)) return null;
  if (answer.got === "answer" && answer.status === 200 && UnknownPath.safeParse(jsonOf(answer)).success) return null;
  return formed(place, path, schema, answer);
}

const UnknownPath = z.strictObject({ error: z.string() });

async function asked(place: ProviderPlace, path: string, question: Question): Promise<Answer> {
  return ask(`${place.baseUrl}${path}`, {
    timeoutMs: ANSWER_MS,
    connectMs: CONNECT_MS,
    ...question,
    headers: { ...keyHeaders(place.kind, await place.key()), ...question.headers },
  });
}

function formed<S extends z.ZodType>(place: ProviderPlace, path: string, schema: S, answer: Answer): z.infer<S> {
  refuseTrouble(place, path, answer);
  const result = schema.safeParse(jsonOf(answer));
  if (result.success) return result.data;
  const first = result.error.issues[0];
  throw new Failure(
    "provider/failed",
    `what ${place.id} answered to ${path} is not what this kind of provider answers (${first?.path.join(".") ?? ""}: ${first?.message ?? ""})`,
    { next: `agentos provider show ${place.id} says who answers there.` },
  );
}

/** Throws when the answer is none, or a refusal. */
export function refuseTrouble(place: ProviderPlace, path: string, answer: Answer): void {
  if (answer.got !== "answer")
    throw new Failure("model/unavailable", `${place.id} does not answer at ${place.baseUrl} (${answer.why})`, {
      next: `agentos provider show ${place.id} says how it stands.`,
    });
  if (answer.status === 401 || answer.status === 403)
    throw new Failure("model/refused", `${place.id} refused the key, or wants one (HTTP ${answer.status})`, {
      next: `agentos provider key ${place.id} stores the key it wants.`,
    });
  if (answer.status !== 200)
    throw new Failure("provider/failed", `${place.id} answered HTTP ${answer.status} to ${path}`, {
      next: `agentos provider logs ${place.id} may say more.`,
    });
}

function jsonOf(answer: Answer): unknown {
  try {
    return answer.got === "answer" ? JSON.parse(answer.text) : null;
  } catch {
    return null; // No JSON: the schema says what was wanted instead.
  }
}
