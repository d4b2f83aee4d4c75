import type { Cost, Evidence } from "../domain/evidence.ts";
import type { ForeignChoice } from "../domain/foreign-agent.ts";
import { startable } from "../domain/found-program.ts";
import { CUSTOM_AGENT, type Launcher, launcherNamed } from "../domain/launchers.ts";
import { grantFor } from "../domain/matter.ts";
import { placeIn } from "../domain/spec.ts";
import { isWholeTurn, type TurnStop } from "../domain/turn.ts";
import type { TurnAsked, TurnCapabilities, TurnTold } from "../ports/agent.ts";
import type { Desk, Effect, StepRun } from "../ports/broker.ts";
import type { AgentProgram, TurnReport } from "../ports/foreign.ts";
import type { Mount, SessionOutcome } from "../ports/sandbox.ts";
import {
  allLayers,
  failureMount,
  firstRepo,
  insideOf,
  limitsOf,
  targetOf,
  toolPathOf,
  workspaceMounts,
  writableRepos,
} from "./confine.ts";
import type { BrokerDependencies, Pass } from "./deps.ts";
import { egressEvidence, tellDenied } from "./egress-evidence.ts";
import { grantedThings, HOME_INSIDE } from "./granted-things.ts";
import { inputMounts } from "./inputs.ts";
import { plainTurn } from "./plain-turn.ts";
import { transcriptOf } from "./transcript.ts";
import { turnClient } from "./turn-client.ts";

/** Agents that are a server and its client talk over the loopback of their own sandbox. A model on this machine is named `localhost`. */
const OWN_LOOPBACK = { NO_PROXY: "127.0.0.1,::1" };
const WARN_SHARE = 0.8;
/** Of what earlier turns said, so much is told to a session that does not remember them. */
const REMEMBERED_MAX = 12_000;

/**
 * One turn of a foreign agent: its process in the sandbox from the prompt to the stop reason, inside the durable bracket. What it asks of
 * its client goes through `turnClient`; what it does by itself is held by mounts and egress. Its home is a copy that counts only once the
 * turn is recorded.
 */
export function turnCapabilities(deps: BrokerDependencies, desk: Desk, pass: Pass): TurnCapabilities {
  const before: { readonly prompt: string; readonly message: string }[] = [];
  return {
    async turn(asked) {
      const choice = foreignChoice(desk);
      let program: AgentProgram | null = null;
      const told = (await pass(
        { turn: { item: desk.item?.id ?? null, agent: choice, ...asked } },
        async () => {
          program = findProgram(deps, desk, choice);
          const prompt = await deps.blobs.stage(new TextEncoder().encode(asked.prompt));
          return { act: { kind: "turn", agent: nameOf(choice), prompt: prompt.ref }, blobs: [prompt] };
        },
        (run) => oneTurn(deps, desk, run, choice, program ?? findProgram(deps, desk, choice), asked, before),
      )) as TurnTold;
      before.push({ prompt: asked.prompt, message: told.message });
      return told;
    },
    async permission({ digest, tool, title, detail, argv }) {
      const act = `the agent wants to be allowed: ${title} (${tool})`;
      const allowed = await desk.steps.permit({
        text: `${title} (${tool})\n\n${detail}`,
        binds: { turn: digest },
        act,
        rule: "turn/not-agreed",
        reason: "nobody agreed on this yet",
        grant: argv === null ? null : grantFor(argv),
      });
      return allowed ? "allow" : "deny";
    },
  };
}

function foreignChoice(desk: Desk): ForeignChoice {
  const { agent } = desk.spec;
  if (agent.kind !== "acp" && agent.kind !== "command")
    throw new Error(`the agent ${agent.kind} is no program that takes turns`);
  return agent;
}

const nameOf = (choice: ForeignChoice): string => (choice.kind === "acp" ? choice.agent : (choice.argv[0] ?? ""));

const launcherOf = (choice: ForeignChoice): Launcher | undefined =>
  choice.kind === "acp" && choice.agent !== CUSTOM_AGENT ? launcherNamed(choice.agent) : undefined;

/** How it is started: its own words, or those that are known of it. */
function startOf(choice: ForeignChoice) {
  const launcher = launcherOf(choice);
  if (choice.argv !== null) return { launcher, names: choice.argv.slice(0, 1), words: choice.argv.slice(1) };
  return { launcher, names: launcher?.programs ?? [], words: launcher?.args ?? [] };
}

function findProgram(deps: BrokerDependencies, desk: Desk, choice: ForeignChoice): AgentProgram {
  const { names, words, launcher } = startOf(choice);
  return startable(
    deps.agentPrograms.find(toolPathOf(desk, firstRepo(desk)), names, words),
    `the program ${names.join(" or ")} of the agent ${nameOf(choice)}`,
    launcher === undefined ? undefined : `Install it: ${launcher.install}`,
  );
}

