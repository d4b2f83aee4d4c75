import { unacceptable } from "./acceptable.ts";
import { moneyText, spentText } from "./budget.ts";
import { standingText } from "./delivery.ts";
import { durationText } from "./duration.ts";
import type { AnyEvent, GateOn } from "./event.ts";
import type { Evidence } from "./evidence.ts";
import { findingText } from "./finding.ts";
import { modelsText } from "./model-policy.ts";
import type { Pause } from "./pause.ts";
import { type DependencyNow, standing } from "./standing.ts";
import type { Act } from "./step.ts";
import type { TaskOutline } from "./task.ts";
import type { TestCounts } from "./test-counts.ts";
import type { TurnAct } from "./turn.ts";
import { BLOCK_REASONS, OTHERWISE } from "./waiting.ts";

/** One plain sentence for what happened, for people who know nothing of the system's inside. */
export function sentence({ type, body }: AnyEvent): string {
  switch (type) {
    case "CREATED":
      return body.template === null
        ? "The task was created as a draft."
        : `The task was created as a draft from the template “${body.template}”.`;
    case "SPEC_REVISED":
      return "The spec was revised; an earlier freeze, plan and approval no longer count.";
    case "SPEC_FROZEN":
      return `Version ${body.version} of the spec was frozen as ${short(body.hash)}.`;
    case "BOUND":
      return `The task was bound to project ${body.project}.`;
    case "READY":
      return "Spec and project are settled; the task may run.";
    case "QUEUED":
      return `The task is in the queue (${body.cause.replaceAll("_", " ")}).`;
    case "PRIORITIZED":
      return `The priority is now ${body.priority}; it was ${body.from}.`;
    case "CLAIMED":
      return body.takeover
        ? `Worker ${body.worker} took the task over from one that died (epoch ${body.epoch}).`
        : `Worker ${body.worker} took the task up (epoch ${body.epoch}).`;
    case "DEPENDENCY_ADDED":
      return `${DEPENDS[body.kind](body.on)}.`;
    case "DEPENDENCY_REMOVED":
      return `No longer counts: ${DEPENDS[body.kind](body.on)}.`;
    case "INPUTS_PINNED":
      return body.inputs.length === 0
        ? "It is shown no other task's artifacts."
        : body.inputs
            .map(({ task, artifacts }) => `It is shown ${count(artifacts.length, "artifact")} of task ${task}.`)
            .join(" ");
    case "FORKED":
      return `It was made from the frozen spec of task ${body.origin}, to begin where that one began.`;
    case "SUPERSEDED":
      return `The work of task ${body.by} was taken instead of this one's.`;
    case "PHASE_ENTERED":
      return `The phase changed from ${body.from} to ${body.phase}.`;
    case "BASES_PINNED":
      return Object.entries(body.bases)
        .map(
          ([repo, base]) =>
            `${repo} starts at ${short(base.commit)}${base.dirty.length === 0 ? "" : `, ${base.included ? "with" : "without"} ${base.dirty.length} uncommitted file${base.dirty.length === 1 ? "" : "s"}`}.`,
        )
        .join(" ");
    case "PLAN_PROPOSED":
      return `Plan ${body.version} with ${count(body.items.length, "work item")} was proposed as ${short(body.hash)}; planning changed nothing.`;
    case "PLAN_APPROVED":
      return `Plan ${short(body.plan)} was approved for spec ${short(body.spec)}.`;
    case "PLAN_REJECTED":
      return `Plan ${short(body.plan)} was rejected.`;
    case "CHANGES_REQUESTED":
      return `Changes to plan ${short(body.plan)} were asked for; it is planned again.`;
    case "WORK_ITEM_PROPOSED":
      return `Work item ${body.item} waits for a person's yes.`;
    case "WORK_ITEM_APPROVED":
      return `Work item ${body.item} was approved.`;
    case "WORK_ITEM_STARTED":
      return `Work item ${body.item} was begun (attempt ${body.attempt}).`;
    case "WORK_ITEM_COMPLETED":
      return `Work item ${body.item} was completed.`;
    case "WORK_ITEM_FAILED":
      return `Work item ${body.item} failed: ${body.cause}.`;
    case "STEP_STARTED":
      return `Step ${body.step}${body.run === 1 ? "" : ` (run ${body.run})`}: ${acting(body.act)}.`;
    case "STEP_COMPLETED":
      return `Step ${body.step} was completed${outcome(body.evidence)}.`;
    case "STEP_FAILED":
      return `Step ${body.step} failed: ${body.cause}.`;
    case "STEP_WARNED":
      return body.about === "stall"
        ? `Step ${body.step} shows no sign of life for ${durationText(body.ms)}: no output, no processor time, nothing written.`
        : `Step ${body.step} has used ${durationText(body.ms)} of the ${durationText(body.limitMs)} it may take.`;
    case "TURN_ACTED":
      return `In step ${body.step} the agent asked to ${turnActing(body.act)}: ${body.decision}${body.cause === null ? "" : ` (${body.cause})`}.`;
    case "STEP_LOST":
      return `Step ${body.step} was interrupted (${body.cause.replaceAll("_", " ")}); what it left was undone${Object.keys(body.rescued).length === 0 ? "" : " and kept as a rescue"}.`;
    case "CHECKPOINTED":
      return `Checkpoint after step ${body.step}.`;
    case "CANDIDATE_MADE":
      return Object.entries(body.repos)
        .map(([repo, one]) =>
          one.tree === one.baseTree
            ? `${repo} is unchanged.`
            : `The candidate of ${repo} is ${short(one.commit)} with ${count(one.changed, "changed file")}.`,
        )
        .join(" ");
    case "GATE_PASSED":
      return `Gate ${body.gate} passed on the ${ON[body.on]}${counted(body.counts)}${flaky(body.runs)}.`;
    case "GATE_FAILED":
      return `Gate ${body.gate} failed on the ${ON[body.on]}: ${body.findings.join("; ")}.`;
    case "GATE_UNPROVEN":
      return `Gate ${body.gate} is unproven on the ${ON[body.on]}, for want of ${body.missing.join("; ")}.`;
    case "CANDIDATE_INSPECTED":
      return `Found about the candidate: ${body.findings.map(findingText).join("; ")}.`;
    case "REVIEWED":
      return body.failed === null
        ? `${body.by} looked over the change and found ${body.count === 0 ? "nothing" : count(body.count, "thing")}; no verdict depends on it.`
        : `${body.by} gave no second opinion: ${body.failed}.`;
    case "RETRIED":
      return `Attempt ${body.attempt} begins${body.restart ? " at the base again" : ""}, because ${body.failure}.`;
    case "TIME_WARNED":
      return `The task has worked ${durationText(body.spentMs)} of the ${durationText(body.limitMs)} it may take.`;
    case "TIME_GRANTED":
      return `The task was given ${durationText(body.ms)} more.`;
    case "BUDGET_GRANTED":
      return `The task may spend more: ${spentText(body.more)}.`;
    case "RUN_MODE_CHANGED":
      return `The run mode is ${body.mode} from the next step on.`;
    case "ASKED":
      return body.matter.kind === "question"
        ? `The agent asks a question before step ${body.step}.`
        : `Permission is asked for step ${body.step}: ${body.matter.reason} (rule ${body.matter.rule}).`;
    case "ANSWERED":
      return `A person ${body.decision} what was asked before step ${body.step}${body.grant === null ? "" : `, and granted ${body.grant} for the rest of the task`}.`;
    case "PAUSE_REQUESTED":
      return "A pause was asked for; it takes effect at the next boundary.";
    case "CANCEL_REQUESTED":
      return "Canceling was asked for; the open step is ended first.";
    case "BLOCKED":
      return `The task waits (${body.reason}): ${body.detail}.`;
    case "RESUMED":
      return `The task goes on after waiting for ${body.from.replaceAll("_", " ")}.`;
    case "OUTCOME_SETTLED":
      return `A person said what became of step ${body.step}: ${body.outcome}.`;
    case "ARTIFACT_STORED":
      return `The artifact ${body.name} was stored (${body.content.bytes} bytes).`;
    case "DENIED":
      return `Refused: ${body.act}. ${body.reason} (rule ${body.rule}).`;
    case "ACCEPTED_UNPROVEN":
      return `A person accepted the work on record although ${body.gates.length === 0 ? "it was not proven" : `${body.gates.join(", ")} did not pass`}.`;
    case "FINDINGS_ACCEPTED":
      return `A person looked at what was found about the candidate and let it pass: ${[...new Set(body.findings.map(({ kind }) => kind))].join(", ")}.`;
    case "COMPLETED":
      return body.exitReason === "done"
        ? `The task succeeded: ${body.gates.join(", ")} passed on the candidate.`
        : "The task was closed as accepted, not proven.";
    case "FAILED":
      return `The task failed (${body.exitReason}): ${body.detail}.`;
    case "CANCELED":
      return `The task was canceled (${body.exitReason.replaceAll("_", " ")}).`;
    case "DELIVERED":
      return Object.entries(body.repos)
        .map(([repo, to]) =>
          to.way === "patch"
            ? `${repo} was written as a patch.`
            : to.way === "push"
              ? `${repo}: ${short(to.to)} was pushed to ${to.branch ?? ""}.`
              : `${repo}: ${to.branch ?? ""} is now ${short(to.to)}${to.checkoutFollowed ? ", and so is the checkout" : ""}.`,
        )
        .join(" ");
    case "DELIVERY_TURNED_BACK":
      return `Not all branches could move (${body.because}); those that did are taken back to where they were.`;
    case "DELIVERY_TORN":
      return `The delivery stands half-way, and a person has to decide: ${standingText(body.found)}.`;
    case "PROJECT_CREATED":
      return `The project ${body.name} was created.`;
    case "PROJECT_CHANGED":
      return `The project ${body.name} was changed.`;
    case "PROJECT_DELETED":
      return "The project was deleted.";
    case "PROJECT_PAUSED":
      return "The project was paused: none of its tasks is taken up.";
    case "PROJECT_RESUMED":
      return "The project was resumed.";
    case "REPO_ADDED":
      return `The repo ${body.name} (${body.path}) was added.`;
    case "NOTE_PROPOSED":
      return body.task === null ? "A note was written." : `A note was proposed by the agent of task ${body.task}.`;
    case "NOTE_APPROVED":
      return `Note ${body.note} was approved: tasks that begin to plan are told it.`;
    case "NOTE_RETIRED":
      return `Note ${body.note} was retired.`;
    case "REPO_CHANGED":
      return `The repo ${body.name} was changed.`;
    case "PROVIDER_ADDED":
      return `The provider was added (${body.kind}${body.baseUrl === null ? "" : `, ${body.baseUrl}`}).`;
    case "PROVIDER_CHANGED":
      return "What is configured of the provider was changed.";
    case "PROVIDER_REMOVED":
      return "The provider was removed.";
    case "PROVIDER_STARTED":
      return `The provider was started: ${body.argv.join(" ")}${body.mark === null ? "" : ` (pid ${body.mark.pid})`}.`;
    case "PROVIDER_STOPPED":
      return `The provider has stopped: ${body.because}.`;
    case "PROVIDER_STATUS_CHANGED":
      return `The provider is ${body.status}; it was ${body.from}${body.detail === null ? "" : `: ${body.detail}`}.`;
    case "PROVIDER_KEY_STORED":
      return `The provider's key was stored in the ${body.place}.`;
    case "PROVIDER_KEY_FORGOTTEN":
      return "The provider's stored key was forgotten.";
    case "PROVIDER_PROBED":
      return `The provider was probed with ${body.model}: ${body.detail}.`;
    case "STORE_CREATED":
      return `The store was created with schema ${body.schema}.`;
    case "DAEMON_STARTED":
      return `The daemon ${body.version} started; sandbox: ${body.sandbox}.`;
    case "DAEMON_STOPPED":
      return "The daemon stopped in good order.";
    case "SYSTEM_PAUSED":
      return "Everything was paused: no task is taken up.";
    case "SYSTEM_RESUMED":
      return "Everything was resumed.";
    case "POLICY_SET":
      return `Policies were set (${body.sha256.slice(0, 12)})${body.granted ? "; what they permit was granted" : ""}.`;
    case "MODEL_POLICY_SET":
      return `The models are now ${modelsText(body.policy)}.`;
    case "CHAT_MESSAGE":
      return body.role === "person" ? "A person said something." : "The model answered.";
    case "CHAT_CALLED":
      return `${body.model} of ${body.provider} was asked (${body.inputTokens} tokens in, ${body.outputTokens} out${body.microdollars === null ? "" : `, ${moneyText(body.microdollars)}`})${body.tools.length === 0 ? "" : `; it looked with ${body.tools.join(", ")}`}${body.refused === 0 ? "" : `; ${count(body.refused, "wish")} refused`}.`;
    case "CHAT_DRAFTED":
      return `The draft of task ${body.task} was left; a person freezes it and lets it run, or does not.`;
    case "CHAT_FAILED":
      return `There is no answer: ${body.detail}.`;
    case "SPACE_RECLAIMED":
      return `A clean-up freed ${body.bytes} bytes (${count(body.workspaces, "workspace")}, ${count(body.layers, "layer")}, ${count(body.mirrors, "mirror")}); ${body.keptBytes} bytes stay.`;
  }
}

