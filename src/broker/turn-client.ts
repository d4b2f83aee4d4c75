import { checkWords } from "../domain/command-words.ts";
import type { Evidence } from "../domain/evidence.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import type { Act } from "../domain/step.ts";
import type { TurnAct, TurnDecision } from "../domain/turn.ts";
import type { PersonsWord, TurnTold } from "../ports/agent.ts";
import type { Desk, StepRun } from "../ports/broker.ts";
import type { TerminalAsked, TerminalExit, TurnClient, TurnTerminal } from "../ports/foreign.ts";
import type { Mount, Scratch } from "../ports/sandbox.ts";
import type { StagedBlob } from "../ports/store.ts";
import { firstRepo, limitsOf, toolPathOf, WORKSPACES_INSIDE, workspaceOf } from "./confine.ts";
import { decide } from "./decision.ts";
import type { BrokerDependencies } from "./deps.ts";
import { refuseOddPath } from "./reading.ts";
import type { Transcript } from "./transcript.ts";
import { judgeWish, keyOf, placeOf, wishOf } from "./turn-wish.ts";

const READ_BYTES_MAX = 4 * 1024 ** 2;
const TITLE_MAX = 300;
const TERMINALS_MAX = 64;

export interface TurnPlace {
  readonly access: "read" | "by-scope";
  readonly mounts: readonly Mount[];
  readonly scratches: readonly Scratch[];
  readonly environment: Readonly<Record<string, string>>;
  readonly words: Readonly<Record<string, PersonsWord>>;
  readonly transcript: Transcript;
  /** Aborted when the turn is over or to end: its terminals end with it. */
  readonly signal: AbortSignal;
}

