import type { Actor } from "../domain/actor.ts";
import type { Spent } from "../domain/budget.ts";
import { Failure } from "../domain/failure.ts";
import {
  ANSWERS_TO,
  answersTo,
  type InboxAnswer,
  type InboxKind,
  inboxKind,
  isWaiting,
  type WaitingTask,
} from "../domain/inbox.ts";
import type { Matter } from "../domain/matter.ts";
import type { OpenPlan } from "../domain/plan.ts";
import { waitingFor } from "../domain/sentence.ts";
import type { DependencyNow } from "../domain/standing.ts";
import type { Act } from "../domain/step.ts";
import type { Task, TaskOutline } from "../domain/task.ts";
import type { Delivery } from "../ports/delivery.ts";
import { EVERY_TASK } from "../ports/store.ts";
import { answers, type Said } from "./answer-task.ts";
import type { AppDependencies } from "./deps.ts";
import { looks } from "./look.ts";
import { type NoteSeen, projectNotes } from "./project-notes.ts";

/** Something that waits for a person, in one line. */
export interface InboxRow {
  /** Of the task that waits, or of the note that was proposed. */
  readonly id: string;
  readonly kind: InboxKind;
  /** Why, in the task's own word: the reason of its block, `plan` or `work_item`. */
  readonly reason: string;
  readonly title: string;
  readonly project: { readonly id: string; readonly name: string } | null;
  readonly sinceMs: number;
  readonly sentence: string;
  /** The state that is shown: an answer names it, and counts for no other. */
  readonly seq: number;
  readonly answers: readonly InboxAnswer[];
}

/** The same with all there is to decide on, nothing of it cut. */
export interface InboxItem extends InboxRow {
  /** The question, or the act that is asked for, whole. Null where it is neither, or where it was erased. */
  readonly text: string | null;
  readonly choices: readonly string[];
  readonly permission: Omit<Extract<Matter, { readonly kind: "permission" }>, "kind" | "text"> | null;
  readonly plan: {
    readonly version: number;
    readonly hash: string;
    readonly text: string;
    readonly value: OpenPlan;
    readonly item: string | null;
  } | null;
  /** The step nobody knows the outcome of. */
  readonly step: { readonly step: string; readonly act: Act } | null;
  readonly detail: string | null;
  readonly next: string;
  /** Null: it is no task's. */
  readonly task: WaitingTask | null;
}

/** A person's answer, with the state they saw. */
export type InboxSaid = { readonly seq: number; readonly reason: string | null } & (
  | { readonly answer: "approve" | "reject" | "retry" | "deny" | "leave" }
  | { readonly answer: "allow"; readonly always: boolean }
  | { readonly answer: "request_changes" | "text"; readonly text: string }
  | { readonly answer: "outcome"; readonly outcome: NonNullable<Said["outcome"]> }
  | { readonly answer: "accept" }
  | { readonly answer: "more"; readonly moreMs: number | null; readonly more: Partial<Spent> }
);