const DEPENDS = {
  requires: (on: string) => `This task requires task ${on} to succeed first`,
  blocks: (on: string) => `Task ${on} blocks this one until it has ended`,
  suggests: (on: string) => `This task suggests that task ${on} is taken first`,
} as const;

/**
 * Why a task stands still and what a person can do; null while nothing but time is needed. `before`: what it depends on, as it is now.
 * `paused`: by whose word it is not taken up.
 */
export function waitingFor(
  task: TaskOutline,
  before: readonly DependencyNow[] = [],
  paused: Pause | null = null,
): { readonly reason: string; readonly sentence: string; readonly next: string } | null {
  switch (task.status) {
    case "draft":
      return {
        reason: "draft",
        sentence:
          task.project === null
            ? "It is a draft without a project."
            : task.spec === null
              ? "It is a draft; its spec is not frozen."
              : "Its spec is frozen; it waits to be made ready.",
        next:
          task.project === null
            ? `agentos task bind ${task.id} --project NAME`
            : task.spec === null
              ? `agentos task freeze ${task.id}`
              : `agentos task ready ${task.id}`,
      };
    case "awaiting_approval":
      return task.proposal.kind === "plan"
        ? {
            reason: "plan",
            sentence: `Plan ${short(task.proposal.plan)} waits for a person's answer.`,
            next: `agentos task plan ${task.id}; then agentos task approve ${task.id}`,
          }
        : {
            reason: "work_item",
            sentence: `Work item ${task.proposal.item} waits for a person's yes.`,
            next: `agentos task approve ${task.id}`,
          };
    case "blocked":
      return {
        reason: task.reason,
        sentence: `${capital(BLOCK_REASONS[task.reason].means)}: ${task.detail}.`,
        next: wayOn(task, before).replaceAll("<id>", task.id),
      };
    case "failed":
      return {
        reason: task.exitReason,
        sentence: `It failed: ${task.detail}.`,
        next: afterFailure(task),
      };
    case "succeeded": {
      const torn = task.openStep?.torn ?? null;
      return torn === null
        ? null
        : {
            reason: "outcome_unknown",
            sentence: `Its delivery stands half-way, and it cannot go on or back by itself: ${standingText(torn)}.`,
            next: `Take the branches to where they belong and run agentos task deliver ${task.id}; or leave them as they are: agentos task deliver ${task.id} --leave.`,
          };
    }
    case "queued":
      return paused === null ? waitingForOthers(before) : waitingWhilePaused(paused, waitingForOthers(before));
    case "running":
    case "canceled":
      return null;
  }
}

