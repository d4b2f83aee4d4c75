import { describe, expect, it } from "vitest";
import { captured, type Given, givenDesk } from "../../test/support/given-desk.ts";
import { itemGiven } from "../../test/support/given-spec.ts";
import { Failure } from "../domain/failure.ts";
import type { PolicyQuestion } from "../ports/policy.ts";
import type { SandboxOutcome } from "../ports/sandbox.ts";
import { transcriptOf } from "./transcript.ts";
import { type TurnPlace, turnClient } from "./turn-client.ts";

const ITEM = itemGiven({ paths: ["a.txt"], commands: ["make"] });
const GATES = [{ argv: ["npm", "test"] }, { argv: ["sh", "-c", "npm run check"] }, { argv: [] }];

function turn(given: Given = {}, place: Partial<TurnPlace> = {}) {
  const made = givenDesk({
    files: { "a.txt": "one\ntwo\nthree" },
    ...given,
    desk: { item: ITEM, ...given.desk },
    spec: { gates: GATES, ...given.spec },
  });
  const client = turnClient(made.deps, made.desk, made.run, {
    access: "by-scope",
    mounts: [],
    scratches: [],
    environment: { LAYER: "1" },
    words: {},
    transcript: transcriptOf(["the-secret"], (text) => made.seen.said.push(text), 1024 ** 2),
    signal: new AbortController().signal,
    ...place,
  });
  const acts = () => made.seen.told.map(({ act, decision, rule }) => `${act.kind} ${decision} (${rule})`);
  return { ...made, client, acts };
}
const A = "/workspace/app/a.txt";
const terminal = { args: [], environment: {}, cwd: null, outputBytesMax: null };
const wish = (more: object = {}) => ({ tool: "execute", title: "run it", rawInput: {}, locations: [], ...more });
const ask = (): "ask" => "ask";
/** As the shipped policy speaks of what no item names. */
const unnamed = ({ act }: { readonly act: { readonly kind: string } }) =>
  act.kind === "read"
    ? "allow"
    : ({ verdict: "ask", rule: act.kind === "edit" ? "plan/path" : "plan/command" } as const);
const deny = (): "deny" => "deny";

describe("an agent that reads", () => {
  it("a command that no system starts is refused in words, and nothing of it is recorded", async () => {
    const { client, seen } = turn();
    await expect(client.startTerminal({ ...terminal, command: "make", args: ["a\0"] })).rejects.toMatchObject({
      code: "input/invalid",
      message: "a word of the command holds a NUL character",
    });
    expect([seen.told, seen.commands]).toEqual([[], []]);
  });

  it("is told the file, or the lines it wants, and each is recorded before it hears of it", async () => {
    const { client, acts, seen } = turn();
    expect(await client.read(A, null, null)).toBe("one\ntwo\nthree");
    expect([await client.read(A, 2, null), await client.read(A, null, 1), await client.read(A, 2, 1)]).toEqual([
      "two\nthree",
      "one",
      "two",
    ]);
    expect(acts()).toEqual(Array(4).fill("read allowed (r)"));
    expect([client.acts(), seen.told[3]?.n]).toEqual([4, 4]);
  });

  it("what is not there is told so, and that is recorded too", async () => {
    const { client, seen } = turn();
    await expect(client.read("/workspace/app/b.txt", null, null)).rejects.toThrow("/workspace/app/b.txt is not there");
    expect(seen.told[0]).toMatchObject({ decision: "allowed", cause: "it is not there" });
  });

  it.each(["/etc/passwd", "/workspace/other/a", "/workspace/app/../x", "/workspace/", "a.txt"])(
    "outside of the workspaces is refused: %j",
    async (path) => {
      await expect(turn().client.read(path, null, null)).rejects.toMatchObject({ code: "act/denied" });
    },
  );

  it("a repo's top is no file", async () => {
    await expect(turn().client.read("/workspace/app/", null, null)).rejects.toMatchObject({ code: "act/denied" });
  });

  it("what the workspace refuses is recorded as refused; what breaks is not", async () => {
    const { workspaces } = turn().deps;
    const fails = (error: Error) =>
      turn({ deps: { workspaces: { ...workspaces, readFile: () => Promise.reject(error) } } });
    const link = fails(new Failure("act/denied", "it is a link"));
    await expect(link.client.read(A, null, null)).rejects.toThrow("it is a link");
    expect(link.acts()).toEqual(["read denied (r)"]);
    const broken = fails(new Error("the disk is gone"));
    await expect(broken.client.read(A, null, null)).rejects.toThrow("the disk is gone");
    expect(broken.acts()).toEqual([]);
  });
});

