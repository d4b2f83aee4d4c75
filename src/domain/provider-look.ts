import { isLocal, KIND_WORDS, type ProviderKind, type ProviderStatus } from "./provider-facts.ts";
import { advised, type Platform } from "./provider-platforms.ts";

/** What came back from the questions that tell providers apart, asked at one address. */
export interface Signs {
  /** `nobody`: the connection was refused. `silent`: it was taken, or swallowed, and no answer came in time. */
  readonly reached: "nobody" | "silent" | "somebody";
  /** `GET /` said what Ollama says there. */
  readonly ollamaGreets: boolean;
  /** `GET /api/version`; a llama-server, which lists models in Ollama's form too, has no such path. */
  readonly ollamaVersion: string | null;
  /** Any answer said `Server: llama.cpp`. */
  readonly llamaHeader: boolean;
  readonly llamaHealth: "ok" | "loading" | null;
  /** `GET /props` has a build and a chat template. */
  readonly llamaBuild: string | null;
  /** `GET /lmstudio-greeting` said `{"lmstudio":true}`. */
  readonly lmstudioGreets: boolean;
  /** A list of models in OpenAI's form, or the refusal of one for want of a key. */
  readonly openaiModels: "list" | "key_wanted" | null;
}

export interface Judged {
  readonly is: "ollama" | "llamacpp" | "lmstudio" | "openai-compatible" | "stranger" | "silent" | "nobody";
  readonly loading: boolean;
  readonly version: string | null;
  /** It answers only with a key. */
  readonly keyWanted: boolean;
}

/** Who it is that answers. No port and no single field decides: what another program could say by chance too is not enough. */
export function judge(signs: Signs): Judged {
  const as = (is: Judged["is"], more: Partial<Judged> = {}): Judged => ({
    is,
    loading: false,
    version: null,
    keyWanted: signs.openaiModels === "key_wanted",
    ...more,
  });
  if (signs.reached === "nobody") return as("nobody");
  if (signs.lmstudioGreets) return as("lmstudio");
  if (signs.ollamaGreets && signs.ollamaVersion !== null) return as("ollama", { version: signs.ollamaVersion });
  if (signs.llamaHealth !== null && (signs.llamaHeader || signs.llamaBuild !== null))
    return as("llamacpp", { loading: signs.llamaHealth === "loading", version: signs.llamaBuild });
  if (signs.openaiModels !== null) return as("openai-compatible");
  return as(signs.reached === "silent" ? "silent" : "stranger");
}

export interface Standing {
  readonly status: ProviderStatus;
  readonly detail: string;
}

/** What is known of a provider beside who answers at its address. */
export interface Beside {
  readonly baseUrl: string;
  /** The server that AgentOS started; `none` when it started none. */
  readonly ours: "none" | "alive" | "dead";
  readonly executable: string | null;
  readonly hasKey: boolean;
  readonly keyName: string | null;
}

/** How a provider stands, from who answers in its place. Cloud ones are not asked: nothing leaves the machine before a person says so. */
export function standsAs(kind: ProviderKind, judged: Judged | null, beside: Beside): Standing {
  if (judged === null)
    return beside.hasKey
      ? { status: "unknown", detail: "a key is configured; a probe would try it" }
      : {
          status: "absent",
          detail: `no key is stored${beside.keyName === null ? "" : ` or set in ${beside.keyName}`}`,
        };
  if (judged.is === kind || (kind === "openai-compatible" && (judged.is === "openai-compatible" || isServer(judged))))
    return judged.loading
      ? { status: "loading", detail: "it is loading its model" }
      : {
          status: "running",
          detail: `it answers at ${beside.baseUrl}${judged.version === null ? "" : ` (${judged.version})`}`,
        };
  switch (judged.is) {
    case "nobody":
      return gone(kind, beside);
    case "silent":
      return beside.ours === "alive"
        ? { status: "starting", detail: "it was started and does not answer yet" }
        : { status: "failed", detail: `something at ${beside.baseUrl} takes connections and does not answer` };
    default:
      return {
        status: "impostor",
        detail: `at ${beside.baseUrl} ${judged.is === "stranger" ? `another program answers, which is not ${KIND_WORDS[kind]}` : `${KIND_WORDS[judged.is]} answers, not ${KIND_WORDS[kind]}`}`,
      };
  }
}

const isServer = ({ is }: Judged): boolean => is === "ollama" || is === "llamacpp" || is === "lmstudio";

function gone(kind: ProviderKind, { ours, executable, baseUrl }: Beside): Standing {
  if (ours === "alive") return { status: "starting", detail: "it was started and does not answer yet" };
  if (ours === "dead") return { status: "failed", detail: "AgentOS started it, and it has ended since" };
  if (!isLocal(kind)) return { status: "stopped", detail: `nobody answers at ${baseUrl}` };
  return executable === null
    ? { status: "absent", detail: "its program was not found on this machine" }
    : { status: "stopped", detail: `nobody answers at ${baseUrl}; its program is ${executable}` };
}

/** What a person can do about how a provider stands; null: nothing needs to be done. */
export function nextFor(
  id: string,
  kind: ProviderKind,
  { status }: Standing,
  { local }: Pick<Platform, "local">,
  hasProgram: boolean,
): string | null {
  switch (status) {
    case "running":
    case "loading":
    case "starting":
      return null;
    case "unknown":
      return `agentos provider probe ${id}`;
    case "absent":
      return isLocal(kind) ? advised(local[kind].advice.install, id) : `agentos provider key ${id}`;
    case "stopped":
      if (!isLocal(kind)) return "Start it where it runs.";
      return hasProgram ? `agentos provider start ${id}` : advised(local[kind].advice.start, id);
    case "impostor":
      return isLocal(kind)
        ? `Name the port where it is: agentos provider set ${id} --port PORT`
        : `Name the address where it is: agentos provider set ${id} --url URL`;
    case "failed":
      return `agentos provider logs ${id}`;
  }
}
