import { describe, expect, it, vi } from "vitest";
import { captured, type Given, givenDesk, textOf, untilEnded } from "../../test/support/given-desk.ts";
import { type AcpChoice, type ForeignChoice, NO_GRANTS } from "../domain/foreign-agent.ts";
import type { TurnStop } from "../domain/turn.ts";
import type { TurnClient, TurnReport, TurnWanted } from "../ports/foreign.ts";
import type { SandboxSession, SessionCommand, SessionOutcome } from "../ports/sandbox.ts";
import type { BrokerDependencies } from "./deps.ts";
import { turnCapabilities } from "./turn.ts";

const OWN: AcpChoice = { kind: "acp", agent: "custom", argv: ["robot", "--say={prompt}"], grants: NO_GRANTS };
const NAMED: AcpChoice = { kind: "acp", agent: "qwen", argv: null, grants: NO_GRANTS };
const PLAIN: ForeignChoice = { kind: "command", argv: ["robot"], grants: NO_GRANTS };
const REPORT: TurnReport = {
  stop: "end_turn",
  agent: "Robot",
  version: "1",
  session: "s1",
  resumed: false,
  message: "done with value-of-KEY",
  usage: { inputTokens: null, outputTokens: null, totalTokens: null, cost: null },
  toolCalls: 0,
  invalidMessages: 0,
  trouble: null,
};
const ASKED = { prompt: "mend it", words: {} };
type Turn = (wanted: TurnWanted, client: TurnClient, signal: AbortSignal) => Promise<Partial<TurnReport>>;

/** An agent whose protocol says this; it is ended once it has. */
function turns(
  choice: ForeignChoice | { readonly kind: "gates" } = OWN,
  say: Turn = async () => ({}),
  given: Given = {},
) {
  const wants: TurnWanted[] = [];
  const acp = {
    turn: async (_: SandboxSession, wanted: TurnWanted, client: TurnClient, signal: AbortSignal) => {
      wants.push(wanted);
      return { ...REPORT, ...(await say(wanted, client, signal)) };
    },
  };
  const made = givenDesk({
    session: (_, signal) => ({ outcome: untilEnded(signal) }),
    ...given,
    spec: { agent: choice, ...given.spec },
    deps: { protocols: { acp }, ...given.deps } as unknown as BrokerDependencies,
  });
  return { ...made, wants, can: turnCapabilities(made.deps, made.desk, made.pass) };
}

const ends = (more: Partial<SessionOutcome>): Given => ({ session: () => ({ outcome: Promise.resolve(more) }) });
const turnOf = ({ seen }: ReturnType<typeof turns>) => seen.effects.at(-1)?.evidence[0];
const item = (id: string): NonNullable<Given["desk"]> => ({ item: { id } }) as unknown as NonNullable<Given["desk"]>;

