import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { isLocal } from "../../domain/provider-facts.ts";
import { type Judged, judge, type Signs } from "../../domain/provider-look.ts";
import type { ProviderPlace } from "../../ports/providers.ts";
import { type Answer, ask } from "./ask.ts";
import { keyHeaders } from "./key-headers.ts";

const Version = z.object({ version: z.string().max(100) });
const Healthy = z.strictObject({ status: z.literal("ok") });
const Loading = z.object({
  error: z.object({ message: z.literal("Loading model"), type: z.literal("unavailable_error"), code: z.literal(503) }),
});
const Props = z.object({ build_info: z.string().max(200), chat_template: z.string() });
const Greeting = z.strictObject({ lmstudio: z.literal(true) });
const OpenAiModels = z.object({ object: z.literal("list"), data: z.array(z.object({ id: z.string() })) });

/** How often it is asked again because it came or went between two of the questions; nothing that stays does that. */
const LOOKS = 5;
const AGAIN_MS = 100;

/** Who answers at an address. All questions are asked at once: what tells one kind is what another kind does not know. */
export async function look(place: Pick<ProviderPlace, "kind" | "baseUrl" | "key">): Promise<Judged> {
  return judge(isLocal(place.kind) ? await localSigns(place.baseUrl) : await modelsOnly(place));
}

async function localSigns(root: string): Promise<Signs> {
  const askAll = () =>
    Promise.all([
      ask(`${root}/`),
      ask(`${root}/api/version`),
      ask(`${root}/health`),
      ask(`${root}/props`),
      ask(`${root}/lmstudio-greeting`),
      ask(`${root}/v1/models`),
    ]);
  let answers = await askAll();
  for (let looks = 1; looks < LOOKS && isBetween(answers); looks += 1) {
    await delay(AGAIN_MS);
    answers = await askAll();
  }
  const [greeting, version, health, props, lmstudio, models] = answers;
  const said = good(props, Props);
  return {
    ...NO_SIGNS,
    reached: reachedBy(answers),
    ollamaGreets: greeting.got === "answer" && greeting.status === 200 && greeting.text.trim() === "Ollama is running",
    ollamaVersion: good(version, Version)?.version ?? null,
    llamaHeader: answers.some((answer) => answer.got === "answer" && answer.server === "llama.cpp"),
    llamaHealth: good(health, Healthy) !== null ? "ok" : parsed(health, 503, Loading) !== null ? "loading" : null,
    llamaBuild: said?.build_info ?? null,
    lmstudioGreets: good(lmstudio, Greeting) !== null,
    openaiModels: modelsSign(models),
  };
}

/** An API behind a path of its own is asked for nothing but its models; with the key that a person gave for exactly this address. */
async function modelsOnly({ kind, baseUrl, key }: Pick<ProviderPlace, "kind" | "baseUrl" | "key">): Promise<Signs> {
  const answer = await ask(`${baseUrl}/models`, {
    headers: keyHeaders(kind, await key()),
    timeoutMs: 5_000,
    connectMs: 2_000,
  });
  return { ...NO_SIGNS, reached: reachedBy([answer]), openaiModels: modelsSign(answer) };
}

const NO_SIGNS: Signs = {
  reached: "nobody",
  ollamaGreets: false,
  ollamaVersion: null,
  llamaHeader: false,
  llamaHealth: null,
  llamaBuild: null,
  lmstudioGreets: false,
  openaiModels: null,
};

/** A server that has just begun to listen, or has just stopped: half of what it says would make it a stranger. */
function isBetween(answers: readonly Answer[]): boolean {
  const lost = answers.filter(({ got }) => got === "refused" || got === "broken").length;
  return lost > 0 && lost < answers.length;
}

function reachedBy(answers: readonly Answer[]): Signs["reached"] {
  if (answers.some(({ got }) => got === "answer" || got === "broken")) return "somebody";
  return answers.some(({ got }) => got === "silent") ? "silent" : "nobody";
}

function modelsSign(answer: Answer): Signs["openaiModels"] {
  if (good(answer, OpenAiModels) !== null) return "list";
  return answer.got === "answer" && answer.status === 401 && parsed(answer, 401, OpenAiError) !== null
    ? "key_wanted"
    : null;
}

const OpenAiError = z.object({ error: z.object({ message: z.string() }) });

const good = <S extends z.ZodType>(answer: Answer, schema: S): z.infer<S> | null => parsed(answer, 200, schema);

/** The answer as what it should be; null for everything else. */
export function parsed<S extends z.ZodType>(answer: Answer, status: number, schema: S): z.infer<S> | null {
  if (answer.got !== "answer" || answer.status !== status) return null;
  let value: unknown;
  try {
    value = JSON.parse(answer.text);
  } catch {
    return null; // It is not JSON, so it is not what was looked for.
  }
  const result = schema.safeParse(value);
  return result.success ? result.data : null;
}