async function oneTurn(
  deps: BrokerDependencies,
  desk: Desk,
  run: StepRun,
  choice: ForeignChoice,
  program: AgentProgram,
  asked: TurnAsked,
  before: readonly { readonly prompt: string; readonly message: string }[],
): Promise<Effect> {
  const { launcher, words } = startOf(choice);
  const last = desk.lastTurn();
  const home = `${run.step}.${run.run}`;
  const homeOnHost = await deps.agentHomes.begin(
    desk.task,
    last?.home ?? null,
    home,
    choice.grants.files.flatMap((path) => (path.includes("/") ? [path.slice(0, path.lastIndexOf("/"))] : [])),
  );
  const repo = firstRepo(desk);
  const place = placeIn(desk.spec, repo, ".");
  const cwd = place === "." ? insideOf(repo) : `${insideOf(repo)}/${place}`;
  const access = desk.phase === "planning" ? "read" : "by-scope";
  const granted = await grantedThings(deps, desk, run, choice.grants);
  const argv = [program.path, ...words.map((word) => word.replaceAll("{prompt}", () => asked.prompt))];
  const layers = await allLayers(deps, desk, repo, place);
  const inputs = await inputMounts(deps, desk, run);
  const directory = await deps.runDirectory(desk.task, run.step, run.run);
  const failure = await failureMount(desk, directory, deps.writeText);
  const { stallMs, stallEnds } = desk.spec.limits;
  const timeoutMs = desk.spec.limits.stepMs;
  const transcript = transcriptOf(
    granted.secrets,
    (text) => deps.appendOutput(run.outputFile, text),
    desk.spec.limits.outputBytes,
  );
  const stderrTold = transcript.stream();
  const closing = new AbortController();
  const ending = AbortSignal.any([run.signal, closing.signal]);
  const mounts: Mount[] = [
    ...workspaceMounts(deps, desk, access),
    ...layers.mounts,
    ...failure.mounts,
    ...inputs.mounts,
  ];
  const client = turnClient(deps, desk, run, {
    access,
    mounts,
    scratches: layers.scratches,
    environment: layers.environment,
    words: asked.words,
    transcript,
    signal: ending,
  });
  const door =
    choice.grants.hosts.length === 0
      ? null
      : await deps.egress.open(
          `${directory}/egress.sock`,
          choice.grants.hosts.map(targetOf),
          // Named by a person, host and port: a model on this very machine is one of those.
          [...(await deps.allowPrivate()), ...choice.grants.hosts.map(targetOf)],
        );
  const warnMs = timeoutMs * WARN_SHARE;
  const timeWarning = setTimeout(
    () => run.onWarning({ about: "time", ms: Math.round(warnMs), limitMs: timeoutMs }),
    warnMs,
  );
  let records: Awaited<ReturnType<NonNullable<typeof door>["close"]>> = [];
  let report: TurnReport;
  let outcome: SessionOutcome;
  try {
    const session = deps.sandbox.open(
      {
        argv,
        cwd,
        mounts: [
          ...mounts,
          { host: homeOnHost, inside: HOME_INSIDE, access: "write" },
          ...granted.mounts,
          ...program.directories.map((one): Mount => ({ host: one, inside: one, access: "read" })),
        ],
        scratches: layers.scratches,
        environment: {
          ...layers.environment,
          ...failure.environment,
          ...inputs.environment,
          ...OWN_LOOPBACK,
          ...launcher?.environment,
          ...granted.environment,
        },
        toolPath: toolPathOf(desk, repo),
        egressSocket: door?.socket ?? null,
        limits: limitsOf(desk, timeoutMs),
        stall: {
          afterMs: stallMs,
          ends: stallEnds,
          onStall: (ms) => run.onWarning({ about: "stall", ms, limitMs: stallMs }),
        },
        onStderr: stderrTold.take,
        onStart: run.onStart,
      },
      ending,
    );
    // Awaited below; until then its failure must not count as nobody's.
    session.outcome.catch(() => undefined);
    const wanted = {
      prompt: asked.prompt,
      background: backgroundOf(before),
      notice: run.run > 1 ? LOST : "",
      cwd,
      directories: desk.spec.scopes.slice(1).map((scope) => insideOf(scope.repo)),
      mode: (desk.phase === "planning" ? (launcher?.planMode ?? "plan") : launcher?.workMode) ?? null,
      session: last?.session ?? null,
    };
    try {
      report = await (choice.kind === "acp"
        ? deps.protocols.acp.turn(session, wanted, client, ending)
        : plainTurn(session, wanted, client));
    } finally {
      closing.abort();
      outcome = await session.outcome;
      await client.settled();
    }
  } finally {
    clearTimeout(timeWarning);
    records = (await door?.close()) ?? [];
  }
  await tellDenied(desk, records);

  const stop = stopOf(report, outcome, run.signal);
  stderrTold.end();
  const stderrText = transcript.redact(textOf(outcome.stderr.bytes));
  const stderr = await deps.blobs.stage(new TextEncoder().encode(stderrText));
  const kept = await deps.blobs.stage(transcript.end());
  const prompt = await deps.blobs.stage(new TextEncoder().encode(asked.prompt));
  const evidence: Evidence[] = [
    {
      kind: "turn",
      agent: report.agent ?? nameOf(choice),
      version: report.version,
      argv,
      environment: outcome.environmentDigest,
      exitCode: outcome.exitCode,
      signal: outcome.signal,
      endedBy: endedBy(outcome, stop, run.signal),
      stderr: stderr.ref,
      durationMs: Math.round(outcome.durationMs),
      prompt: prompt.ref,
      transcript: kept.ref,
      stop,
      session: report.session,
      home,
      resumed: report.resumed,
      ...costsOf(report, last?.sessionCost ?? null),
      toolCalls: report.toolCalls,
      acts: client.acts(),
      invalidMessages: report.invalidMessages,
      redactions: transcript.redactions(),
    },
    ...egressEvidence(records),
  ];
  const trouble = troubleOf(
    stop,
    { ...report, trouble: report.trouble === null ? null : transcript.redact(report.trouble) },
    outcome,
    stderrText,
  );
  const told: TurnTold = {
    stop,
    message: transcript.redact(report.message),
    asked: stop === "permission" ? client.wish() : null,
    trouble,
  };
  // The homes of turns before the last one, and of runs that died, are of no use any more; this one's counts once it is recorded.
  await deps.agentHomes.keepOnly(desk.task, [home, ...(last === null ? [] : [last.home])]);
  return {
    evidence,
    touched: access === "read" ? [] : writableRepos(desk),
    result: told,
    failed: trouble,
    blobs: [stderr, kept, prompt],
  };
}

