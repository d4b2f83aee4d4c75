import { type ClientContext, client, methods, PROTOCOL_VERSION, RequestError } from "@agentclientprotocol/sdk";
import { z } from "zod";
import { isFailure } from "../../domain/failure.ts";
import type {
  AskedPermission,
  ForeignProtocol,
  ProbeReport,
  TurnClient,
  TurnReport,
  TurnTerminal,
  TurnWanted,
} from "../../ports/foreign.ts";
import { joined } from "./joined.ts";
import { plainPieces, type Said, saidBy } from "./said.ts";
import { type Wire, wire } from "./wire.ts";

/** How long an agent may take to say hello, and to stop once it was told to. */
const HELLO_MS = 120_000;
const STOP_MS = 3_000;

/** The client's side of the Agent Client Protocol, version 1, over the streams of a process. */
export const acpProtocol = ({ helloMs = HELLO_MS }: { readonly helloMs?: number } = {}): ForeignProtocol => ({
  async turn(talk, wanted, asked, signal) {
    const said = saidBy(asked);
    const heard = joined(asked);
    const lines = wire(talk.input, talk.output, heard.hear, said.update);
    const bug: { error: unknown; happened: boolean } = { error: null, happened: false };
    const conversation = conversationOf(lines, asked, said, signal, (error) => {
      bug.happened = true;
      bug.error = error;
    });
    const report = await conversation.hold(
      (agent) => oneTurn(agent, wanted, said, conversation, helloMs, asked.redact),
      (trouble): TurnReport => ({
        ...said.soFar(),
        stop: signal.aborted ? "cancelled" : trouble === null ? "died" : "protocol",
        invalidMessages: lines.invalid(),
        trouble: trouble ?? GONE,
      }),
    );
    heard.end();
    if (bug.happened) throw bug.error;
    // A connection that broke because nobody is there any more is a death, whichever of the two was noticed first.
    const isGone =
      report.stop === "protocol" && (await Promise.race([lines.ended.then((why) => why === null), soon()])) === true;
    return {
      ...report,
      ...(isGone && { stop: "died" as const, trouble: GONE }),
      invalidMessages: lines.invalid(),
    };
  },

  async probe(talk, cwd, signal) {
    const said = saidBy(NOBODY);
    const lines = wire(talk.input, talk.output, () => undefined, said.update);
    const conversation = conversationOf(lines, NOBODY, said, signal, () => undefined);
    return conversation.hold(
      (agent) => oneProbe(agent, cwd, helloMs),
      (trouble): ProbeReport => ({
        ...NOTHING_PROBED,
        trouble: trouble ?? "its process ended before it said anything",
      }),
    );
  },
});

const GONE = "its process ended before its turn did";

const NOTHING_PROBED: ProbeReport = {
  protocol: 0,
  agent: null,
  version: null,
  canLoadSession: false,
  authMethods: [],
  modes: [],
  trouble: null,
};

const refuse = async (): Promise<never> => {
  throw RequestError.methodNotFound("nothing is done in a probe");
};
const NOBODY: TurnClient = {
  read: refuse,
  write: refuse,
  permit: async () => "deny",
  needsPerson: new Promise(() => undefined),
  startTerminal: refuse,
  hear: () => undefined,
  tell: () => true,
  redact: (text) => text,
  pieces: plainPieces,
};

interface Conversation {
  readonly needsPerson: Promise<void>;
  hold<T>(work: (agent: ClientContext) => Promise<T>, over: (trouble: string | null) => T): Promise<T>;
}