describe("an agent that writes", () => {
  it("leaves what was before and after, and who looks on sees it", async () => {
    const { client, seen, files } = turn();
    await client.write(A, "new");
    await client.write("/workspace/app/b.txt", "b");
    expect(files).toEqual({ "a.txt": "new", "b.txt": "b" });
    expect(seen.told.map(({ evidence }) => evidence[0])).toMatchObject([
      { before: "digest of one\ntwo\nthree", after: "digest of new" },
      { before: null, after: "digest of b" },
    ]);
    expect(seen.said).toEqual(["\n[wrote a.txt]\n", "\n[wrote b.txt]\n"]);
  });

  it("is told the policy's no, which stands in the journal as a refusal and as an act of the turn", async () => {
    const { client, acts, seen, files } = turn({ policy: deny });
    await expect(client.write(A, "new")).rejects.toThrow("write a.txt in app: because");
    expect([acts(), seen.denied, files["a.txt"]]).toEqual([
      ["edit denied (r)"],
      ["write a.txt in app (r): because"],
      "one\ntwo\nthree",
    ]);
  });

  it("what only a person can allow ends the turn; nothing more is done in it", async () => {
    const { client, acts } = turn({ policy: ask });
    await expect(client.write(A, "new")).rejects.toThrow("write a.txt in app: a person is asked first");
    await client.needsPerson;
    expect(client.wish()).toMatchObject({ tool: "edit", title: "write a.txt in app", argv: null });
    await expect(client.read(A, null, null)).rejects.toThrow("a person is asked first, and this turn ends");
    expect(await client.permit(wish())).toBe("ask");
    expect(acts()).toEqual(["edit asked (r)"]);
  });

  it("asks again with a person's word, and that counts", async () => {
    const first = turn({ policy: ask });
    await expect(first.client.write(A, "new")).rejects.toThrow();
    const digest = first.client.wish()?.digest ?? "";
    const yes = turn({ policy: ask }, { words: { [digest]: "allow" } });
    await yes.client.write(A, "new");
    expect(yes.acts()).toEqual(["edit allowed (person)"]);
    const no = turn({ policy: ask }, { words: { [digest]: "deny" } });
    await expect(no.client.write(A, "new")).rejects.toThrow("because");
    expect(no.acts()).toEqual(["edit denied (r)"]);
  });
});