/**
 * Agents tell what their whole session has cost. A turn that went on in one is booked what it added; a sum that is less than the one before
 * was begun anew, so all of it was added.
 */
function costsOf({ usage, resumed }: TurnReport, before: Cost | null) {
  const known = resumed ? before : null;
  const sum = usage.cost ?? known;
  const isMore =
    usage.cost !== null &&
    known !== null &&
    known.currency === usage.cost.currency &&
    known.amount <= usage.cost.amount;
  const cost = isMore
    ? { ...usage.cost, amount: Math.round((usage.cost.amount - known.amount) * 1e6) / 1e6 }
    : usage.cost;
  return { usage: { ...usage, cost }, ...(sum !== null && { sessionCost: sum }) };
}

/** A process that we ended after its turn was closed; one that we ended because it put out too much was ended by that. */
function endedBy(outcome: SessionOutcome, stop: TurnStop, run: AbortSignal): SessionOutcome["endedBy"] | "closed" {
  if (outcome.endedBy !== "cancel" || run.aborted) return outcome.endedBy;
  return stop === "output" ? "output" : "closed";
}

/** What ended it, the bounds first: an agent that was cut off did not stop by itself, whatever it said before. */
function stopOf(report: TurnReport, outcome: SessionOutcome, run: AbortSignal): TurnStop {
  const { endedBy } = outcome;
  if (run.aborted) return "cancelled";
  if (report.stop === "permission") return "permission";
  if (endedBy === "time" || endedBy === "memory" || endedBy === "output" || endedBy === "stall")
    return isWholeTurn(report.stop) ? report.stop : endedBy;
  return report.stop;
}

function troubleOf(stop: TurnStop, report: TurnReport, outcome: SessionOutcome, stderrText: string): string | null {
  if (isWholeTurn(stop)) return null;
  if (stop === "time" || stop === "memory" || stop === "output" || stop === "stall")
    return `the agent was ended by the limit on ${stop}`;
  const how = outcome.exitCode === null ? (outcome.signal ?? "a signal") : `exit code ${outcome.exitCode}`;
  const stderr = stderrText.trim();
  const said = stderr.slice(stderr.lastIndexOf("\n") + 1);
  const more =
    stop === "died" || stop === "protocol"
      ? ` (${how}${said === "" ? "" : `: ${said.slice(0, 200).toWellFormed()}`})`
      : "";
  return `${report.trouble ?? `the agent stopped: ${stop.replaceAll("_", " ")}`}${more}`;
}

/** What a session that remembers nothing is told first. */
function backgroundOf(before: readonly { readonly prompt: string; readonly message: string }[]): string {
  if (before.length === 0) return "";
  const told = before.map(({ prompt, message }) => `You were asked:\n${prompt}\n\nYou answered:\n${message}`);
  return `What happened before, as we recorded it:\n\n${told.join("\n\n").slice(-REMEMBERED_MAX).toWellFormed()}`;
}

const LOST =
  "Your last turn was lost: it was interrupted in the middle. What it had changed was undone, so the files are as they were before it. Begin it again.";

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