type Outline<S extends TaskOutline["status"]> = Extract<TaskOutline, { readonly status: S }>;

/** What a person can do about a blocked task, of all that its reason names only what this task takes. */
function wayOn(task: Outline<"blocked">, before: readonly DependencyNow[]): string {
  switch (task.reason) {
    case "approval_needed":
      return task.asked === null ? OTHERWISE.approval_needed : BLOCK_REASONS.approval_needed.next;
    case "gates_exhausted":
    case "findings":
      return unacceptable(task) === null ? BLOCK_REASONS[task.reason].next : OTHERWISE[task.reason];
    case "dependency_failed": {
      const missed = before.find((one) => standing(one) === "failed");
      return missed === undefined ? BLOCK_REASONS.dependency_failed.next : withoutIt(missed);
    }
    default:
      return BLOCK_REASONS[task.reason].next;
  }
}

/** A canceled task stays so: what can be had is its work, done by another. */
const withoutIt = ({ on, status }: DependencyNow): string =>
  `${
    status === "canceled"
      ? `That task was canceled for good. agentos task fork ${on} has its work done anew (then agentos task deps add <id> --requires NEW)`
      : `agentos task retry ${on}, and when it succeeded agentos task resume <id>`
  }; to go on without it: agentos task deps remove <id> --requires ${on}; or agentos task cancel <id>.`;