describe("an agent that asks for a permission", () => {
  it.each([
    [wish({ rawInput: { command: "make" } }), "allow", "permission allowed (plan/command)"],
    [wish({ rawInput: { cmd: ["make"] } }), "allow", "permission allowed (plan/command)"],
    [wish({ rawInput: { command: "npm test" } }), "allow", "permission allowed (turn/gate-command)"],
    [wish({ rawInput: { command: ["npm", "run", "check"] } }), "allow", "permission allowed (turn/gate-command)"],
    [wish({ rawInput: { command: ["npm", 3] } }), "ask", "permission asked (turn/not-agreed)"],
    [wish({ rawInput: { command: [] } }), "ask", "permission asked (turn/not-agreed)"],
    [wish({ rawInput: { command: "" } }), "ask", "permission asked (turn/not-agreed)"],
    [wish({ rawInput: undefined }), "ask", "permission asked (turn/not-agreed)"],
    [wish({ rawInput: null }), "ask", "permission asked (turn/not-agreed)"],
    [wish({ tool: "edit", rawInput: { path: "a.txt" } }), "allow", "permission allowed (plan/path)"],
    [wish({ tool: "edit", rawInput: { file_path: 3 }, locations: [A] }), "allow", "permission allowed (plan/path)"],
    [wish({ tool: "edit", locations: ["/workspace/app"] }), "ask", "permission asked (turn/not-agreed)"],
    [wish({ tool: "edit", locations: ["/etc/passwd"] }), "deny", "permission denied (scope/path)"],
    [wish({ tool: "read", locations: [A, "/usr/include/stdio.h"] }), "allow", "permission allowed (turn/looks)"],
  ])("%j is answered %s", async (asked, answer, act) => {
    const { client, acts } = turn({ policy: unnamed });
    expect(await client.permit(asked)).toBe(answer);
    expect(acts()).toEqual([act]);
  });

  it("for a command that a policy forbids is told no, agreed on or not", async () => {
    const { client, acts, seen } = turn({ policy: deny });
    expect(await client.permit(wish({ rawInput: { command: ["npm", "test"] } }))).toBe("deny");
    expect([acts(), seen.denied]).toEqual([["permission denied (r)"], ["be allowed: run it (execute) (r): because"]]);
  });

  it.each([
    ["agreed on", wish({ rawInput: { command: "npm test" } }), "npm test"],
    ["named by its item", wish({ rawInput: { command: ["make"] } }), "make"],
    ["to be changed by its item", wish({ tool: "edit", locations: [A] }), "edit a.txt"],
    ["only looked at", wish({ tool: "read", locations: [A] }), "read a.txt"],
  ])("a policy's no and a policy's question stand, also for what is %s", async (_, asked, said) => {
    const wants: string[] = [];
    const policy = (verdict: "ask" | "deny") => (question: PolicyQuestion) => {
      const { act } = question;
      wants.push(
        act.kind === "command" ? act.argv.join(" ") : act.kind === "edit" ? `edit ${act.path}` : `${act.kind} a.txt`,
      );
      return { verdict, rule: "user/publish" };
    };
    const [asks, denies] = [turn({ policy: policy("ask") }), turn({ policy: policy("deny") })];
    expect([await asks.client.permit(asked), await denies.client.permit(asked)]).toEqual(["ask", "deny"]);
    expect([...asks.acts(), ...denies.acts()]).toEqual([
      "permission asked (user/publish)",
      "permission denied (user/publish)",
    ]);
    expect(wants).toEqual([said, said]);
  });

  it("what every policy lets pass needs nobody's agreement beside, within an item and not outside of one", async () => {
    const both = wish({ tool: "edit", locations: ["/workspace/app/b.txt", "/workspace/app/c.txt"] });
    const policy = ({ act }: PolicyQuestion) =>
      act.kind === "edit" && act.path === "c.txt" ? ({ verdict: "ask", rule: "plan/path" } as const) : "allow";
    const wide = turn();
    expect([await wide.client.permit(both), wide.acts()]).toEqual(["allow", ["permission allowed (r)"]]);
    expect(await turn({ policy }).client.permit(both)).toBe("ask");
    expect(await turn({ desk: { item: null } }).client.permit(both)).toBe("ask");
  });

  it("for what nobody may is told no, whatever a person once said to it", async () => {
    const outside = wish({ tool: "edit", locations: ["/etc/passwd"] });
    const first = turn();
    await first.client.permit(outside);
    const [told] = first.seen.told;
    const digest = told?.act.kind === "permission" ? told.act.digest : "";
    expect(await turn({}, { words: { [digest]: "allow" } }).client.permit(outside)).toBe("deny");
  });

  it("for what a person allowed already has that word, whichever way it was asked: each of these files, this command there", async () => {
    const words: Record<string, "allow"> = {};
    const wanted = async (begin: (client: ReturnType<typeof turn>["client"]) => Promise<unknown>) => {
      const { client } = turn({ policy: ask });
      await expect(begin(client)).rejects.toThrow("a person is asked first");
      words[client.wish()?.digest ?? ""] = "allow";
    };
    const [b, c, web] = ["/workspace/app/b.txt", "/workspace/app/c.txt", "/workspace/app/web"];
    await wanted((client) => client.write(b, "x"));
    await wanted((client) => client.write(c, "x"));
    await wanted((client) => client.startTerminal({ ...terminal, command: "deploy", cwd: web }));
    await wanted((client) => client.read(b, null, null));
    const both = wish({ tool: "edit", locations: [b, c] });
    const there = wish({ rawInput: { command: "deploy", cwd: `${web}/` } });
    const elsewhere = wish({ rawInput: { command: "deploy" } });
    const answers = [both, there, elsewhere].map((one) => turn({ policy: unnamed }, { words }).client.permit(one));
    expect(await Promise.all(answers)).toEqual(["allow", "allow", "ask"]);
    expect(new Set(Object.keys(words)).size).toBe(4);
  });

  it("for a command that was approved in advance needs nobody: the policy knows of it", async () => {
    const policy = ({ approvedCommands }: PolicyQuestion) =>
      approvedCommands.includes("npm run *") ? "allow" : ({ verdict: "ask", rule: "plan/command" } as const);
    const { client } = turn({ policy, spec: { approvedCommands: ["npm run *"] } });
    expect(await client.permit(wish({ rawInput: { command: "npm run build" } }))).toBe("allow");
    expect(await turn({ policy }).client.permit(wish({ rawInput: { command: "npm run build" } }))).toBe("ask");
  });

  it("has a person's word where one was given for exactly that, and no secret of its stands in the record", async () => {
    const asked = wish({ title: "run the-secret" });
    const first = turn();
    await first.client.permit(asked);
    expect(first.seen.told[0]?.act).toMatchObject({ title: "run [redacted]" });
    const digest = first.client.wish()?.digest ?? "";
    const yes = turn({}, { words: { [digest]: "allow" } });
    expect([await yes.client.permit(asked), yes.acts(), yes.seen.said]).toEqual([
      "allow",
      ["permission allowed (person)"],
      ["\n[allowed by a person: run [redacted]]\n"],
    ]);
    const no = turn({}, { words: { [digest]: "deny" } });
    expect([await no.client.permit(asked), no.acts(), no.seen.told[0]?.cause, no.seen.denied]).toEqual([
      "deny",
      ["permission denied (person)"],
      "a person said no",
      ["be allowed: run [redacted] (execute) (person): a person said no"],
    ]);
  });
});

