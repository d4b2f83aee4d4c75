import type { SeenRequest } from "../model-server.ts";
import type { ScriptedAnswer } from "../scripted-model.ts";

/** One server-sent event. */
export interface Line {
  readonly event: string | null;
  readonly data: string;
}

/** How one protocol reads a request and writes an answer. */
export interface Dialect {
  read(
    body: Readonly<Record<string, unknown>>,
    path: string,
  ): Pick<SeenRequest, "dialect" | "model" | "messages" | "tools" | "streamed">;
  /** The answer in parts that are sent one after the other; the last part is its end. The first is its opening. */
  stream(request: SeenRequest, answer: ScriptedAnswer): readonly (readonly Line[])[];
  /** One more delta of text inside a stream of one text. */
  delta(request: SeenRequest, text: string): readonly Line[];
  whole(request: SeenRequest, answer: ScriptedAnswer): unknown;
  error(status: number, type: string, message: string): unknown;
  troubleInside(type: string, message: string): readonly Line[];
}

export const line = (data: unknown, event: string | null = null): Line => ({ event, data: JSON.stringify(data) });

const FRAGMENT = 4;

/** Arguments as models stream them: a few characters at a time. */
export const fragments = (text: string): readonly string[] =>
  text.match(new RegExp(`[\\s\\S]{1,${FRAGMENT}}`, "g")) ?? [];

export const list = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];

export const object = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};

/** Content as a string or as parts with a text. */
export const textOf = (content: unknown): string =>
  typeof content === "string"
    ? content
    : list(content)
        .map((part) => (typeof part["text"] === "string" ? part["text"] : ""))
        .join("");

export const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return {}; // A dialect whose arguments are objects has no way to send broken ones.
  }
};