function conversationOf(
  lines: Wire,
  asked: TurnClient,
  said: Said,
  signal: AbortSignal,
  onBug: (error: unknown) => void,
): Conversation {
  let fell: () => void = () => {};
  const broken = new Promise<null>((resolve) => {
    fell = () => resolve(null);
  });
  const terminals = new Map<string, TurnTerminal>();
  /** A refusal is the agent's to hear; anything else is ours, and ends the turn. */
  const answering = async <T>(answer: () => Promise<T>): Promise<T> => {
    try {
      return await answer();
    } catch (error) {
      if (error instanceof RequestError) throw error;
      if (isFailure(error, "act/denied") || isFailure(error, "input/invalid") || isFailure(error, "agent/failed"))
        throw new RequestError(REFUSED, error.message);
      onBug(error);
      fell();
      throw RequestError.internalError();
    }
  };
  const terminal = (id: string): TurnTerminal => {
    const found = terminals.get(id);
    if (found === undefined) throw RequestError.invalidParams(undefined, `there is no terminal ${id}`);
    return found;
  };

  const app = client({ name: "agentos" })
    .onRequest(methods.client.fs.readTextFile, ({ params }) =>
      answering(async () => ({ content: await asked.read(params.path, params.line ?? null, params.limit ?? null) })),
    )
    .onRequest(methods.client.fs.writeTextFile, ({ params }) =>
      answering(async () => {
        await asked.write(params.path, params.content);
        return {};
      }),
    )
    .onRequest(methods.client.session.requestPermission, ({ params }) =>
      answering(async () => {
        const known = said.toolCall(params.toolCall.toolCallId);
        const wish: AskedPermission = {
          tool: params.toolCall.kind ?? known?.kind ?? "other",
          title: params.toolCall.title ?? known?.title ?? "",
          rawInput: params.toolCall.rawInput ?? known?.rawInput ?? null,
          locations: (params.toolCall.locations ?? known?.locations ?? []).map(({ path }) => path),
        };
        const answer = await asked.permit(wish);
        if (answer === "ask") return { outcome: { outcome: "cancelled" as const } };
        // Once, never always: an agent that remembers would not ask again, and what it may is not its to remember.
        const order = answer === "allow" ? ["allow_once", "allow_always"] : ["reject_once", "reject_always"];
        const option = order.flatMap((kind) => params.options.filter((one) => one.kind === kind))[0];
        return option === undefined
          ? { outcome: { outcome: "cancelled" as const } }
          : { outcome: { outcome: "selected" as const, optionId: option.optionId } };
      }),
    )
    .onRequest(methods.client.terminal.create, ({ params }) =>
      answering(async () => {
        const started = await asked.startTerminal({
          command: params.command,
          args: params.args ?? [],
          environment: Object.fromEntries((params.env ?? []).map(({ name, value }) => [name, value])),
          cwd: params.cwd ?? null,
          outputBytesMax: params.outputByteLimit ?? null,
        });
        const terminalId = `terminal-${terminals.size + 1}`;
        terminals.set(terminalId, started);
        started.ended.catch((error: unknown) => {
          onBug(error);
          fell();
        });
        return { terminalId };
      }),
    )
    .onRequest(methods.client.terminal.output, ({ params }) =>
      answering(async () => {
        const { text, truncated, exit } = await terminal(params.terminalId).output();
        return { output: text, truncated, ...(exit !== null && { exitStatus: exit }) };
      }),
    )
    .onRequest(methods.client.terminal.waitForExit, ({ params }) =>
      answering(async () => ({ ...(await terminal(params.terminalId).ended) })),
    )
    .onRequest(methods.client.terminal.kill, ({ params }) =>
      answering(async () => {
        terminal(params.terminalId).kill();
        return {};
      }),
    )
    .onRequest(methods.client.terminal.release, ({ params }) =>
      answering(async () => {
        terminal(params.terminalId).kill();
        return {};
      }),
    );

  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  return {
    needsPerson: asked.needsPerson,
    async hold<T>(work: (agent: ClientContext) => Promise<T>, over: (trouble: string | null) => T): Promise<T> {
      const connection = app.connect(lines.stream);
      const working = work(connection.agent);
      // Whatever comes first decides; what loses settles unheard.
      working.catch(() => undefined);
      try {
        return await Promise.race([
          working,
          lines.ended.then(async (trouble) => {
            if (trouble !== null) return over(trouble);
            // What was said last is still on its way through the connection.
            const answered = await Promise.race([working.then((value) => ({ value })), soon()]).catch(() => null);
            return answered === null ? over(null) : answered.value;
          }),
          aborted.then(() => over(null)),
          broken.then(() => over(null)),
        ]);
      } finally {
        for (const one of terminals.values()) one.kill();
        connection.close();
      }
    },
  };
}

const REFUSED = -32_000;
const LAST_WORDS_MS = 200;

const soon = (): Promise<null> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(null), LAST_WORDS_MS).unref();
  });

const Hello = z.object({
  protocolVersion: z.number(),
  agentInfo: z.object({ name: z.string(), version: z.string().nullish() }).nullish(),
  agentCapabilities: z.object({ loadSession: z.boolean().nullish() }).nullish(),
  authMethods: z.array(z.object({ id: z.string(), name: z.string().nullish() })).nullish(),
});
const Session = z.object({
  sessionId: z.string(),
  modes: z.object({ currentModeId: z.string(), availableModes: z.array(z.object({ id: z.string() })) }).nullish(),
});
const Modes = z.object({ modes: Session.shape.modes }).nullish();
const Stop = z.object({
  stopReason: z.enum(["end_turn", "max_tokens", "max_turn_requests", "refusal", "cancelled"]),
  usage: z
    .object({
      inputTokens: z.number().nullish(),
      outputTokens: z.number().nullish(),
      totalTokens: z.number().nullish(),
    })
    .nullish(),
});

async function hello(agent: ClientContext, ms: number): Promise<z.infer<typeof Hello>> {
  const answer = agent.request(methods.agent.initialize, {
    protocolVersion: PROTOCOL_VERSION,
    clientInfo: { name: "agentos", version: "1" },
    clientCapabilities: { fs: { readTextFile: true, writeTextFile: true }, terminal: true },
  });
  return Hello.parse(await within(answer, ms, "initialize"));
}