describe("an agent that starts commands", () => {
  it("has each in the sandbox without a network, recorded when it begins and when it has ended", async () => {
    const { client, acts, seen } = turn({
      command: () => ({ exitCode: 1, stdout: captured("it holds the-secret"), stderr: captured("plain") }),
    });
    const started = await client.startTerminal({
      ...terminal,
      command: "make",
      args: ["all"],
      environment: { NO_COLOR: "1" },
      cwd: "/workspace/app/web",
    });
    expect(await started.ended).toEqual({ exitCode: 1, signal: null });
    await client.settled();
    expect(seen.commands[0]).toMatchObject({
      argv: ["make", "all"],
      cwd: "/workspace/app/web",
      environment: { LAYER: "1", NO_COLOR: "1" },
      egressSocket: null,
      outputFile: "/run/dir/terminal-1.log",
    });
    seen.commands[0]?.onStart({ pid: 1, startTicks: 1, bootId: "b" });
    expect(acts()).toEqual(["command allowed (r)", "command allowed (r)"]);
    expect(seen.told[1]?.evidence).toMatchObject([
      {
        kind: "command",
        exitCode: 1,
        stdout: { digest: "blob of it holds [redacted]" },
        stderr: { digest: "blob of plain" },
      },
    ]);
  });

  it("that hold what was granted have it in no record: neither of the act, nor of its end, nor of what a person is asked", async () => {
    const sealed = { deps: { seal: () => ({ text: "", sha256: "sealed" }) } };
    const { client, seen } = turn(sealed);
    await (
      await client.startTerminal({
        ...terminal,
        command: "curl",
        args: ["-H", "Key: the-secret"],
        cwd: "/workspace/app/the-secret",
      })
    ).ended;
    const asking = turn({ ...sealed, policy: ask });
    const line = { ...terminal, command: "curl", args: [`${"x".repeat(200)}the-secret`] };
    await expect(asking.client.startTerminal(line)).rejects.toThrow("[redacted] in app: a person is asked first");
    const wishing = turn({ ...sealed, policy: unnamed });
    await wishing.client.permit(wish({ tool: "the-secret", rawInput: { command: ["curl", "the-secret"] } }));
    const forbidding = turn({ ...sealed, policy: deny });
    await expect(forbidding.client.startTerminal(line)).rejects.toMatchObject({ code: "act/denied" });
    await expect(forbidding.client.write("/workspace/app/the-secret", "x")).rejects.toMatchObject({
      code: "act/denied",
    });
    const records = [
      seen.told,
      asking.seen.told,
      asking.client.wish(),
      wishing.seen.told,
      wishing.client.wish(),
      forbidding.seen.told,
      forbidding.seen.denied,
    ];
    for (const record of records) {
      expect(JSON.stringify(record)).toContain("[redacted]");
      expect(JSON.stringify(record)).not.toContain("the-secret");
    }
    // What is started is what was asked for.
    expect(seen.commands[0]?.argv).toEqual(["curl", "-H", "Key: the-secret"]);
  });

  it("by a line has a shell read it; by words none", async () => {
    const { client, seen } = turn();
    for (const command of ["make && ls", "make"]) await (await client.startTerminal({ ...terminal, command })).ended;
    expect(seen.commands.map(({ argv, cwd }) => [argv, cwd])).toEqual([
      [["sh", "-c", "make && ls"], "/workspace/app"],
      [["make"], "/workspace/app"],
    ]);
  });

  it("with a variable that may decide what runs is judged, asked about and recorded with it", async () => {
    const seen: string[] = [];
    const policy = ({ act }: PolicyQuestion) => {
      if (act.kind === "command") seen.push(act.argv.join(" "));
      return "allow" as const;
    };
    const { client, seen: did } = turn({ policy });
    const environment = { CLAUDECODE: "1", PAGER: "less", LD_PRELOAD: "/workspace/app/x.so" };
    await (await client.startTerminal({ ...terminal, command: "npm test", environment })).ended;
    const argv = ["env", "PAGER=less", "LD_PRELOAD=/workspace/app/x.so", "sh", "-c", "npm test"];
    expect(seen).toEqual([argv.join(" ")]);
    expect(did.commands[0]).toMatchObject({ argv, environment: { LAYER: "1", CLAUDECODE: "1" } });
    expect(did.told.map(({ act }) => act)).toMatchObject([
      { kind: "command", argv, when: "begins" },
      { kind: "command", argv, when: "ended" },
    ]);
    expect(did.said).toEqual([`\n$ CLAUDECODE=1 ${argv.join(" ")}\n`]);
    // A person's word to the command alone is none to the command with a variable.
    const words: Record<string, "allow"> = {};
    const plain = turn({ policy: ask });
    await expect(plain.client.startTerminal({ ...terminal, command: "deploy" })).rejects.toThrow("asked first");
    words[plain.client.wish()?.digest ?? ""] = "allow";
    const again = (more: object) =>
      turn({ policy: ask }, { words }).client.startTerminal({ ...terminal, command: "deploy", ...more });
    await (await again({})).ended;
    await expect(again({ environment: { NODE_OPTIONS: "-r x" } })).rejects.toThrow("asked first");
  });

  it.each([
    [{ environment: { "": "x" } }, '"" is no name of a variable'],
    [{ environment: { "A=B": "x" } }, '"A=B" is no name of a variable'],
    [{ environment: { A: "y\0--bind\0/\0/tmp/host" } }, "a word of the command holds a NUL character"],
    [{ args: ["a\0b"] }, "a word of the command holds a NUL character"],
  ])("with what no system takes is refused before anything is done: %j", async (more, said) => {
    const { client, acts, seen } = turn();
    await expect(client.startTerminal({ ...terminal, command: "make", ...more })).rejects.toMatchObject({
      code: "input/invalid",
      message: said,
    });
    expect([acts(), seen.commands]).toEqual([[], []]);
  });

  it("sees what they put out as it comes, the end of it where it is too much, and can end them", async () => {
    let report: Uint8Array | null = null;
    const { client } = turn({
      deps: { readReport: async () => report },
      command: (_, signal) =>
        new Promise<Partial<SandboxOutcome>>((resolve) => {
          signal.addEventListener("abort", () => resolve({ exitCode: null, signal: "SIGKILL", endedBy: "cancel" }));
        }),
    });
    const started = await client.startTerminal({ ...terminal, command: "make", outputBytesMax: 3 });
    expect(await started.output()).toEqual({ text: "", truncated: false, exit: null });
    report = new TextEncoder().encode("abcdef");
    expect(await started.output()).toEqual({ text: "def", truncated: true, exit: null });
    started.kill();
    expect(await started.ended).toEqual({ exitCode: null, signal: "SIGKILL" });
    expect((await started.output()).exit).toEqual({ exitCode: null, signal: "SIGKILL" });
  });

  it("of a turn that was interrupted are told to nobody", async () => {
    const { client, acts } = turn({ run: { signal: AbortSignal.abort() } });
    await (await client.startTerminal({ ...terminal, command: "make" })).ended;
    expect(acts()).toEqual(["command allowed (r)"]);
  });

  it("that cannot be run fail for who waits, and break nothing for who does not", async () => {
    const { client } = turn({ command: () => Promise.reject(new Failure("sandbox/missing", "no bubblewrap")) });
    const started = await client.startTerminal({ ...terminal, command: "make" });
    await client.settled();
    await expect(started.ended).rejects.toThrow("no bubblewrap");
  });

  it("may not have any number of them", async () => {
    const { client } = turn();
    for (let n = 0; n < 64; n += 1) await client.startTerminal({ ...terminal, command: "make" });
    await expect(client.startTerminal({ ...terminal, command: "make" })).rejects.toThrow(
      "more than 64 terminals in one turn",
    );
  });

  it("with a command that a person is asked about says which", async () => {
    const { client } = turn({ policy: ask });
    await expect(client.startTerminal({ ...terminal, command: "make" })).rejects.toThrow("a person is asked first");
    expect(client.wish()).toMatchObject({ tool: "command", argv: ["make"] });
  });
});

it("what passes between agent and client is in the transcript, and shown without secrets", () => {
  const { client, seen } = turn();
  client.hear("agent", { hello: 1 }, null);
  client.tell("the-secret");
  expect(seen.said).toEqual(["[redacted]"]);
});