/** Everything that waits for a person. It is read from the tasks themselves, and each answer is the command it comes to: nothing here decides. */
export const inbox = (deps: AppDependencies, delivery: Delivery) => {
  const look = looks(deps);
  const notes = projectNotes(deps);
  const noteNamed = async (id: string): Promise<NoteSeen | null> =>
    (await notes.proposed()).find((note) => note.id === id) ?? null;
  /** They stand among those that succeeded, and are found from the few steps that are open. */
  const halfWay = async (): Promise<readonly Seen[]> => {
    const seen = await Promise.all((await deps.store.operations.succeededWithOpenStep()).map((id) => look.task(id)));
    return seen.flatMap(({ task, row, before }) => (isWaiting(task) ? [{ task, row, before }] : []));
  };
  const show = async (id: string): Promise<InboxItem> => {
    const note = await noteNamed(id);
    if (note !== null) return noteItem(note);
    const { task, row, before } = await look.task(id);
    return itemOf(deps, look, waiting(task), row, before);
  };
  return {
    /** The longest wait first. */
    async list(wanted: { readonly project: string | null; readonly after: string | null; readonly most: number }) {
      const { rows, next } = await look.tasks({
        ...EVERY_TASK,
        ...wanted,
        status: ["awaiting_approval", "blocked"],
        order: "updated",
        direction: "asc",
      });
      const [proposed, torn] = wanted.after === null ? [await notes.proposed(), await halfWay()] : [[], []];
      const of = wanted.project === null ? null : (await look.project(wanted.project)).id;
      return {
        items: [
          ...proposed.filter(({ project }) => of === null || project.id === of).map(noteRow),
          ...torn
            .filter(({ row }) => of === null || row.project?.id === of)
            .map(({ task, row, before }) => rowOf(task, row, before)),
          ...rows.flatMap(({ row, state, before }) =>
            state !== null && isWaiting(state) ? [rowOf(state, row, before)] : [],
          ),
        ],
        next,
      };
    },

    async count(): Promise<number> {
      const counts = await look.counts();
      const others = (await notes.proposed()).length + (await halfWay()).length;
      return counts.awaiting_approval + counts.blocked + others;
    },

    show,

    /** Refused as `task/changed` where the task is no longer as it was seen. */
    async answer(by: Actor, id: string, said: InboxSaid): Promise<void> {
      const note = await noteNamed(id);
      if (note !== null) return answerNote(notes, by, note, said);
      const { task, seq } = await deps.log.load(id);
      if (seq !== said.seq) throw changed(id, seq, said.seq);
      const kind = inboxKind(waiting(task));
      const possible = answersTo(waiting(task));
      if (!possible.includes(said.answer)) throw noAnswer(id, kind, said.answer, possible);
      if (task.status === "succeeded") await giveDelivery(delivery, by, task.id, said.answer);
      else await give(deps, by, task, said);
    },
  };
};

interface Seen {
  readonly task: WaitingTask;
  readonly row: Row;
  readonly before: readonly DependencyNow[];
}

const noAnswer = (
  id: string,
  kind: InboxKind,
  answer: InboxAnswer,
  answers: readonly InboxAnswer[] = ANSWERS_TO[kind],
): Failure =>
  new Failure("task/refused", `${id} waits for ${WAITS_FOR[kind]}, which is not answered by ${answer}`, {
    next: `agentos inbox show ${id} says how it is answered.`,
    facts: { kind, answers },
  });

/** A note does not change between being looked at and being answered; what was decided meanwhile is no longer in the inbox. */
async function answerNote(
  notes: ReturnType<typeof projectNotes>,
  by: Actor,
  { id, project }: NoteSeen,
  { answer }: InboxSaid,
): Promise<void> {
  if (answer === "approve") await notes.approve(by, project.id, id);
  else if (answer === "reject") await notes.retire(by, project.id, id);
  else throw noAnswer(id, "note", answer);
}

/** The only state a proposed note has. */
const NOTE_SEQ = 1;

const noteRow = (note: NoteSeen): InboxRow => ({
  id: note.id,
  kind: "note",
  reason: "note",
  title: note.text ?? "",
  project: note.project,
  sinceMs: note.atMs,
  sentence: `A note about ${note.repo ?? "the project"} was proposed${note.task === null ? "" : ` by the agent of task ${note.task}`}.`,
  seq: NOTE_SEQ,
  answers: ANSWERS_TO.note,
});

const noteItem = (note: NoteSeen): InboxItem => ({
  ...noteRow(note),
  text: note.text,
  choices: [],
  permission: null,
  plan: null,
  step: null,
  detail: null,
  next: `agentos inbox answer ${note.id} --approve or --reject`,
  task: null,
});

/** No answer goes further than what stands there: a delivery looks at every branch anew before it moves one. */
async function giveDelivery(delivery: Delivery, by: Actor, task: string, answer: InboxAnswer): Promise<void> {
  if (answer === "leave") await delivery.deliver({ task, way: "merge", branch: null, by, leave: true });
  else await delivery.finish(task);
}