function afterFailure(task: Outline<"failed">): string {
  const { id } = task;
  const again = `agentos task logs ${id}; agentos task retry ${id} begins another attempt.`;
  if (task.exitReason !== "gates_failed") return again;
  const taken = unacceptable(task) === null ? ` agentos task accept ${id} --reason TEXT takes it on record.` : "";
  return `${again} agentos task revise ${id} --gate NAME=COMMAND has another command prove it.${taken}`;
}

function waitingForOthers(before: readonly DependencyNow[]): ReturnType<typeof waitingFor> {
  const held = before.filter((one) => standing(one) !== "met");
  const [first] = held;
  if (first === undefined) return null;
  const told = held.map(
    ({ on, kind, title, status }) =>
      `task ${on} (“${title}”, ${status.replaceAll("_", " ")}) to ${kind === "requires" ? "succeed" : "end"}`,
  );
  return {
    reason: "dependency",
    sentence: `It waits for ${told.join(", and for ")}.`,
    next: `agentos task show ${first.on}`,
  };
}

function waitingWhilePaused(
  { project, sinceMs, by, reason }: Pause,
  others: ReturnType<typeof waitingFor>,
): ReturnType<typeof waitingFor> {
  const since = new Date(sinceMs).toISOString().slice(0, 19).replace("T", " ");
  const told = `It waits because ${project === null ? "everything" : `project ${project}`} is paused since ${since} UTC by ${by}${reason === null ? "" : `: ${reason}`}.`;
  return {
    reason: project === null ? "daemon_paused" : "project_paused",
    sentence: others === null ? told : `${told} ${others.sentence}`,
    next: project === null ? "agentos daemon resume" : `agentos project resume ${project}`,
  };
}

