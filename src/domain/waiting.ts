/** Every reason a task may wait for, with what it means and what a person can do. */
export const BLOCK_REASONS = {
  no_model: {
    means: "no model and no agent is configured that could do this",
    next: "Say which model is to be used: agentos model policy set any PROVIDER/MODEL (agentos provider list shows what is there), then agentos task resume <id>. Or give it a plan file: agentos task revise <id> --plan FILE.",
  },
  provider_unavailable: {
    means: "the model provider does not answer",
    next: "Start the provider, then agentos task resume <id>.",
  },
  agent_missing: {
    means: "the agent's program cannot be started",
    next: "Install the agent, then agentos task resume <id>; or name another: agentos task revise <id> --agent NAME (agentos agent list) or --agent-command COMMAND.",
  },
  agent_failed: {
    means: "a work item failed in every attempt",
    next: "Read agentos task logs <id>; then agentos task resume <id> for more attempts, agentos task revise <id> --plan FILE where a plan file is to be mended, or agentos task cancel <id>.",
  },
  outcome_unknown: {
    means:
      "a command or a tool that may have reached outside was interrupted, and nobody can know whether it took effect",
    next: "Check outside, then agentos task resume <id> --outcome done|redo|abort.",
  },
  question: {
    means: "the agent asks something",
    next: "agentos inbox show <id>; then agentos inbox answer <id> --text ANSWER.",
  },
  approval_needed: {
    means: "it would do something that was not agreed on",
    next: "agentos inbox show <id>; then agentos inbox answer <id> --allow or --deny.",
  },
  paused: { means: "a person paused it", next: "agentos task resume <id>." },
  budget_exhausted: {
    means: "a budget is used up",
    next: "Give it more: agentos task resume <id> --more tokens=100000 (or turns=50, usd=1.50), or --more-time 30m.",
  },
  gates_exhausted: {
    means: "the gates did not pass in any attempt",
    next: "Read agentos task evidence <id>; then agentos task resume <id> for more attempts, agentos task revise <id> --gate NAME=COMMAND to have another command prove it, agentos task accept <id> --reason TEXT to take it on record, or agentos task cancel <id>.",
  },
  findings: {
    means: "the gates passed, and something about the work has to be looked at by a person",
    next: "Read agentos task diff <id>; then accept it (agentos task accept <id> --reason TEXT), have it tried again (agentos task resume <id>), or let the spec allow it (agentos task revise <id> --may-change …).",
  },
  prepare_failed: {
    means: "the dependencies could not be installed",
    next: "Read agentos task logs <id>, mend the cause, then agentos task resume <id>.",
  },
  conflict: {
    means: "the work and the repository's newer state touch the same lines",
    next: "Resolve the conflict in the repository, then deliver again.",
  },
  repo_missing: {
    means: "the repository is not where it was, cannot be reached, or its base commit is gone",
    next: "Put it back, then agentos task resume <id>; or revise the task to begin from what is there.",
  },
  sandbox_missing: {
    means: "there is no working sandbox on this machine",
    next: "Run agentos doctor; it names what to install. Then agentos task resume <id>.",
  },
  storage_full: {
    means: "there is no space left for the data directory",
    next: "Free space; the task then goes on by itself.",
  },
  integrity: {
    means: "stored content does not have the hash the journal names",
    next: "Run agentos audit verify; it names the place.",
  },
  dependency_failed: {
    means: "a task this one needs did not succeed, or what it left cannot be handed over",
    next: "agentos task show <id> names that task; have it succeed and then agentos task resume <id>, or remove the dependency: agentos task deps remove <id> --requires TASK.",
  },
  crash_loop: {
    means: "the system died three times in a row while this task ran, without progress",
    next: "Read agentos task logs <id>; then agentos task resume <id> to try once more.",
  },
} as const satisfies Record<string, { readonly means: string; readonly next: string }>;

/** The next step instead, where a task refuses what its row above names: nothing is asked that could be allowed, nothing is there to accept. */
export const OTHERWISE = {
  approval_needed:
    "Nothing is asked that anybody could allow. Say it otherwise (agentos task revise <id> …), have it tried again once what forbids it is changed (agentos task resume <id>), or end it (agentos task cancel <id>).",
  gates_exhausted:
    "Read agentos task evidence <id>; then agentos task resume <id> for more attempts, agentos task revise <id> --gate NAME=COMMAND to have another command prove it, or agentos task cancel <id>.",
  findings:
    "Read agentos task diff <id>; then have it tried again (agentos task resume <id>), or let the spec allow it (agentos task revise <id> --may-change …).",
} as const satisfies Partial<Record<BlockReason, string>>;

export type BlockReason = keyof typeof BLOCK_REASONS;