describe("a turn of a foreign agent", () => {
  it("is its process in the sandbox from the prompt to its stop, and evidence of all that it said", async () => {
    const made = turns(OWN, async (_, client) => {
      client.hear("agent", { hi: 1 }, null);
      client.tell("working");
      return {};
    });
    expect(await made.can.turn(ASKED)).toEqual({
      stop: "end_turn",
      message: REPORT.message,
      asked: null,
      trouble: null,
    });
    expect(made.seen.commands[0]).toMatchObject({
      argv: ["/opt/robot", "--say=mend it"],
      cwd: "/workspace/app",
      environment: { NO_PROXY: "127.0.0.1,::1" },
      egressSocket: null,
    });
    expect(made.seen.commands[0]?.mounts.map(({ inside, access }) => `${inside} ${access}`)).toEqual([
      "/workspace/app write",
      "/objects/app read",
      "/home/agent write",
      "/opt read",
    ]);
    expect(turnOf(made)).toMatchObject({
      kind: "turn",
      agent: "Robot",
      endedBy: "closed",
      stop: "end_turn",
      home: "1.work.1.1",
    });
    expect(made.seen.effects[0]).toMatchObject({ touched: ["app"], failed: null });
    expect(made.seen.said).toEqual(["working"]);
    expect(made.seen.homes).toEqual([{ from: null, to: "1.work.1.1", directories: [] }, { keeps: ["1.work.1.1"] }]);
    expect(made.wants).toEqual([
      {
        prompt: "mend it",
        background: "",
        notice: "",
        cwd: "/workspace/app",
        directories: [],
        mode: null,
        session: null,
      },
    ]);
  });

  it("is told its prompt to the letter where that is a word of its command", async () => {
    const made = turns();
    const prompt = "costs $$5, $& and $' and {prompt}";
    await made.can.turn({ ...ASKED, prompt });
    expect(made.seen.commands[0]?.argv).toEqual(["/opt/robot", `--say=${prompt}`]);
  });

  it("goes on in its home and session, is told what it may have forgotten, and that a turn was lost", async () => {
    const made = turns(OWN, undefined, {
      desk: { ...item("mend"), lastTurn: () => ({ home: "before", session: "s0", sessionCost: null }) },
      run: { run: 2 },
      spec: {
        scopes: ["app", "lib"].map((repo) => ({ repo, access: "full" })),
        repos: { app: { role: "primary", branch: null, directory: "web" } },
      },
    });
    await made.can.turn(ASKED);
    await made.can.turn({ ...ASKED, prompt: "go on" });
    expect(made.seen.homes.slice(0, 2)).toEqual([
      { from: "before", to: "1.work.1.2", directories: [] },
      { keeps: ["1.work.1.2", "before"] },
    ]);
    expect(made.wants[1]).toMatchObject({ cwd: "/workspace/app/web", directories: ["/workspace/lib"], session: "s0" });
    expect(made.wants[1]?.background).toContain("You were asked:\nmend it\n\nYou answered:\ndone");
    expect(made.wants[1]?.notice).toContain("Your last turn was lost");
    expect(made.seen.inputs[0]).toMatchObject({ turn: { item: "mend", agent: OWN, prompt: "mend it" } });
  });

  const usd = (amount: number) => ({ amount, currency: "USD" });
  it.each<readonly [string, boolean, number | null, string | null, number | null, number | null]>([
    ["a new session", false, 0.5, null, 0.5, 0.5],
    ["a session that goes on", true, 0.8, "USD", 0.3, 0.8],
    ["another session than before", false, 0.8, "USD", 0.8, 0.8],
    ["a session that began to count anew", true, 0.2, "USD", 0.2, 0.2],
    ["a session that counts in other money by now", true, 0.8, "EUR", 0.8, 0.8],
    ["a session that says nothing this time", true, null, "USD", null, 0.5],
    ["a session that says nothing at all", true, null, null, null, null],
  ])("costs what it added to the cost of its session: %s", async (_, resumed, told, before, cost, sum) => {
    const sessionCost = before === null ? null : { amount: 0.5, currency: before };
    const made = turns(
      OWN,
      async () => ({ resumed, usage: { ...REPORT.usage, cost: told === null ? null : usd(told) } }),
      { desk: { lastTurn: () => ({ home: "before", session: "s1", sessionCost }) } },
    );
    await made.can.turn(ASKED);
    const turn = turnOf(made);
    expect(turn?.kind === "turn" && [turn.usage.cost, turn.sessionCost]).toEqual([
      cost === null ? null : usd(cost),
      sum === null ? undefined : usd(sum),
    ]);
  });

  it("of a known agent is started and put into its mode as that one wants it", async () => {
    const made = turns(NAMED);
    await made.can.turn(ASKED);
    expect(made.seen.commands[0]?.argv).toEqual(["/opt/qwen", "--acp"]);
    expect(made.seen.acts).toMatchObject([{ kind: "turn", agent: "qwen" }]);
    const planning = turns(NAMED, undefined, { desk: { phase: "planning" } });
    await planning.can.turn(ASKED);
    expect([made.wants[0]?.mode, planning.wants[0]?.mode]).toEqual(["default", "plan"]);
    expect(planning.seen.effects[0]?.touched).toEqual([]);
    const own = turns(OWN, undefined, { desk: { phase: "planning" } });
    await own.can.turn(ASKED);
    expect(own.wants[0]?.mode).toBe("plan");
  });

  it("reaches what was granted and no more, and no record holds a secret", async () => {
    const grants = { hosts: ["localhost:1"], variables: ["KEY"], files: [".netrc", ".config/robot/key"] };
    const made = turns({ ...OWN, grants }, undefined, {
      connections: [{ host: "h", port: 1, verdict: "denied", bytesUp: 0, bytesDown: 0, reason: null }],
    });
    expect((await made.can.turn(ASKED)).message).toBe("done with [redacted]");
    expect(made.seen.homes[0]).toMatchObject({ directories: [".config/robot"] });
    expect(made.seen.doors[0]).toMatchObject({
      allowPrivate: [{ host: "registry.lan" }, { host: "localhost", port: 1 }],
    });
    expect(made.seen.commands[0]).toMatchObject({
      environment: { KEY: "value-of-KEY" },
      egressSocket: "/run/dir/egress.sock",
    });
    expect(made.seen.commands[0]?.mounts.map(({ inside }) => inside)).toEqual(
      expect.arrayContaining(["/home/agent/.netrc", "/home/agent/.config/robot/key"]),
    );
    expect([made.seen.denied.length, made.seen.closed]).toEqual([1, 1]);
    expect(made.seen.effects[0]?.evidence.map(({ kind }) => kind)).toEqual(["turn", "egress"]);
  });

  it("that says a secret on its stderr, in two pieces or cut, leaves it in no record", async () => {
    const grants = { ...NO_GRANTS, variables: ["KEY"] };
    const stderr = captured(`${"x".repeat(195)}value-of-KEY\n`);
    const made = turns(
      { ...OWN, grants },
      async () => {
        const [session] = made.seen.sessions;
        for (const piece of ["it is value-", "of-KEY, va"]) session?.onStderr(new TextEncoder().encode(piece));
        return { stop: "died" };
      },
      ends({ exitCode: 1, stderr }),
    );
    const said = `${"x".repeat(195)}[reda`;
    expect(await made.can.turn(ASKED)).toMatchObject({ trouble: `the agent stopped: died (exit code 1: ${said})` });
    expect(made.seen.said.join("")).toBe("it is [redacted], va");
    const kept = made.seen.effects.flatMap(({ blobs }) =>
      blobs.map(({ inline }) => textOf(inline ?? new Uint8Array())),
    );
    expect(kept.join("\n")).not.toContain("value-of-KEY");
  });

  it("is warned of when most of its time is gone, and when it stalls", async () => {
    vi.useFakeTimers();
    try {
      const made = turns(
        OWN,
        async () => {
          vi.advanceTimersByTime(800);
          made.seen.commands[0]?.stall?.onStall(5);
          return {};
        },
        { spec: { limits: { ...givenDesk().desk.spec.limits, stepMs: 1_000 } } },
      );
      await made.can.turn(ASKED);
      expect(made.seen.warnings).toEqual([
        { about: "time", ms: 800, limitMs: 1_000 },
        { about: "stall", ms: 5, limitMs: 300_000 },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("that asks what only a person can allow ends, with the wish, and is whole", async () => {
    const made = turns(OWN, async (_, client) => {
      await client.permit({ tool: "execute", title: "deploy", rawInput: { command: "deploy" }, locations: [] });
      return { stop: "permission" };
    });
    expect(await made.can.turn(ASKED)).toMatchObject({
      stop: "permission",
      asked: { title: "deploy", argv: ["deploy"] },
    });
    expect(made.seen.effects[0]?.failed).toBeNull();
  });

  it("that was interrupted is cancelled, whatever was said in it", async () => {
    const made = turns(OWN, undefined, { run: { signal: AbortSignal.abort() } });
    expect(await made.can.turn(ASKED)).toMatchObject({ stop: "cancelled", trouble: "the agent stopped: cancelled" });
    expect(turnOf(made)).toMatchObject({ endedBy: "cancel" });
  });

  it.each<readonly [Partial<TurnReport>, Partial<SessionOutcome>, TurnStop, string | null]>([
    [{ stop: "died" }, { endedBy: "time" }, "time", "the agent was ended by the limit on time"],
    [{ stop: "died" }, { endedBy: "memory" }, "memory", "the agent was ended by the limit on memory"],
    [{ stop: "died" }, { endedBy: "output" }, "output", "the agent was ended by the limit on output"],
    [{ stop: "died" }, { endedBy: "stall" }, "stall", "the agent was ended by the limit on stall"],
    // It had ended its turn when the bound came.
    [{ stop: "end_turn" }, { endedBy: "time" }, "end_turn", null],
    [
      { stop: "died" },
      { exitCode: 3, stderr: captured("a\nthe last line\n") },
      "died",
      "the agent stopped: died (exit code 3: the last line)",
    ],
    [
      { stop: "protocol", trouble: "it spoke nonsense" },
      { exitCode: null, signal: "SIGSEGV" },
      "protocol",
      "it spoke nonsense (SIGSEGV)",
    ],
    [{ stop: "died" }, { exitCode: null }, "died", "the agent stopped: died (a signal)"],
    [{ stop: "max_tokens" }, {}, "max_tokens", "the agent stopped: max tokens"],
    [{ stop: "refusal", trouble: "it would rather not" }, {}, "refusal", "it would rather not"],
  ])("ends as what it is: %j, %j", async (report, outcome, stop, trouble) => {
    const made = turns(OWN, async () => report, ends(outcome));
    expect(await made.can.turn(ASKED)).toMatchObject({ stop, trouble });
    expect(made.seen.effects[0]?.failed).toBe(trouble);
  });

  it("of an agent that does not say who it is has its program's name", async () => {
    const made = turns(OWN, async () => ({ agent: null }));
    await made.can.turn(ASKED);
    expect(turnOf(made)).toMatchObject({ agent: "custom" });
  });

  it("that was begun before this daemon looks for its program then", async () => {
    const made = turns();
    const begun = turnCapabilities(made.deps, made.desk, async (_, __, effect) => (await effect(made.run)).result);
    expect((await begun.turn(ASKED)).stop).toBe("end_turn");
  });

  it.each([
    [NAMED, "the program qwen of the agent qwen was not found", "Install it: npm install -g @qwen-code/qwen-code"],
    [OWN, "the program robot of the agent custom was not found", null],
    [PLAIN, "the program robot of the agent robot was not found", null],
    [{ ...NAMED, agent: "unknown" }, "the program  of the agent unknown was not found", null],
    [{ ...PLAIN, argv: [] }, "the program  of the agent  was not found", null],
  ])("whose program is not there says how to have it: %j", async (choice, message, next) => {
    const made = turns(choice, undefined, { deps: { agentPrograms: { find: () => null } } });
    await expect(made.can.turn(ASKED)).rejects.toMatchObject({ code: "agent/missing", message, next });
  });

  it("whose program is there and can not be used says why, and what helps", async () => {
    const find = () => ({ unusable: "is there, but not for us", next: "Put it elsewhere." });
    const made = turns(OWN, undefined, { deps: { agentPrograms: { find } } });
    await expect(made.can.turn(ASKED)).rejects.toMatchObject({
      code: "agent/missing",
      message: "the program robot of the agent custom is there, but not for us",
      next: "Put it elsewhere.",
    });
  });

  it("is no turn of an agent that takes none", async () => {
    await expect(turns({ kind: "gates" }).can.turn(ASKED)).rejects.toThrow(
      "the agent gates is no program that takes turns",
    );
  });

  it("fails as its sandbox fails, and closes its door", async () => {
    const made = turns({ ...OWN, grants: { ...NO_GRANTS, hosts: ["h:1"] } }, undefined, {
      session: () => ({ outcome: Promise.reject(new Error("no sandbox")) }),
    });
    await expect(made.can.turn(ASKED)).rejects.toThrow("no sandbox");
    expect(made.seen.closed).toBe(1);
  });
});

describe("a turn of a program without a protocol", () => {
  it("has the prompt by stdin, and what it puts out is its answer", async () => {
    const made = turns(PLAIN, undefined, {
      session: () => ({ says: ["it ", "adds\n"], outcome: Promise.resolve({}) }),
    });
    expect(await made.can.turn(ASKED)).toEqual({ stop: "end_turn", message: "it adds", asked: null, trouble: null });
    expect([made.seen.stdin, made.seen.said]).toEqual(["mend it\n", ["it ", "adds\n"]]);
    expect(turnOf(made)).toMatchObject({ agent: "robot", session: null });
    const transcript = made.seen.effects[0]?.blobs[1]?.inline ?? new Uint8Array();
    expect(textOf(transcript).split("\n")[0]).toBe('{"from":"client","message":"mend it"}');
  });

  it("that puts out more than is kept is cut at no half of a character, nor is what the next one is told of it", async () => {
    const made = turns(PLAIN, undefined, {
      session: () => ({ says: [`${"😀".repeat(40_000)}x`], outcome: Promise.resolve({}) }),
    });
    const { message } = await made.can.turn(ASKED);
    expect(message).toBe(`\ufffd${"😀".repeat(32_767)}x`);
    await made.can.turn(ASKED);
    expect(made.seen.stdin.isWellFormed()).toBe(true);
    expect(made.seen.stdin).toContain(`${"😀".repeat(5_000)}x\n\nmend it`);
  });

  it.each([
    [{ exitCode: 2 }, "it ended with exit code 2"],
    [{ exitCode: null, signal: "SIGTERM" }, "it ended with SIGTERM"],
    [{ exitCode: null }, "it ended with a signal"],
  ])("that ends with %j says so", async (outcome, trouble) => {
    const made = turns(PLAIN, undefined, ends(outcome));
    expect(await made.can.turn(ASKED)).toMatchObject({ stop: "error", trouble });
  });

  it("that puts out a secret in two pieces, or amid more than is kept, leaves it in no record", async () => {
    const grants = { ...NO_GRANTS, variables: ["KEY"] };
    const long = "y".repeat(64 * 1024 - 4);
    const made = turns({ ...PLAIN, grants }, undefined, {
      session: () => ({ says: ["it is value", "-of-KEY", long], outcome: Promise.resolve({}) }),
    });
    expect((await made.can.turn(ASKED)).message).toBe(`ted]${long}`);
    expect(made.seen.said.join("")).toBe(`it is [redacted]${long}`);
    const transcript = textOf(made.seen.effects[0]?.blobs[1]?.inline ?? new Uint8Array());
    expect(transcript.split("\n").slice(1, 3)).toEqual([
      '{"from":"agent","message":"it is "}',
      '{"from":"agent","message":"[redacted]"}',
    ]);
  });

  it("that puts out more than its limit is ended by it, and no more than that is written", async () => {
    const made = turns(PLAIN, undefined, {
      spec: { limits: { ...givenDesk().desk.spec.limits, outputBytes: 10 } },
      session: (_, signal) => ({
        says: ["0123456", "789abc", "never heard"],
        outcome: untilEnded(signal),
      }),
    });
    expect(await made.can.turn(ASKED)).toEqual({
      stop: "output",
      message: "0123456789abc",
      asked: null,
      trouble: "the agent was ended by the limit on output",
    });
    expect(made.seen.said).toEqual(["0123456", "789", "\n[more than 10 bytes of output: no more is kept here]\n"]);
    expect(turnOf(made)).toMatchObject({ stop: "output", endedBy: "output" });
  });

  it("is none the worse for not reading", async () => {
    const made = turns(PLAIN);
    const open = (command: SessionCommand, signal: AbortSignal): SandboxSession => ({
      ...made.deps.sandbox.open(command, signal),
      outcome: Promise.resolve({ ...OUTCOME }),
      input: new WritableStream<Uint8Array>({
        write() {
          throw new Error("broken pipe");
        },
      }),
    });
    const deps = { ...made.deps, sandbox: { ...made.deps.sandbox, open } };
    expect((await turnCapabilities(deps, made.desk, made.pass).turn(ASKED)).stop).toBe("end_turn");
  });
});

const OUTCOME: SessionOutcome = {
  exitCode: 0,
  signal: null,
  endedBy: "itself",
  stderr: captured(""),
  stdoutBytes: 0,
  durationMs: 1,
  environmentDigest: "e",
};

describe("a person's word on what an agent wants", () => {
  it.each([
    [true, "allow"],
    [false, "deny"],
  ])("is waited for, and is what it is: %s", async (permitted, word) => {
    const asked: unknown[] = [];
    const { desk } = givenDesk();
    const permit: typeof desk.steps.permit = async (needed) => {
      asked.push(needed);
      return permitted;
    };
    const { can } = turns(OWN, undefined, { desk: { steps: { ...desk.steps, permit } } });
    const wish = { digest: "d", tool: "execute", title: "deploy", detail: "deploy now", argv: ["deploy", "now"] };
    expect(await can.permission(wish)).toBe(word);
    await can.permission({ ...wish, argv: null });
    expect(asked).toMatchObject([
      { text: "deploy (execute)\n\ndeploy now", binds: { turn: "d" }, grant: "deploy now *" },
      { grant: null },
    ]);
  });
});
