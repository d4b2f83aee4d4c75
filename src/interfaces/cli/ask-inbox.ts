import { isCancel, select, text } from "@clack/prompts";
import type { z } from "zod";
import type { InboxAnswerInput } from "../../contract/inbox-inputs.ts";
import type { InboxItemView } from "../../contract/views.ts";
import { trouble } from "../client/trouble.ts";
import type { Context } from "./context.ts";
import { field } from "./escape.ts";
import { inboxItemLines, wayLines } from "./inbox-text.ts";
import { budget } from "./model-options.ts";
import type { Prompt } from "./prompt.ts";

type Sent = z.input<typeof InboxAnswerInput>;
/** An answer, without the state it is for. */
export type Answer = Sent extends infer One ? (One extends Sent ? Omit<One, "seq"> : never) : never;
type Name = Sent["answer"];

const LABELS: Readonly<Record<Name, string>> = {
  approve: "Approve it",
  request_changes: "Ask for another plan",
  reject: "Reject it; the task ends",
  allow: "Allow this act",
  deny: "Do not allow it; the work goes on without",
  text: "Answer",
  outcome: "Say what became of it",
  accept: "Take the work although it is not proven",
  more: "Let it spend more",
  retry: "Let it try again",
  leave: "Leave every branch where it is; the delivery counts as failed",
};

/** Shows the whole matter on the terminal and asks for an answer. Null: nothing was said. */
export async function askInbox(context: Context, item: InboxItemView): Promise<Answer | null> {
  const { out, prompt } = context;
  if (prompt === null)
    throw trouble("input/invalid", "No answer was named, and there is no terminal to ask on.", {
      next: `One of: ${item.ways.map(({ command }) => command).join("; ")}`,
      facts: { answers: item.answers },
    });
  out.note(...inboxItemLines(item));
  const [only, ...others] = item.answers;
  const name =
    only !== undefined && others.length === 0
      ? only
      : await select<Name>({
          ...prompt.on,
          message: "What do you say?",
          options: item.answers.map((value) => ({ value, label: LABELS[value] })),
        });
  if (isCancel(name)) return null;
  // Where there is nothing else to say, it is at least asked whether that is meant.
  if (name === "retry" && others.length === 0 && !(await prompt.confirm(`${LABELS.retry}?`))) return null;
  return ASK[name](item, prompt.on);
}

const ASK: Readonly<Record<Name, (item: InboxItemView, on: Prompt["on"]) => Promise<Answer | null>>> = {
  approve: async () => ({ answer: "approve" }),
  reject: async () => ({ answer: "reject" }),
  deny: async () => ({ answer: "deny" }),
  retry: async () => ({ answer: "retry" }),
  leave: async () => ({ answer: "leave" }),
  request_changes: async (_, on) => {
    const said = await words(on, "What should be different?");
    return said === null ? null : { answer: "request_changes", text: said };
  },
  allow: async ({ permission }, on) => {
    const grant = permission?.grant ?? null;
    if (grant === null) return { answer: "allow", always: false };
    const always = await select<boolean>({
      ...on,
      message: "Only this once?",
      options: [
        { value: false, label: "Only exactly this act" },
        { value: true, label: `And whatever else begins as ${field(grant)}, for the rest of this task` },
      ],
    });
    return isCancel(always) ? null : { answer: "allow", always };
  },
  text: async ({ choices }, on) => {
    const said =
      choices.length === 0
        ? await words(on, "Your answer?")
        : await select<string>({
            ...on,
            message: "Your answer?",
            options: choices.map((value) => ({ value, label: field(value) })),
          });
    return said === null || isCancel(said) ? null : { answer: "text", text: said };
  },
  outcome: async (_, on) => {
    const outcome = await select<"done" | "redo" | "abort">({
      ...on,
      message: "What became of it?",
      options: [
        { value: "done", label: "It took effect; go on after it" },
        { value: "redo", label: "It did not; do it again" },
        { value: "abort", label: "Do not go on with it" },
      ],
    });
    return isCancel(outcome) ? null : { answer: "outcome", outcome };
  },
  accept: async (_, on) => {
    const reason = await words(on, "Why do you take it? It is shown wherever the task is.");
    return reason === null ? null : { answer: "accept", reason };
  },
  more: async (_, on) => {
    const said = await words(on, "How much more? For example tokens=100000,turns=20,usd=0.50,time=1h");
    return said === null ? null : { answer: "more", more: budget([said]) };
  },
};

async function words(on: Prompt["on"], message: string): Promise<string | null> {
  const said = await text({
    ...on,
    message,
    validate: (given) => ((given ?? "").trim() === "" ? "Say it in a few words." : undefined),
  });
  return isCancel(said) ? null : said.trim();
}

/** What lets something happen is said to what was seen: where the state was not named, it is shown on the terminal and asked once more. */
export async function sureOfYes(context: Context, item: InboxItemView, { answer }: Answer): Promise<boolean> {
  if (answer !== "approve" && answer !== "allow") return true;
  const { out, prompt } = context;
  if (prompt === null)
    throw trouble(
      "task/refused",
      `task ${item.id} waits for a yes to what it shows at ${item.seq}, and there is no terminal to show it on`,
      {
        next: `Look at it (agentos inbox show ${item.id}), then add --at ${item.seq}.`,
        facts: { seq: item.seq, answers: item.answers },
      },
    );
  out.note(...inboxItemLines(item));
  if (await prompt.confirm(answer === "allow" ? "Allow exactly this?" : "Approve it?")) return true;
  out.note("nothing was changed; it still waits", ...wayLines(item));
  return false;
}