/** The use case each answer comes to, bound to the state that was seen: what changes between look and append is refused there. */
async function give(deps: AppDependencies, by: Actor, task: Task, said: InboxSaid): Promise<void> {
  const { id } = task;
  const { reason } = said;
  const say = answers({
    ...deps,
    log: {
      ...deps.log,
      give: (of, command, extra) => deps.log.give(of, command, { ...extra, expectedSeq: said.seq }),
    },
  });
  const settle = { grant: false, expected: task.asked?.step ?? null };
  switch (said.answer) {
    case "approve": {
      const item =
        task.status === "awaiting_approval" && task.proposal.kind === "work_item" ? task.proposal.item : null;
      await say.approve(by, id, { plan: task.plan?.hash ?? "", spec: task.spec?.hash ?? null, item, reason });
      return;
    }
    case "request_changes":
      await say.requestChanges(by, id, said.text);
      return;
    case "reject":
      await say.reject(by, id, reason);
      return;
    case "allow":
      await say.settle(by, id, { ...settle, decision: "allowed", text: reason, grant: said.always });
      return;
    case "deny":
      await say.settle(by, id, { ...settle, decision: "denied", text: reason });
      return;
    case "text":
      await say.settle(by, id, { ...settle, decision: "answered", text: said.text });
      return;
    case "outcome":
      await say.resume(by, id, said.outcome, reason);
      return;
    case "retry":
      await say.resume(by, id, null, reason);
      return;
    case "more":
      await say.resume(by, id, null, reason, said.moreMs, said.more);
      return;
    case "accept":
      await say.accept(by, id, reason ?? "");
      return;
    case "leave":
      throw new Error(`task ${id} has no delivery that stands half-way`);
  }
}

function waiting(task: TaskOutline): WaitingTask {
  if (isWaiting(task)) return task;
  throw new Failure("task/refused", `task ${task.id} is ${task.status} and waits for nobody's answer`, {
    next: `agentos task show ${task.id}`,
    facts: { status: task.status },
  });
}

const changed = (id: string, now: number, seen: number): Failure =>
  new Failure("task/changed", `task ${id} is at ${now} by now, you saw ${seen}`, {
    next: `Look at it again: agentos inbox show ${id}`,
    facts: { seq: now },
  });

const WAITS_FOR = {
  plan: "a word on its plan",
  work_item: "a word on a work item",
  permission: "permission for an act",
  question: "the answer to a question",
  outcome_unknown: "word of what became of a step",
  gates_failed: "a decision about gates that did not pass",
  budget: "more to spend",
  blocked: "what stands in its way to be cleared",
  delivery: "a decision about a delivery that stands half-way",
  note: "a word on a project note",
} as const satisfies Record<InboxKind, string>;

interface Row {
  readonly title: string;
  readonly project: { readonly id: string; readonly name: string } | null;
  readonly seq: number;
  readonly updatedAtMs: number;
}

function rowOf(
  task: WaitingTask,
  { title, project, seq, updatedAtMs }: Row,
  before: readonly DependencyNow[],
): InboxRow {
  const kind = inboxKind(task);
  const said = waitingFor(task, before);
  return {
    id: task.id,
    kind,
    reason: said?.reason ?? kind,
    title,
    project: project === null ? null : { id: project.id, name: project.name },
    sinceMs: task.status === "succeeded" ? updatedAtMs : task.sinceMs,
    sentence: said?.sentence ?? "",
    seq,
    answers: answersTo(task),
  };
}

/** Whether its open step is one of which a person has to say what became of it. */
const isUnsettled = (task: WaitingTask): boolean =>
  task.status === "succeeded" || (task.status === "blocked" && task.reason === "outcome_unknown");

async function itemOf(
  deps: AppDependencies,
  look: ReturnType<typeof looks>,
  task: WaitingTask,
  row: Row,
  before: readonly DependencyNow[],
): Promise<InboxItem> {
  const matter = task.asked?.matter ?? null;
  const bytes = matter === null ? null : await deps.store.get(matter.text);
  const plan = task.status === "awaiting_approval" ? await look.plan(task.id) : null;
  return {
    ...rowOf(task, row, before),
    text: bytes === null ? null : new TextDecoder().decode(bytes),
    choices: matter?.kind === "question" ? matter.choices : [],
    permission:
      matter?.kind === "permission"
        ? { digest: matter.digest, rule: matter.rule, reason: matter.reason, grant: matter.grant }
        : null,
    plan:
      plan === null
        ? null
        : {
            version: plan.version,
            hash: plan.hash,
            text: plan.text,
            value: plan.value,
            item: task.status === "awaiting_approval" && task.proposal.kind === "work_item" ? task.proposal.item : null,
          },
    step: isUnsettled(task) && task.openStep !== null ? { step: task.openStep.step, act: task.openStep.act } : null,
    detail: task.status === "blocked" ? task.detail : null,
    next: waitingFor(task, before)?.next ?? "",
    task,
  };
}