/** Answers one agent during one turn: policy first, then the effect, then what happened is durable, then the agent hears of it. */
export function turnClient(
  deps: BrokerDependencies,
  desk: Desk,
  run: StepRun,
  place: TurnPlace,
): TurnClient & { acts(): number; wish(): TurnTold["asked"]; settled(): Promise<void> } {
  let n = 0;
  let wish: TurnTold["asked"] = null;
  const { promise: needsPerson, resolve: need } = Promise.withResolvers<void>();
  /** The first wish is what a person is asked; the turn ends with it. */
  const wants = (one: NonNullable<TurnTold["asked"]>): void => {
    wish ??= one;
    need();
  };
  const terminals: Promise<unknown>[] = [];
  const { redact } = place.transcript;
  /** An agent may say what it was granted in any word of what it wants. */
  const withoutSecrets = (act: TurnAct): TurnAct => {
    switch (act.kind) {
      case "command":
        return { ...act, argv: act.argv.map(redact), cwd: redact(act.cwd) };
      case "permission":
        return { ...act, tool: redact(act.tool) };
      case "read":
      case "edit":
        return { ...act, path: redact(act.path) };
    }
  };

  const record = async (
    act: TurnAct,
    decision: TurnDecision,
    rule: string,
    more: {
      readonly evidence?: readonly Evidence[];
      readonly cause?: string;
      readonly blobs?: readonly StagedBlob[];
    } = {},
  ): Promise<void> => {
    n += 1;
    await desk.steps.act(
      {
        step: run.step,
        run: run.run,
        n,
        act: withoutSecrets(act),
        decision,
        rule,
        evidence: more.evidence ?? [],
        cause: more.cause === undefined ? null : redact(more.cause).slice(0, 500).toWellFormed(),
      },
      more.blobs ?? [],
    );
  };

  /** Asks the policy as for a step of its own; a no is recorded twice over, as a refusal and as an act of the turn. */
  const allowed = async (act: Act & { readonly repo: string }, asTold: TurnAct, said: string): Promise<string> => {
    const inWords = redact(said);
    if (wish !== null) throw new Failure("act/denied", "a person is asked first, and this turn ends");
    const answer = await decide(deps, desk, act);
    if (answer.verdict === "allow") return answer.rule;
    if (answer.verdict === "ask") {
      const digest = keyOf(deps, act);
      const word = wordOn(place, digest);
      if (word === "allow") return "person";
      if (word === undefined) {
        await record(asTold, "asked", answer.rule, { cause: answer.reason });
        const argv = act.kind === "command" ? act.argv.map(redact) : null;
        wants({ digest, tool: act.kind, title: inWords, detail: redact(JSON.stringify(act, null, 2)), argv });
        throw new Failure("act/denied", `${inWords}: a person is asked first`);
      }
    }
    await desk.steps.deny(inWords, answer.rule, redact(answer.reason));
    await record(asTold, "denied", answer.rule, { cause: answer.reason });
    throw new Failure("act/denied", `${inWords}: ${answer.reason}`);
  };

  /** What could not be done is recorded too, before it is told. */
  const tried = async <T>(act: TurnAct, rule: string, effect: () => Promise<T>): Promise<T> => {
    try {
      return await effect();
    } catch (error) {
      if (isFailure(error, "act/denied")) await record(act, "denied", rule, { cause: error.message });
      throw error;
    }
  };

  const placed = (path: string): { readonly repo: string; readonly path: string } => {
    const found = placeOf(desk, path);
    if (found === null)
      throw new Failure(
        "act/denied",
        `${JSON.stringify(path.slice(0, TITLE_MAX))} is no plain path inside the workspace`,
      );
    return found;
  };

  return {
    acts: () => n,
    wish: () => wish,
    needsPerson,
    settled: async () => {
      await Promise.allSettled(terminals);
    },
    redact,
    pieces: place.transcript.pieces,
    hear: (from, message, invalid) => place.transcript.hear(from, message, invalid),
    tell: (text) => place.transcript.tell(text),

    async read(asked, line, limit) {
      const { repo, path } = placed(asked);
      refuseOddPath(path);
      const told: TurnAct = { kind: "read", repo, path };
      const act: Act & { repo: string } = { kind: "read", repo, what: "file", target: [path] };
      const rule = await allowed(act, told, `read ${path} in ${repo}`);
      return tried(told, rule, async () => {
        const bytes = await deps.workspaces.readFile(workspaceOf(desk, repo), path, READ_BYTES_MAX);
        const digest = bytes === null ? null : deps.digest(bytes);
        const evidence: Evidence = { kind: "file", repo, path, before: digest, after: digest };
        if (bytes === null) {
          await record(told, "allowed", rule, { evidence: [evidence], cause: "it is not there" });
          throw new Failure("agent/failed", `${asked} is not there`);
        }
        await record(told, "allowed", rule, { evidence: [evidence] });
        return linesOf(new TextDecoder().decode(bytes), line, limit);
      });
    },

    async write(asked, content) {
      const { repo, path } = placed(asked);
      refuseOddPath(path);
      const bytes = new TextEncoder().encode(content);
      const after = deps.digest(bytes);
      const told: TurnAct = { kind: "edit", repo, path, after };
      const act: Act & { repo: string } = {
        kind: "edit",
        repo,
        path,
        before: null,
        after,
        content: null,
        executable: null,
      };
      const rule = await allowed(act, told, `write ${path} in ${repo}`);
      await tried(told, rule, async () => {
        const workspace = workspaceOf(desk, repo);
        const old = await deps.workspaces.readFile(workspace, path, READ_BYTES_MAX * 16);
        const before = old === null ? null : deps.digest(old);
        await deps.workspaces.writeFile(workspace, path, bytes);
        await record(told, "allowed", rule, { evidence: [{ kind: "file", repo, path, before, after }] });
      });
      place.transcript.tell(`\n[wrote ${path}]\n`);
    },

    async permit(asked) {
      if (wish !== null) return "ask";
      const { digest, covers, detail, wanted } = wishOf(deps, desk, asked, redact);
      const title = redact(asked.title).slice(0, TITLE_MAX).toWellFormed();
      const request = await deps.blobs.stage(new TextEncoder().encode(place.transcript.redact(JSON.stringify(asked))));
      const act: TurnAct = { kind: "permission", digest, tool: asked.tool, title, request: request.ref };
      const blobs = [request];
      const tool = redact(asked.tool);
      const inWords = `be allowed: ${title} (${tool})`;
      const allCovered = covers.length > 0 && covers.every((one) => wordOn(place, one) === "allow");
      const word = wordOn(place, digest) ?? (allCovered ? "allow" : undefined);
      const judged = await judgeWish(deps, desk, wanted);
      // A person's word counts for what they were asked, and for nothing that nobody may.
      if (judged.answer === "ask" && word !== undefined) {
        await record(act, word === "allow" ? "allowed" : "denied", "person", {
          blobs,
          ...(word === "deny" && { cause: "a person said no" }),
        });
        if (word === "deny") await desk.steps.deny(inWords, "person", "a person said no");
        place.transcript.tell(`\n[${word === "allow" ? "allowed" : "denied"} by a person: ${title}]\n`);
        return word;
      }
      if (judged.answer === "allow") {
        await record(act, "allowed", judged.rule, { blobs });
        return "allow";
      }
      if (judged.answer === "deny") {
        await desk.steps.deny(inWords, judged.rule, redact(judged.reason));
        await record(act, "denied", judged.rule, { blobs, cause: judged.reason });
        return "deny";
      }
      await record(act, "asked", judged.rule, { blobs, cause: judged.reason });
      wants({ digest, tool, title, detail, argv: wanted.argv?.map(redact) ?? null, covers });
      return "ask";
    },

    async startTerminal(asked) {
      const { repo, path: cwd } = asked.cwd === null ? { repo: firstRepo(desk), path: "." } : placed(asked.cwd);
      const { argv, environment } = commandOf(asked);
      checkWords(argv);
      const terminal = `${terminals.length + 1}`;
      const told = (when: "begins" | "ended"): TurnAct => ({ kind: "command", repo, argv, cwd, terminal, when });
      const act: Act & { repo: string } = {
        kind: "command",
        repo,
        argv,
        cwd,
        timeoutMs: desk.spec.limits.stepMs,
        network: [],
      };
      const rule = await allowed(
        act,
        told("begins"),
        `run ${redact(argv.join(" ")).slice(0, TITLE_MAX).toWellFormed()} in ${repo}`,
      );
      if (terminals.length >= TERMINALS_MAX)
        throw new Failure("act/denied", `more than ${TERMINALS_MAX} terminals in one turn`);
      await record(told("begins"), "allowed", rule);
      place.transcript.tell(`\n$ ${[...Object.entries(environment).map(assigned), ...argv].join(" ")}\n`);
      const its = { asked, argv, environment, repo, cwd, terminal };
      const started = await startTerminal(deps, desk, run, place, its, (more) =>
        record(told("ended"), "allowed", rule, more),
      );
      terminals.push(started.ended);
      return started;
    },
  };
}

