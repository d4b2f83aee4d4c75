import { Failure } from "../domain/failure.ts";
import type { Matter } from "../domain/matter.ts";
import type { Act } from "../domain/step.ts";
import type { NeededPermission, Opened, Question } from "../ports/broker.ts";
import type { StagedBlob } from "../ports/store.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold } from "./hold.ts";

/** A person was asked: the task is nobody's until the answer is there. */
export class Asked extends Error {
  constructor(step: string) {
    super(`a person is asked before step ${step}`);
    this.name = "Asked";
  }
}

interface Place {
  readonly step: string;
  readonly item: string | null;
}

/**
 * The act of an opened step, once it may be begun. A refusal is recorded as the end of the step, and so is a person's no: after a crash
 * both are told again and nobody is asked twice. A yes counts for the digest it was given for: where the act, the spec or a workspace is
 * another by now, it is asked for anew.
 */
export async function agreed(
  deps: EngineDependencies,
  hold: Hold,
  { step, item, input }: Place & { readonly input: string },
  opened: Opened,
): Promise<{ readonly act: Act; readonly blobs: readonly StagedBlob[] }> {
  if ("refused" in opened) {
    const { act, rule, reason } = opened.refused;
    await hold.report({ type: "deny", denial: { act, rule, reason, item, step, input } });
    throw new Failure("act/denied", `${act}: ${reason}`, { facts: { rule } });
  }
  const { needs } = opened;
  if (needs === undefined) return opened;
  const { act, rule } = needs;
  const digest = digestOf(deps, hold, needs);
  const word = hold.task().words[step];
  if (word === undefined || word.digest !== digest) {
    const text = await deps.store.stage(new TextEncoder().encode(needs.text));
    const { reason, grant } = needs;
    const matter = { kind: "permission", text: text.ref, digest, rule, reason, grant } as const;
    throw await ask(hold, { step, item }, matter, `${act}: ${reason}`, [text]);
  }
  if (word.decision === "allowed") return opened;
  const why = await textOf(deps, word.text);
  const reason = `a person said no${why === null ? "" : `: ${why}`}`;
  await hold.report({ type: "deny", denial: { act, rule: "person", reason, item, step, input } });
  throw new Failure("act/denied", `${act}: ${reason}`, { facts: { rule: "person" } });
}

/** What a person answered to the question that is asked in this place; asks it where it was not. */
export async function answerTo(
  deps: EngineDependencies,
  hold: Hold,
  place: Place,
  { text, choices }: Question,
): Promise<string> {
  const word = hold.task().words[place.step];
  if (word !== undefined) {
    const said = await textOf(deps, word.text);
    if (said === null)
      throw new Failure("store/corrupt", `the answer before step ${place.step} is gone from the store`);
    return said;
  }
  hold.boundary();
  const asked = await deps.store.stage(new TextEncoder().encode(text));
  const where = place.item === null ? "while it plans" : `about work item ${place.item}`;
  throw await ask(hold, place, { kind: "question", text: asked.ref, choices }, `it has a question ${where}`, [asked]);
}

/**
 * A person's word on something an agent wants, outside of any step: it counts for this wish under this spec, whatever the workspaces hold by
 * then, because the turn that asked for it is over and the next one has yet to come.
 */
export async function permitted(
  deps: EngineDependencies,
  hold: Hold,
  place: Place,
  { text, binds, act, rule, reason, grant }: NeededPermission,
): Promise<boolean> {
  const digest = deps.seal({ act: binds, spec: hold.task().spec?.hash ?? "" }).sha256;
  const word = hold.task().words[place.step];
  if (word !== undefined && word.digest === digest) return word.decision === "allowed";
  hold.boundary();
  const staged = await deps.store.stage(new TextEncoder().encode(text));
  const matter = { kind: "permission", text: staged.ref, digest, rule, reason, grant } as const;
  throw await ask(hold, place, matter, `${act}: ${reason}`, [staged]);
}

async function ask(
  hold: Hold,
  { step, item }: Place,
  matter: Matter,
  detail: string,
  blobs: readonly StagedBlob[],
): Promise<Asked> {
  await hold.report({ type: "ask", step, item, matter, detail: detail.slice(0, DETAIL_MAX).toWellFormed() }, blobs);
  return new Asked(step);
}

const DETAIL_MAX = 1_000;

const digestOf = (deps: EngineDependencies, hold: Hold, { binds }: NeededPermission): string =>
  deps.seal({ act: binds, spec: hold.task().spec?.hash ?? "", trees: hold.task().trees }).sha256;

async function textOf(
  deps: EngineDependencies,
  ref: { readonly digest: string; readonly bytes: number } | null,
): Promise<string | null> {
  const bytes = ref === null ? null : await deps.store.get(ref);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}
