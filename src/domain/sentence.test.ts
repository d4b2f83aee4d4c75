import { describe, expect, it } from "vitest";
import {
  ACT_EXAMPLES as ACTS,
  ADA,
  EXAMPLES,
  event,
  exampleEvents,
  given,
  historyOf,
  IN,
  replay,
} from "../../test/support/given-task.ts";
import { DEPENDENCY_KINDS, type DependencyKind } from "./dependency.ts";
import type { AnyEvent } from "./event.ts";
import type { Evidence, OfKind } from "./evidence.ts";
import { acting, counted, sentence, turnActing, waitingFor } from "./sentence.ts";
import { STATUSES } from "./task.ts";
import type { TurnAct } from "./turn.ts";
import { BLOCK_REASONS, type BlockReason } from "./waiting.ts";

const ODD = /undefined|\[object|NaN|null|\bfunction\b/;

const ended = (more: Partial<OfKind<"command">>) =>
  event("STEP_COMPLETED", {
    evidence: [
      {
        kind: "command",
        argv: ["x"],
        cwd: ".",
        environment: "e",
        exitCode: null,
        signal: null,
        endedBy: "itself",
        stdout: { digest: "d", bytes: 0 },
        stderr: { digest: "d", bytes: 0 },
        durationMs: 1,
        ...more,
      },
    ],
  });

/** Bodies that take the other branch of a sentence. */
const VARIANTS: readonly AnyEvent[] = [
  event("CREATED", { template: "Run tests and generate report" }),
  event("CLAIMED", { takeover: true }),
  event("BASES_PINNED", { bases: { app: { commit: "c".repeat(40), branch: null, dirty: [], included: false } } }),
  event("BASES_PINNED", {
    bases: { app: { commit: "c".repeat(40), branch: null, dirty: ["a", "b"], included: true } },
  }),
  event("PLAN_PROPOSED", { items: [] }),
  event("STEP_STARTED", { run: 2 }),
  ended({}),
  ended({ signal: "SIGKILL", endedBy: "time" }),
  event("STEP_LOST", { rescued: {} }),
  event("CANDIDATE_MADE", { repos: { app: { ...EXAMPLES.CANDIDATE_MADE.repos.app, tree: "t0", changed: 0 } } }),
  event("GATE_PASSED", { counts: null }),
  event("RETRIED", { restart: false }),
  event("ACCEPTED_UNPROVEN", { gates: [] }),
  event("COMPLETED", { exitReason: "accepted_unproven", gates: [] }),
  event("DELIVERED", { repos: { app: { ...EXAMPLES.DELIVERED.repos.app, way: "patch", branch: null, from: null } } }),
  event("DELIVERED", { repos: { app: { ...EXAMPLES.DELIVERED.repos.app, checkoutFollowed: false } } }),
];

const MODEL_CALL = {
  kind: "model",
  provider: "p",
  model: "m",
  answeredBy: "m",
  request: { digest: "d", bytes: 1 },
  response: { digest: "d", bytes: 1 },
  inputTokens: 900,
  outputTokens: 100,
  estimated: false,
  microdollars: null,
  durationMs: 1,
} as const satisfies Evidence;

describe("the sentence for what happened", () => {
  it.each([...exampleEvents(), ...VARIANTS].map((one) => [one.type, one] as const))(
    "%s is a sentence for people",
    (_, one) => {
      const said = sentence(one);
      expect(said).toMatch(/^[A-Za-z“].*\.$/s);
      expect(said).not.toMatch(ODD);
      expect(said).not.toMatch(/ {2}|\.\.$|\( *\)/);
    },
  );

  it("says what is particular", () => {
    const said = (one: AnyEvent) => sentence(one);
    expect(said(event("GATE_PASSED"))).toBe("Gate tests passed on the candidate: 3 of 3 tests passed, 1 skipped.");
    expect(said(event("GATE_UNPROVEN"))).toBe(
      "Gate tests is unproven on the candidate, for want of a report of the test runner.",
    );
    expect(said(event("STEP_STARTED", { run: 2 }))).toBe("Step 1.work.1 (run 2): run make.");
    expect(said(event("PLAN_PROPOSED"))).toBe("Plan 1 with 1 work item was proposed as p1; planning changed nothing.");
    expect(said(event("BASES_PINNED"))).toBe("app starts at b1, without 1 uncommitted file.");
    const dependsOn = (kind: DependencyKind) => said(event("DEPENDENCY_ADDED", { on: "T2", kind }));
    expect(DEPENDENCY_KINDS.map(dependsOn)).toEqual([
      "This task requires task T2 to succeed first.",
      "Task T2 blocks this one until it has ended.",
      "This task suggests that task T2 is taken first.",
    ]);
    const called = (microdollars: number | null) =>
      said(event("STEP_COMPLETED", { evidence: [{ ...MODEL_CALL, microdollars }] }));
    expect([called(null), called(1_500)]).toEqual([
      "Step 1.work.1 was completed (900 tokens in, 100 out).",
      "Step 1.work.1 was completed (900 tokens in, 100 out, 0.0015 USD).",
    ]);
    expect(said(event("DENIED"))).toBe(
      "Refused: run sudo id in app. no step gains privileges (rule red-line/privilege-escalation).",
    );
  });
});

describe("what a step does", () => {
  it.each([
    [ACTS.read, "read a.txt"],
    [{ ...ACTS.read, what: "command", target: ["ls", "-l"] } as const, "look with ls -l (read-only)"],
    [{ ...ACTS.read, what: "mounts", target: [] } as const, "witness that the mounts of app are read-only"],
    [ACTS.edit, "change a.txt"],
    [{ ...ACTS.edit, before: null }, "create a.txt"],
    [{ ...ACTS.edit, after: null }, "remove a.txt"],
    [ACTS.command, "run make"],
    [ACTS.prepare, "prepare the dependencies of app (npm ci)"],
    [ACTS.gate, "gate tests on the base (npm test)"],
    [ACTS.candidate, "make the candidate commit of app"],
    [ACTS.deliver, "deliver c1 to main of app"],
    [{ ...ACTS.deliver, way: "patch", branch: "" } as const, "deliver c1 to a patch of app"],
    [ACTS.deliver_together, "deliver as one: c1 to main of app, c2 to a patch of lib"],
    [ACTS.model, "call m"],
    [ACTS.tool, "use the tool find of docs"],
    [ACTS.turn, "a turn of a"],
  ])("%#", (act, said) => expect(acting(act)).toBe(said));

  it("of a turn is what its agent asked for", () => {
    const command = { kind: "command", repo: "app", argv: ["make", "all"], cwd: ".", terminal: "t1" } as const;
    const acts: readonly TurnAct[] = [
      { kind: "read", repo: "app", path: "a.txt" },
      { kind: "edit", repo: "app", path: "a.txt", after: "d2" },
      { ...command, when: "begins" },
      { ...command, when: "ended" },
      { kind: "permission", digest: "d", tool: "fetch", title: "Read a page", request: { digest: "d", bytes: 1 } },
    ];
    expect(acts.map(turnActing)).toEqual([
      "read a.txt of app",
      "write a.txt of app",
      "run make all in app",
      "end with make all in app",
      "be allowed: Read a page (fetch)",
    ]);
  });

  it("counts tests in words", () => {
    expect([counted(null), counted({ passed: 1, failed: 1, skipped: 0, todo: 0 })]).toEqual([
      "",
      ": 1 of 2 tests passed",
    ]);
  });
});

describe("why a task waits", () => {
  it.each(STATUSES)("is said in %s exactly where it waits for a person", (status) => {
    const said = waitingFor(IN[status].task);
    const waits = ["draft", "awaiting_approval", "blocked", "failed"].includes(status);
    expect(said === null).toBe(!waits);
    if (said !== null) {
      expect(`${said.sentence} ${said.next}`).not.toMatch(ODD);
      expect(said.sentence).toMatch(/^[A-Z].*\.$/s);
      expect(said.next).toContain("T1");
      expect(said.next).not.toContain("<id>");
    }
  });

  it.each(Object.keys(BLOCK_REASONS) as BlockReason[])("blocked/%s names its reason and a next step", (reason) => {
    const { events } = IN.blocked;
    const said = waitingFor(
      replay([...events, { seq: 99, atMs: 1, actor: ADA, event: event("BLOCKED", { reason, detail: "so it is" }) }]),
    );
    expect(said?.reason).toBe(reason);
    expect(said?.sentence).toMatch(/^[A-Z].*: so it is\.$/);
    expect(said?.next.length).toBeGreaterThan(10);
    expect(said?.next).not.toMatch(/<id>/);
  });

  it("for something that nobody can allow names no word that allows it", () => {
    const { events } = IN.blocked;
    const blocked = (reason: BlockReason) =>
      replay([...events, { seq: 99, atMs: 1, actor: ADA, event: event("BLOCKED", { reason, detail: "so it is" }) }]);
    expect(waitingFor(blocked("approval_needed"))?.next).toBe(
      "Nothing is asked that anybody could allow. Say it otherwise (agentos task revise T1 …), have it tried again once what forbids it is changed (agentos task resume T1), or end it (agentos task cancel T1).",
    );
    expect(waitingFor(blocked("agent_failed"))?.next).toContain("agentos task revise T1 --plan FILE");
  });

  it("after its gates failed names every way there is from there", () => {
    const { task } = IN.failed;
    if (task.status !== "failed") throw new Error(`it is ${task.status}`);
    const nextOf = (more: Partial<typeof task>) => waitingFor({ ...task, ...more })?.next;
    const again = "agentos task logs T1; agentos task retry T1 begins another attempt.";
    const prove = "agentos task revise T1 --gate NAME=COMMAND has another command prove it.";
    expect([
      nextOf({ exitReason: "gates_failed" }),
      nextOf({ exitReason: "gates_failed", candidate: null }),
      nextOf({ exitReason: "bug" }),
    ]).toEqual([
      `${again} ${prove} agentos task accept T1 --reason TEXT takes it on record.`,
      `${again} ${prove}`,
      again,
    ]);
  });

  it("of a draft leads to project, spec and queue in that order", () => {
    const { events } = given();
    const nextAfter = (...more: readonly AnyEvent[]) =>
      waitingFor(
        replay([...events, ...more.map((one, n) => ({ seq: n + 2, atMs: 1, actor: ADA, event: one as never }))]),
      )?.next;
    expect([nextAfter(), nextAfter(event("BOUND")), nextAfter(event("BOUND"), event("SPEC_FROZEN"))]).toEqual([
      "agentos task bind T1 --project NAME",
      "agentos task freeze T1",
      "agentos task ready T1",
    ]);
  });

  it("of a work item names the item", () => {
    const { events } = IN.running;
    const asked = historyOf([...events, { seq: 98, atMs: 1, actor: ADA, event: event("WORK_ITEM_PROPOSED") }]);
    expect(waitingFor(asked.task)?.sentence).toBe("Work item work waits for a person's yes.");
  });
});