const assigned = ([name, value]: readonly [string, string]): string => `${name}=${value}`;

/** Variables that say who asks, and how output is to look. */
const ONLY_LOOKS =
  /^(?:(?:CLAUDECODE|GEMINI_CLI|TERM|COLORTERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CLICOLOR|CLICOLOR_FORCE|LANG|LC_[A-Z]+)=[\w.@:-]{0,100}|(?:GIT_)?PAGER=cat)$/;

/**
 * Agents give a whole line as the command as often as words: that is a shell's to read, inside the same sandbox. A variable may decide what a
 * command does, so it is a part of the command: judged, agreed on and recorded with it.
 */
function commandOf({ command, args, environment }: TerminalAsked): Pick<Terminal, "argv" | "environment"> {
  const words = args.length === 0 && /[\s|&;<>()$`"'*?]/.test(command) ? ["sh", "-c", command] : [command, ...args];
  const all = Object.entries(environment);
  const odd = all.find(([name]) => !/^[A-Za-z_]\w*$/.test(name));
  if (odd !== undefined)
    throw new Failure("input/invalid", `${JSON.stringify(odd[0].slice(0, TITLE_MAX))} is no name of a variable`);
  const deciding = all.filter((one) => !ONLY_LOOKS.test(assigned(one)));
  return {
    argv: deciding.length === 0 ? words : ["env", ...deciding.map(assigned), ...words],
    environment: Object.fromEntries(all.filter((one) => !deciding.includes(one))),
  };
}

const linesOf = (text: string, line: number | null, limit: number | null): string => {
  if (line === null && limit === null) return text;
  const lines = text.split("\n");
  const from = Math.max(0, (line ?? 1) - 1);
  return lines.slice(from, limit === null ? undefined : from + limit).join("\n");
};

const wordOn = ({ words }: TurnPlace, digest: string): PersonsWord | undefined =>
  Object.hasOwn(words, digest) ? words[digest] : undefined;

interface Terminal {
  readonly asked: TerminalAsked;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly repo: string;
  readonly cwd: string;
  readonly terminal: string;
}

const TERMINAL_BYTES = 1024 ** 2;

async function startTerminal(
  deps: BrokerDependencies,
  desk: Desk,
  run: StepRun,
  place: TurnPlace,
  { asked, argv, environment, repo, cwd, terminal }: Terminal,
  recordEnd: (more: { readonly evidence: readonly Evidence[]; readonly blobs: readonly StagedBlob[] }) => Promise<void>,
): Promise<TurnTerminal> {
  const directory = await deps.runDirectory(desk.task, run.step, run.run);
  const file = `terminal-${terminal}.log`;
  const bytesMax = Math.min(asked.outputBytesMax ?? TERMINAL_BYTES, TERMINAL_BYTES);
  const kill = new AbortController();
  let exit: TerminalExit | null = null;
  const running = deps.sandbox.run(
    {
      argv,
      cwd: cwd === "." ? `${WORKSPACES_INSIDE}/${repo}` : `${WORKSPACES_INSIDE}/${repo}/${cwd}`,
      mounts: place.mounts,
      scratches: place.scratches,
      environment: { ...place.environment, ...environment },
      toolPath: toolPathOf(desk, repo),
      egressSocket: null,
      limits: limitsOf(desk, desk.spec.limits.stepMs),
      stall: null,
      outputFile: `${directory}/${file}`,
      // Reaped with the turn: a dead daemon's children die with it, and the turn's own mark is the one that is noted.
      onStart: () => undefined,
    },
    AbortSignal.any([place.signal, kill.signal]),
  );
  const ended = running.then(async (outcome): Promise<TerminalExit> => {
    const stdout = await deps.blobs.stage(redacted(place.transcript, outcome.stdout.bytes));
    const stderr = await deps.blobs.stage(redacted(place.transcript, outcome.stderr.bytes));
    const evidence: Evidence = {
      kind: "command",
      argv: argv.map(place.transcript.redact),
      cwd: place.transcript.redact(cwd),
      environment: outcome.environmentDigest,
      exitCode: outcome.exitCode,
      signal: outcome.signal,
      endedBy: outcome.endedBy,
      stdout: stdout.ref,
      stderr: stderr.ref,
      durationMs: Math.round(outcome.durationMs),
    };
    // With the turn itself interrupted there is nobody to tell, and the step is closed by its own words.
    if (!run.signal.aborted) await recordEnd({ evidence: [evidence], blobs: [stdout, stderr] });
    exit = { exitCode: outcome.exitCode, signal: outcome.signal };
    return exit;
  });
  // Who does not wait for it is told by `output`; a failure is heard by who does, and by the turn.
  ended.catch(() => undefined);
  return {
    ended,
    kill: () => kill.abort(),
    async output() {
      const bytes = (await deps.readReport(directory, file, desk.spec.limits.outputBytes)) ?? new Uint8Array();
      const truncated = bytes.byteLength > bytesMax;
      return {
        text: new TextDecoder().decode(truncated ? bytes.subarray(bytes.byteLength - bytesMax) : bytes),
        truncated,
        exit,
      };
    },
  };
}

const redacted = (transcript: Transcript, bytes: Uint8Array): Uint8Array => {
  const text = new TextDecoder().decode(bytes);
  const clean = transcript.redact(text);
  return clean === text ? bytes : new TextEncoder().encode(clean);
};
