import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import {
  type AgentContext,
  agent,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  type RequestPermissionResponse,
} from "@agentclientprotocol/sdk";

/**
 * A small agent of the tests, on the agent's side of the protocol, run as a process in the sandbox. The lines of its prompt that begin with
 * `!` are what it does, in order; words are split at blanks, and the last takes the rest.
 */
const OPTIONS = [
  { optionId: "yes", name: "Yes", kind: "allow_once" as const },
  { optionId: "no", name: "No", kind: "reject_once" as const },
];

const MEMORY = join(homedir(), "memory.json");
interface Memory {
  readonly prompts: readonly string[];
}
const remembered = (): Memory =>
  existsSync(MEMORY) ? (JSON.parse(readFileSync(MEMORY, "utf8")) as Memory) : { prompts: [] };

let cwd = "";
let mode = "work";
const canLoad = !process.argv.includes("--forgetful");
const lies = process.argv.includes("--liar");

agent({ name: "test-agent" })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: PROTOCOL_VERSION,
    agentInfo: { name: "test-agent", version: "1.2.3" },
    agentCapabilities: { loadSession: canLoad },
    authMethods: [],
  }))
  .onRequest(methods.agent.session.new, ({ params }) => {
    ({ cwd } = params);
    return {
      sessionId: "session-1",
      modes: {
        currentModeId: "work",
        availableModes: [
          { id: "work", name: "Work" },
          { id: "plan", name: "Plan" },
        ],
      },
    };
  })
  .onRequest(methods.agent.session.load, ({ params }) => {
    ({ cwd } = params);
    return {};
  })
  .onRequest(methods.agent.session.setMode, ({ params }) => {
    mode = params.modeId;
    return {};
  })
  .onNotification(methods.agent.session.cancel, () => undefined)
  .onRequest(methods.agent.session.prompt, async ({ params, client }) => {
    const text = params.prompt.map((part) => (part.type === "text" ? part.text : "")).join("\n");
    const { prompts } = remembered();
    writeFileSync(MEMORY, JSON.stringify({ prompts: [...prompts, text] }));
    const say = (words: string) =>
      client.notify(methods.client.session.update, {
        sessionId: params.sessionId,
        update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: `${words}\n` } },
      });
    if (text.includes("Make a plan") || text.includes("That plan cannot be used")) await planned(text, say, client);
    else
      for (const line of text.split("\n").filter((one) => one.startsWith("!")))
        await act(line.slice(1).trim(), { text, say, client, sessionId: params.sessionId });
    return { stopReason: "end_turn", usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 } };
  })
  .connect(
    ndJsonStream(
      Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
      Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    ),
  );

async function planned(text: string, say: (words: string) => Promise<void>, client: AgentContext): Promise<void> {
  for (const line of text.split("\n").filter((one) => one.startsWith("?")))
    await act(line.slice(1).trim(), { text, say, client, sessionId: "session-1" });
  if (text.includes("BAD-PLAN") && !text.includes("That plan cannot be used")) return say("I would rather not.");
  if (text.includes("NEVER-PLAN") || remembered().prompts.some((one) => one.includes("NEVER-PLAN")))
    return say('{"items": []}');
  const words = (verb: string) =>
    text.split("\n").flatMap((line) => (line.startsWith(`!${verb} `) ? [line.slice(verb.length + 2)] : []));
  const items = [
    {
      id: "work",
      title: `Do it (planned in ${mode})`,
      paths: ["a.txt", ...words("write").map((line) => line.split(" ")[0])],
      commands: [...words("terminal"), ...words("leave-terminal")],
      depends_on: [],
    },
  ];
  await say(`Here it is:\n\`\`\`json\n${JSON.stringify({ items, notes: ["from the test agent"] })}\n\`\`\``);
}

const KINDS = ["read", "edit", "execute", "fetch", "other"] as const;
const kindOf = (word: string): (typeof KINDS)[number] => KINDS.find((kind) => kind === word) ?? "other";

interface Turn {
  readonly text: string;
  readonly sessionId: string;
  readonly client: AgentContext;
  readonly say: (words: string) => Promise<void>;
}

async function act(line: string, turn: Turn): Promise<void> {
  const [verb = "", first = "", ...others] = line.split(" ");
  const rest = others.join(" ");
  const { client, say, sessionId } = turn;
  const path = first.startsWith("/") ? first : join(cwd, first);
  const told = async (what: string, doing: Promise<unknown>) => {
    try {
      await say(`${what}: ${JSON.stringify(await doing)}`);
    } catch (error) {
      await say(`${what} refused: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  switch (verb) {
    case "write":
    // As `write`, and in no plan.
    case "put":
      return told("write", client.request(methods.client.fs.writeTextFile, { sessionId, path, content: `${rest}\n` }));
    case "read":
      return told("read", client.request(methods.client.fs.readTextFile, { sessionId, path }));
    case "self":
      try {
        writeFileSync(path, `${rest}\n`);
        return await say(`self wrote ${first}`);
      } catch (error) {
        return say(`self could not: ${(error as NodeJS.ErrnoException).code}`);
      }
    case "terminal": {
      const terminal = await client.createTerminal({ sessionId, command: `${first} ${rest}`.trim(), cwd });
      await terminal.waitForExit();
      await told("terminal", terminal.currentOutput());
      await terminal.release();
      return;
    }
    case "leave-terminal":
      await client.createTerminal({ sessionId, command: `${first} ${rest}`.trim(), cwd });
      return;
    case "ask": {
      const rawInput = first === "edit" ? { path: rest, prompts: remembered().prompts.length } : { command: rest };
      const { outcome } = await client.request<RequestPermissionResponse>(methods.client.session.requestPermission, {
        sessionId,
        toolCall: { toolCallId: `call-${rest}`, kind: kindOf(first), title: rest, rawInput },
        options: [...OPTIONS],
      });
      const answer = outcome.outcome === "selected" ? outcome.optionId : outcome.outcome;
      if (answer === "yes" && !lies) appendFileSync(join(cwd, "asked.txt"), `${rest}\n`);
      return say(`asked: ${answer}`);
    }
    case "hang":
      return new Promise<void>(() => setInterval(() => undefined, 1_000));
    case "hang-once":
      return turn.text.includes("Your last turn was lost") ? say("going on") : act("hang", turn);
    case "fork":
      spawn("/bin/sh", ["-c", "while :; do sleep 1; done", first], { detached: true, stdio: "ignore" }).unref();
      return;
    case "die":
      process.stderr.write("I die\n");
      return process.exit(3);
    case "garbage":
      process.stdout.write("this is no JSON\n[1,2]\n");
      return;
    case "invalid":
      process.stdout.write(
        `${JSON.stringify({ jsonrpc: "2.0", method: "session/update", params: { update: { sessionUpdate: "no-such" } } })}\n`,
      );
      return;
    case "recall":
      return say(`recalls ${remembered().prompts.length}; sees ${turn.text.includes("What happened before")}`);
    case "variable":
      return say(`variable ${first} is ${process.env[first] ?? "not there"}`);
    case "fetch":
      return told(
        "fetch",
        fetch(first).then(async (answer) => ({ status: answer.status, text: await answer.text() })),
      );
    default:
      return say(`${line}?`);
  }
}
