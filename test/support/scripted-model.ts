/** What a scripted model does with one request; see the makers below. */
export type Scripted =
  | ScriptedAnswer
  /** Waits for `until`: before anything is sent, after the headers, or after the first words. */
  | {
      readonly kind: "held";
      readonly until: Promise<unknown>;
      readonly after: "nothing" | "headers" | "words";
      readonly then: ScriptedAnswer;
    }
  /** All of the answer but its end, then the connection is cut. */
  | { readonly kind: "broken"; readonly answer: ScriptedAnswer }
  | { readonly kind: "endless"; readonly word: string }
  /** A status with an error body in the dialect's form, or with `body`. */
  | {
      readonly kind: "trouble";
      readonly status: number;
      readonly type: string;
      readonly message: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** 200, a few words, then an error event inside the stream. */
  | { readonly kind: "trouble-inside"; readonly type: string; readonly message: string }
  /** Bytes as they are. */
  | {
      readonly kind: "raw";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | Uint8Array;
    };

export interface ScriptedAnswer {
  readonly kind: "answer";
  /** One delta each. */
  readonly text: readonly string[];
  readonly calls: readonly ScriptedCall[];
  /** null: what the answer is (`stop`, or `tool_calls` with calls). */
  readonly finish: "stop" | "tool_calls" | "length" | "content_filter" | null;
  /** null: the provider says nothing of it. */
  readonly usage: { readonly input: number; readonly output: number } | null;
  /** What the provider says answers; null: what was asked for. */
  readonly model: string | null;
}

export interface ScriptedCall {
  readonly id: string;
  readonly name: string;
  /** The text of the arguments; sent in fragments of a few characters where the dialect has such. */
  readonly arguments: string;
}

const USAGE = { input: 12, output: 5 };

/** Text, in deltas as given. */
export const says = (...text: string[]): ScriptedAnswer => ({
  kind: "answer",
  text,
  calls: [],
  finish: null,
  usage: USAGE,
  model: null,
});

/** Tool calls, their arguments streamed in fragments. A string is sent as it is, also where it is no JSON. */
export const calls = (...wanted: readonly (readonly [name: string, args: unknown])[]): ScriptedAnswer => ({
  ...says(),
  calls: wanted.map(([name, args], index) => ({
    id: `call_${index + 1}_${name}`,
    name,
    arguments: typeof args === "string" ? args : JSON.stringify(args),
  })),
});

/** Arguments that are no JSON. */
export const callsWithBrokenArguments = (name: string): ScriptedAnswer => calls([name, '{"path": "notes.txt']);

/** Slow: nothing happens until the promise is settled. A promise that never is, is a provider that hangs. */
export const held = (
  until: Promise<unknown>,
  after: "nothing" | "headers" | "words" = "nothing",
  then: ScriptedAnswer = says("late"),
): Scripted => ({ kind: "held", until, after, then });

export const breaksOff = (answer: ScriptedAnswer = says("I was about", " to say")): Scripted => ({
  kind: "broken",
  answer,
});

export const neverEnds = (word = "on and on "): Scripted => ({ kind: "endless", word });

export const saysNothing = (): ScriptedAnswer => says();

const trouble = (
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Scripted => ({
  kind: "trouble",
  status,
  type,
  message,
  headers,
});

/** 429; `retryAfter` as the header is sent: seconds, a date, or none. */
export const rateLimited = (retryAfter: string | null = "7"): Scripted =>
  trouble(429, "rate_limit_error", "too many requests", retryAfter === null ? {} : { "retry-after": retryAfter });

export const failsInside = (message = "the engine fell over"): Scripted => trouble(500, "api_error", message);
export const overloaded = (): Scripted => trouble(503, "unavailable_error", "Loading model");
export const refusesKey = (message = "invalid key"): Scripted => trouble(401, "authentication_error", message);
export const knowsNoModel = (): Scripted => trouble(404, "not_found_error", "model 'scripted' not found");
export const takesNoRequest = (message = "temperature: too hot"): Scripted =>
  trouble(400, "invalid_request_error", message);

/** An error event inside a stream that began well. */
export const failsMidway = (message = "the engine fell over", type = "api_error"): Scripted => ({
  kind: "trouble-inside",
  type,
  message,
});

/** How each kind of server says that the conversation is too long. */
export const OVERFLOWS = {
  llamacpp: {
    status: 400,
    body: {
      error: {
        code: 400,
        message: "request (2900 tokens) exceeds the available context size (2048 tokens), try increasing it",
        type: "exceed_context_size_error",
        n_prompt_tokens: 2900,
        n_ctx: 2048,
      },
    },
  },
  ollama: {
    status: 400,
    body: {
      error: {
        message: "the input length exceeds the context length",
        type: "invalid_request_error",
        param: null,
        code: null,
      },
    },
  },
  lmstudio: {
    status: 400,
    body: {
      error:
        "Trying to keep the first 5062 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
    },
  },
  "openai-compatible": {
    status: 400,
    body: {
      object: "error",
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      type: "BadRequestError",
      code: 400,
    },
  },
  openai: {
    status: 400,
    body: {
      error: {
        message:
          "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
        type: "invalid_request_error",
        param: "messages",
        code: "context_length_exceeded",
      },
    },
  },
  anthropic: {
    status: 400,
    body: {
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000 maximum" },
    },
  },
  google: {
    status: 400,
    body: {
      error: {
        code: 400,
        message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        status: "INVALID_ARGUMENT",
      },
    },
  },
} as const;

export const overflows = (server: keyof typeof OVERFLOWS): Scripted => ({
  ...OVERFLOWS[server],
  kind: "trouble",
  type: "invalid_request_error",
  message: "",
  headers: {},
});

/** 200 and a web page, as a captive portal or a wrong port answers. */
export const notAStream = (): Scripted => ({
  kind: "raw",
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<!doctype html><title>Welcome</title>",
});

/** 200 and not one byte. */
export const emptyBody = (): Scripted => ({
  kind: "raw",
  status: 200,
  headers: { "content-type": "text/event-stream" },
  body: "",
});
