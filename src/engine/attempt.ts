import { findingText, inTheWay } from "../domain/finding.ts";
import type { Agent } from "../ports/agent.ts";
import type { EngineDependencies } from "./deps.ts";
import type { Hold } from "./hold.ts";
import { returnToCheckpoint } from "./recover.ts";

export type AttemptEnd = "goes-on" | "put-down";

/** The same failure this often in a row stops the retries: the next attempt would only repeat it. */
const IDENTICAL_FAILURES_MAX = 3;

/**
 * An attempt did not get there. Another one is begun with the failure in its hands, or, when none is left or they only repeat each
 * other, the task stops: waiting for a person, or, where nobody is to be asked, failed.
 */
export async function endAttempt(
  deps: EngineDependencies,
  hold: Hold,
  agent: Agent,
  cause: "gates" | "work_item",
  hopeless = false,
): Promise<AttemptEnd> {
  const task = hold.task();
  const failure =
    cause === "gates"
      ? gatesFailure(hold)
      : { text: task.lastFailure?.text ?? "a work item failed", output: task.lastFailure?.output ?? null };
  const round = task.attempt - task.roundStart + 1;
  const identical = task.failureRun?.fingerprint === failure.text ? task.failureRun.times + 1 : 1;
  if (agent.retries && !hopeless && !task.outside && round < hold.spec.attempts && identical < IDENTICAL_FAILURES_MAX) {
    await hold.report({
      type: "retry",
      restart: agent.retry === "restart",
      cause,
      failure: failure.text,
      output: failure.output,
    });
    await returnToCheckpoint(deps, hold);
    return "goes-on";
  }
  const how = task.outside
    ? " (a command or a tool of this attempt was let reach outside, so no other attempt is begun without a person)"
    : identical >= IDENTICAL_FAILURES_MAX
      ? ` (the same failure ${identical} times in a row)`
      : round > 1
        ? ` (${round} attempts)`
        : "";
  const detail = `${failure.text}${how}`;
  if (hold.runMode() === "autonomous") await hold.report({ type: "fail", exitReason: "gates_failed", detail });
  else
    await hold.report({
      type: "block",
      reason: cause === "gates" ? "gates_exhausted" : "agent_failed",
      detail,
      step: null,
    });
  return "put-down";
}

/** What did not pass, as one text that is the same when the failure is the same: counts and findings, no times and no paths. */
function gatesFailure(hold: Hold): {
  readonly text: string;
  readonly output: { readonly digest: string; readonly bytes: number } | null;
} {
  const { verdicts, candidate, findings } = hold.task();
  const open = hold.spec.gates.flatMap(({ id }) => {
    const verdict = Object.hasOwn(verdicts, id) ? verdicts[id] : undefined;
    return verdict === undefined || verdict.verdict === "pass" ? [] : [{ id, ...verdict }];
  });
  const lines = open.map(
    ({ id, verdict, findings }) => `${id} ${verdict === "fail" ? "failed" : "is unproven"}: ${findings.join("; ")}`,
  );
  const unchanged = Object.values(candidate ?? {}).every((one) => one.tree === one.baseTree);
  if (hold.spec.expectsChange && unchanged) lines.unshift("nothing was changed, and the spec expects a change");
  const outside = hold.spec.scopes.flatMap((scope) =>
    (candidate?.[scope.repo]?.leftOut ?? []).map((path) => `${scope.repo}: ${path}`),
  );
  if (outside.length > 0) lines.push(...outside);
  lines.push(...inTheWay(findings).map(findingText));
  return { text: lines.join(". "), output: open.find(({ output }) => output !== null)?.output ?? null };
}
