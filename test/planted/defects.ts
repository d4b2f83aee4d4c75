/** One defect of LIST.md as the smallest change of a source that plants it. */
export interface PlantedDefect {
  readonly number: number;
  readonly file: string;
  /** Text that stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** Vitest project and files of which at least one test fails with the defect in place. */
  readonly caughtBy: { readonly project: "unit" | "integration"; readonly files: readonly string[] };
}

const unit = (...files: string[]) => ({ project: "unit", files }) as const;
const integration = (...files: string[]) => ({ project: "integration", files }) as const;

export const PLANTED: readonly PlantedDefect[] = [
  {
    number: 1,
    file: "src/domain/lifecycle.ts",
    from: "if (spec !== task.spec.hash) return",
    to: "if (spec.length === 0) return",
    caughtBy: unit("src/domain/lifecycle.test.ts"),
  },
  {
    number: 2,
    file: "src/domain/lifecycle.ts",
    from: 'if (by.kind !== "person") return "only a person may accept what is not proven";',
    to: 'if (by.kind === "chat") return "only a person may accept what is not proven";',
    caughtBy: unit("src/domain/lifecycle.test.ts"),
  },
  {
    number: 3,
    file: "src/domain/gate.ts",
    from: "const relevant = runs.filter((run) => sameGround(run.ground, ground));",
    to: "const relevant = runs.filter((run) => sameGround(run.ground, run.ground));",
    caughtBy: unit("src/domain/gate.test.ts"),
  },
  {
    number: 4,
    file: "src/domain/gate.ts",
    from: "tests.every((counts) => counts.passed > 0)",
    to: "tests.every((counts) => counts.passed >= 0)",
    caughtBy: unit("src/domain/gate.test.ts"),
  },
  {
    number: 5,
    file: "src/domain/gate.ts",
    from: "  return [...moved, ...changed];",
    to: "  return changed.length > 99 ? changed : moved;",
    caughtBy: unit("src/domain/gate.test.ts"),
  },
  {
    number: 6,
    file: "src/domain/lifecycle.ts",
    from: "if (!hasPassed(task, gate, task.candidate)) return",
    to: "if (task.verdicts[gate] !== undefined && !hasPassed(task, gate, task.candidate)) return",
    caughtBy: unit("src/domain/lifecycle.test.ts"),
  },
  {
    number: 7,
    file: "src/domain/lifecycle.ts",
    from: "candidate.tree === candidate.baseTree",
    to: "candidate.tree === candidate.commit",
    caughtBy: unit("src/domain/lifecycle.test.ts"),
  },
  {
    number: 8,
    file: "src/domain/chain.ts",
    from: "    actor: row.actor,\n",
    to: "",
    caughtBy: unit("src/domain/chain.test.ts"),
  },
  {
    number: 9,
    file: "src/domain/step.ts",
    from: 'command: (act) => (act.network.length > 0 ? "ask_a_person" : "restore_then_run_again")',
    to: 'command: (act) => (act.network.length > 9 ? "ask_a_person" : "restore_then_run_again")',
    caughtBy: unit("src/domain/step.test.ts"),
  },
  {
    number: 10,
    file: "src/domain/task.ts",
    from: 'case "STEP_LOST":\n      return { ...task, openStep: null };',
    to: 'case "STEP_LOST":\n      return { ...task, openStep: null, deaths: 0 };',
    caughtBy: unit("src/domain/lifecycle.test.ts"),
  },
  {
    number: 11,
    file: "src/domain/task.ts",
    from: "        ...task,\n        approval: null,\n        changeRequest",
    to: "        ...task,\n        changeRequest",
    caughtBy: unit("src/domain/lifecycle.test.ts"),
  },
  {
    number: 12,
    file: "src/domain/scope.ts",
    from: '? "[^/]*"',
    to: '? ".*"',
    caughtBy: unit("src/domain/scope.test.ts"),
  },
  {
    number: 13,
    file: "src/domain/shell-programs.ts",
    from: "  env,\n",
    to: "",
    caughtBy: unit("src/domain/red-line.test.ts"),
  },
  {
    number: 14,
    file: "src/engine/steps.ts",
    from: '    await hold.report(\n      { type: "start_step"',
    to: '    const started = hold.report(\n      { type: "start_step"',
    caughtBy: integration("test/integration/durable-steps.test.ts"),
  },
  {
    number: 15,
    file: "src/engine/steps.ts",
    from: "if (finished.input !== ask.input)",
    to: "if (finished.input === null)",
    caughtBy: integration("test/integration/durable-steps.test.ts"),
  },
  {
    number: 16,
    file: "src/engine/recover.ts",
    from: "  await closeOpenStep(deps, hold);\n  await returnToCheckpoint(deps, hold);",
    to: "  await closeOpenStep(deps, hold);",
    caughtBy: integration("test/integration/task-answers.test.ts"),
  },
  {
    number: 17,
    file: "src/engine/steps.ts",
    from: "    after[repo] = tree;\n    evidence.push",
    to: "    after[repo] = trees[repo] ?? tree;\n    evidence.push",
    caughtBy: integration("test/integration/durable-steps.test.ts"),
  },
  {
    number: 18,
    file: "src/engine/attempt.ts",
    from: "&& identical < IDENTICAL_FAILURES_MAX",
    to: "&& identical < 99",
    caughtBy: integration("test/integration/task-retry.test.ts"),
  },
  {
    number: 19,
    file: "src/engine/hold.ts",
    from: 'if (wishes.pause || current.task.pauseRequested) throw new PutDown("pause");',
    to: 'if (wishes.pause && signal.aborted) throw new PutDown("pause");',
    caughtBy: integration("test/integration/durable-steps.test.ts"),
  },
  {
    number: 20,
    file: "src/engine/worker.ts",
    from: "if (WAKES.has(event.type)) wake();",
    to: "if (WAKES.has(event.type) && stopping) wake();",
    caughtBy: integration("test/integration/task-answers.test.ts"),
  },
  {
    number: 21,
    file: "src/engine/steps.ts",
    from: "  if (open !== null) {\n    const rescued",
    to: '  if (open !== null && why === "shutdown") {\n    const rescued',
    caughtBy: integration("test/integration/durable-steps.test.ts"),
  },
  {
    number: 22,
    file: "src/adapters/store/task-integrity.ts",
    from: 'textOf(row, "hash") !== agreed.hash || sha256Hex(text) !== agreed.hash',
    to: 'textOf(row, "hash") !== agreed.hash',
    caughtBy: integration("test/contract/store.test.ts"),
  },
  {
    number: 23,
    file: "src/adapters/store/writer-queue.ts",
    from: "        for (const { work } of batch) outcomes.push(await how(tx, work));",
    to: '        for (const { work, resolve } of batch) {\n          const outcome = await how(tx, work);\n          outcomes.push(outcome);\n          if (outcome.kind === "done") resolve(outcome.value);\n        }',
    caughtBy: unit("src/adapters/store/writer-queue.test.ts"),
  },
  {
    number: 24,
    file: "src/adapters/store/writer-queue.ts",
    from: '      return { kind: "failed", error };\n    }\n  };',
    to: "      throw error;\n    }\n  };",
    caughtBy: unit("src/adapters/store/writer-queue.test.ts"),
  },
  {
    number: 25,
    file: "src/adapters/store/lease.ts",
    from: ": epoch !== change.epoch)",
    to: ": epoch === null)",
    caughtBy: integration("test/contract/store.test.ts"),
  },
  {
    number: 26,
    file: "src/adapters/store/blob-content.ts",
    from: "if (saltedDigest(salt, bytes) !== ref.digest)",
    to: "if (bytes.byteLength !== ref.bytes)",
    caughtBy: integration("test/integration/store-audit.test.ts"),
  },
  {
    number: 27,
    file: "src/adapters/store/sqlite.ts",
    from: '    ["synchronous", 2],\n    ["fullfsync", 1],',
    to: '    ["synchronous", 1],\n    ["fullfsync", 1],',
    caughtBy: integration("test/integration/store-open.test.ts"),
  },
  {
    number: 28,
    file: "src/adapters/store/writes.ts",
    from: " WHERE idempotency.status = 0",
    to: "",
    caughtBy: integration("test/contract/store.test.ts"),
  },
  {
    number: 29,
    file: "src/adapters/store/migrate.ts",
    from: ' || sha256Hex(known.sql) !== textOf(row, "checksum")',
    to: "",
    caughtBy: integration("test/integration/store-open.test.ts"),
  },
  {
    number: 30,
    file: "src/domain/chain.ts",
    from: "    if (row.seq !== expected)",
    to: "    if (row.seq < expected)",
    caughtBy: unit("src/domain/chain.test.ts"),
  },
  {
    number: 31,
    file: "src/adapters/store/schema.ts",
    from: "CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events\nBEGIN SELECT RAISE(ABORT, 'the journal is append-only: an event is never deleted'); END;\n",
    to: "",
    caughtBy: integration("test/integration/store-guards.test.ts"),
  },
  {
    number: 32,
    file: "src/adapters/store/operations.ts",
    from: "    AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.task = waiting.id)\n",
    to: "",
    caughtBy: integration("test/contract/store.test.ts"),
  },
];