export function acting(act: Act): string {
  switch (act.kind) {
    case "read":
      return act.what === "command"
        ? `look with ${act.target.join(" ")} (read-only)`
        : act.what === "mounts"
          ? `witness that the mounts of ${act.repo} are read-only`
          : `read ${act.target.join(" ")}`;
    case "edit":
      return `${act.after === null ? "remove" : act.before === null ? "create" : "change"} ${act.path}`;
    case "command":
      return `run ${act.argv.join(" ")}`;
    case "prepare":
      return `prepare the dependencies of ${act.repo} (${act.argv.join(" ")})`;
    case "gate":
      return `gate ${act.gate} on the ${ON[act.on]} (${act.argv.join(" ")})`;
    case "candidate":
      return `make the candidate commit of ${act.repo}`;
    case "deliver":
      if (act.way === "push") return `push ${short(act.to)} to ${act.branch} of ${act.repo}`;
      return `deliver ${short(act.to)} to ${act.way === "patch" ? "a patch" : act.branch} of ${act.repo}`;
    case "deliver_together":
      return `deliver as one: ${act.moves.map(({ repo, way, branch, to }) => `${short(to)} to ${way === "patch" ? "a patch" : branch} of ${repo}`).join(", ")}`;
    case "tool":
      return `use the tool ${act.tool} of ${act.server}`;
    case "model":
      return `call ${act.model}`;
    case "turn":
      return `a turn of ${act.agent}`;
  }
}

export function turnActing(act: TurnAct): string {
  switch (act.kind) {
    case "read":
      return `read ${act.path} of ${act.repo}`;
    case "edit":
      return `write ${act.path} of ${act.repo}`;
    case "command":
      return act.when === "begins"
        ? `run ${act.argv.join(" ").slice(0, TOLD_MAX)} in ${act.repo}`
        : `end with ${act.argv.join(" ").slice(0, TOLD_MAX)} in ${act.repo}`;
    case "permission":
      return `be allowed: ${act.title} (${act.tool})`;
  }
}

const TOLD_MAX = 300;

export const counted = (counts: TestCounts | null): string =>
  counts === null
    ? ""
    : `: ${counts.passed} of ${counts.passed + counts.failed} tests passed${counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`}`;

const flaky = (runs: number | undefined): string => (runs === undefined ? "" : `; flaky: only in run ${runs}`);

function outcome(evidence: readonly Evidence[]): string {
  for (const one of evidence)
    if (one.kind === "turn") return ` (${one.stop.replaceAll("_", " ")}, ${one.durationMs} ms)`;
    else if (one.kind === "model")
      return ` (${one.inputTokens} tokens in, ${one.outputTokens} out${one.microdollars === null ? "" : `, ${moneyText(one.microdollars)}`})`;
    else if (one.kind === "command")
      return one.exitCode === null
        ? ` (${one.endedBy === "itself" ? (one.signal ?? "signal") : `ended: ${one.endedBy}`})`
        : ` (exit code ${one.exitCode}, ${one.durationMs} ms)`;
  return "";
}

/** What a gate ran on, in words. */
const ON = {
  base: "base",
  candidate: "candidate",
  "kept-tests": "candidate with the tests as they were",
  merge: "merge",
} as const satisfies Record<GateOn, string>;

const short = (hash: string): string => hash.slice(0, 12);
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
