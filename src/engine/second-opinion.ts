import { isFailure } from "../domain/failure.ts";
import type { Finding } from "../ports/agent.ts";
import type { EngineDependencies } from "./deps.ts";
import { setDesk } from "./desk.ts";
import type { Hold } from "./hold.ts";

const DIFF_BYTES_MAX = 512 * 1024;

/**
 * Where the spec wants one: a model looks over a candidate that no gate failed. What it finds is recorded and shown, to a next attempt too;
 * no verdict depends on it, in either direction. Once for each candidate.
 */
export async function secondOpinion(deps: EngineDependencies, hold: Hold): Promise<void> {
  const { verdicts, candidate, review, attempt } = hold.task();
  if (hold.spec.review !== true || review !== null || candidate === null) return;
  if (Object.values(verdicts).some(({ verdict }) => verdict === "fail")) return;
  const diffs: string[] = [];
  for (const [repo, { base, commit }] of Object.entries(candidate))
    if (base !== commit)
      diffs.push(`${repo}:\n${await deps.workspaces.diff({ task: hold.id, repo }, base, commit, DIFF_BYTES_MAX)}`);
  const desk = await setDesk(deps, hold, "verification", `${attempt}.review`, null, "candidate");
  const first = desk.models?.use[0];
  const by = first === undefined ? "no model" : `${first.provider}/${first.model}`;
  let findings: readonly Finding[] = [];
  let failed: string | null = null;
  try {
    findings = await deps.reviewer.review({ ...deps.broker.reviewing(desk), spec: hold.spec, diff: diffs.join("\n") });
  } catch (error) {
    // A reviewer that cannot do it is no reason to stop a task that the gates let through; a provider that is away waits like any other.
    if (!isFailure(error, "agent/failed") && !isFailure(error, "model/context-overflow")) throw error;
    failed = error.message;
  }
  const text = findings.map((one) => (one.path === "" ? one.text : `${one.path}: ${one.text}`)).join("\n");
  const blob = await deps.store.stage(new TextEncoder().encode(text));
  await hold.report({ type: "review", review: { by, count: findings.length, findings: blob.ref, failed } }, [blob]);
}