async function within<T>(answer: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer ${what} within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function oneTurn(
  agent: ClientContext,
  wanted: TurnWanted,
  said: Said,
  { needsPerson }: Conversation,
  helloMs: number,
  redact: TurnClient["redact"],
): Promise<TurnReport> {
  const failed = (stop: "protocol" | "error", error: unknown): TurnReport => ({
    ...said.soFar(),
    stop,
    invalidMessages: 0,
    trouble: sentenceOf(error, redact),
  });
  let session: string;
  let resumed = false;
  try {
    const { protocolVersion, agentInfo, agentCapabilities } = await hello(agent, helloMs);
    if (protocolVersion !== PROTOCOL_VERSION)
      return failed(
        "protocol",
        new Error(`it speaks version ${protocolVersion} of the protocol, not ${PROTOCOL_VERSION}`),
      );
    said.is(agentInfo?.name ?? null, agentInfo?.version ?? null);
    const begun = await begin(agent, wanted, agentCapabilities?.loadSession === true, helloMs);
    ({ session, resumed } = begun);
    said.inSession(session, resumed);
    if (wanted.mode !== null && begun.modes.includes(wanted.mode) && begun.mode !== wanted.mode)
      await agent.request(methods.agent.session.setMode, { sessionId: session, modeId: wanted.mode });
  } catch (error) {
    return failed(error instanceof RequestError ? "error" : "protocol", error);
  }
  said.begin();
  const text = [resumed ? "" : wanted.background, wanted.notice, wanted.prompt]
    .filter((part) => part !== "")
    .join("\n\n");
  const prompted = agent
    .request(methods.agent.session.prompt, { sessionId: session, prompt: [{ type: "text", text }] })
    .then((answer): TurnReport => {
      const { stopReason, usage } = Stop.parse(answer);
      said.used(usage ?? null);
      return { ...said.soFar(), stop: stopReason, invalidMessages: 0, trouble: null };
    })
    .catch((error: unknown) => failed(error instanceof RequestError ? "error" : "protocol", error));
  const first = await Promise.race([prompted, needsPerson.then(() => null)]);
  if (first !== null) return first;
  await agent.notify(methods.agent.session.cancel, { sessionId: session });
  // It is given a moment to put its session in order; whether it takes it changes nothing.
  await within(prompted, STOP_MS, "the cancel").catch(() => null);
  return { ...said.soFar(), stop: "permission", invalidMessages: 0, trouble: null };
}

async function begin(
  agent: ClientContext,
  wanted: TurnWanted,
  canLoad: boolean,
  ms: number,
): Promise<{ session: string; resumed: boolean; modes: readonly string[]; mode: string | null }> {
  const place = { cwd: wanted.cwd, mcpServers: [] };
  if (wanted.session !== null && canLoad) {
    const loaded = await within(
      agent.request(methods.agent.session.load, { ...place, sessionId: wanted.session }),
      ms,
      "session/load",
    ).catch((error: unknown) => {
      // It does not know its session any more: a new one does as well, with what we remember.
      if (error instanceof RequestError) return undefined;
      throw error;
    });
    if (loaded !== undefined) {
      const modes = Modes.parse(loaded)?.modes ?? null;
      return {
        session: wanted.session,
        resumed: true,
        modes: modes?.availableModes.map(({ id }) => id) ?? [],
        mode: modes?.currentModeId ?? null,
      };
    }
  }
  const { sessionId, modes } = Session.parse(
    await within(agent.request(methods.agent.session.new, place), ms, "session/new"),
  );
  return {
    session: sessionId,
    resumed: false,
    modes: modes?.availableModes.map(({ id }) => id) ?? [],
    mode: modes?.currentModeId ?? null,
  };
}

async function oneProbe(agent: ClientContext, cwd: string, helloMs: number): Promise<ProbeReport> {
  try {
    const { protocolVersion, agentInfo, agentCapabilities, authMethods } = await hello(agent, helloMs);
    const found: ProbeReport = {
      protocol: protocolVersion,
      agent: agentInfo?.name ?? null,
      version: agentInfo?.version ?? null,
      canLoadSession: agentCapabilities?.loadSession === true,
      authMethods: (authMethods ?? []).map(({ id }) => id),
      modes: [],
      trouble: null,
    };
    try {
      const { modes } = Session.parse(
        await within(agent.request(methods.agent.session.new, { cwd, mcpServers: [] }), helloMs, "session/new"),
      );
      return { ...found, modes: modes?.availableModes.map(({ id }) => id) ?? [] };
    } catch (error) {
      return { ...found, trouble: `a session could not be begun: ${sentenceOf(error, NOBODY.redact)}` };
    }
  } catch (error) {
    return { ...NOTHING_PROBED, trouble: sentenceOf(error, NOBODY.redact) };
  }
}

/** An agent's own words, bounded: they end in the journal. */
function sentenceOf(error: unknown, redact: TurnClient["redact"]): string {
  if (error instanceof z.ZodError) return `it answered with something else than the protocol says`;
  const text = error instanceof Error ? error.message : String(error);
  const data = error instanceof RequestError && error.data !== undefined ? ` (${JSON.stringify(error.data)})` : "";
  return redact(`${text}${data}`).replaceAll(/\s+/g, " ").slice(0, 400).toWellFormed();
}
