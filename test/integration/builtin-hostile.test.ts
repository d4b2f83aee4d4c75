import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/domain/task.ts";
import type { SeenRequest } from "../support/model-server.ts";
import {
  breaksOff,
  calls,
  callsWithBrokenArguments,
  failsInside,
  held,
  neverEnds,
  notAStream,
  overflows,
  rateLimited,
  refusesKey,
  type Scripted,
  saysNothing,
} from "../support/scripted-model.ts";
import {
  FINISHES,
  FIRST,
  GREEN,
  type Modelled,
  plans,
  setModels,
  startModelled,
  titleOf,
  turnOf,
  WAIT_MS,
  wellBehaved,
} from "./builtin-kit.ts";
import { ADA, repository } from "./task-kit.ts";

/*
 * A provider that misbehaves in the middle of the work: the plan is approved, a file is changed, and then it happens. Whatever it does, the
 * task ends in success or in a wait with a name, and never in a success that nothing proves.
 */

interface Row {
  readonly does: string;
  /** What the provider does at the n-th request (from 1) after the edit. */
  readonly says: (n: number) => Scripted;
  readonly ends: "succeeded" | { readonly reason: string; readonly detail: RegExp };
  /** Requests after the edit; not there: not counted here. */
  readonly requests?: number;
}

const late = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const first = (bad: () => Scripted) => (n: number) => (n === 1 ? bad() : FINISHES);
const always = (bad: () => Scripted) => () => bad();
const unavailable = (detail: RegExp) => ({ reason: "provider_unavailable", detail });

const ROWS: readonly Row[] = [
  { does: "answers late", says: first(() => held(late(), "words", FINISHES)), ends: "succeeded", requests: 1 },
  { does: "breaks off once", says: first(() => breaksOff()), ends: "succeeded", requests: 2 },
  { does: "breaks off always", says: always(() => breaksOff()), ends: unavailable(/./), requests: 3 },
  {
    does: "is too busy once, and says for how long",
    says: first(() => rateLimited("0")),
    ends: "succeeded",
    requests: 2,
  },
  { does: "is too busy always", says: always(() => rateLimited("0")), ends: unavailable(/./), requests: 4 },
  { does: "fails inside once", says: first(() => failsInside()), ends: "succeeded", requests: 2 },
  { does: "fails inside always", says: always(() => failsInside()), ends: unavailable(/./), requests: 3 },
  { does: "does not take the key", says: always(() => refusesKey()), ends: unavailable(/./), requests: 1 },
  { does: "answers with a web page", says: always(() => notAStream()), ends: unavailable(/./), requests: 3 },
  {
    does: "never ends its answer",
    says: always(() => neverEnds("on and on ".repeat(2_000))),
    ends: unavailable(/./),
    requests: 1,
  },
  {
    does: "says once that the conversation is too long",
    says: first(() => overflows("openai-compatible")),
    ends: "succeeded",
  },
  {
    does: "says always that the conversation is too long",
    says: always(() => overflows("openai-compatible")),
    ends: { reason: "agent_failed", detail: /also after it was made smaller 3 times/ },
  },
  {
    does: "writes arguments that are no JSON once",
    says: first(() => callsWithBrokenArguments("read")),
    ends: "succeeded",
    requests: 2,
  },
  {
    does: "writes arguments that are no JSON always",
    says: always(() => callsWithBrokenArguments("read")),
    ends: { reason: "agent_failed", detail: /^work item say: the model made 5 malformed tool calls in a row/ },
    requests: 5,
  },
  {
    does: "asks for half of a character and for a command that no system starts",
    says: first(() => calls(["search", { text: "\ud83d" }], ["run", { command: "echo a\0b" }])),
    ends: "succeeded",
    requests: 2,
  },
  {
    does: "says nothing, always",
    says: always(() => saysNothing()),
    ends: { reason: "agent_failed", detail: /3 times in a row without calling a tool/ },
    requests: 3,
  },
  {
    does: "calls the same always",
    says: always(() => calls(["read", { path: "a.txt" }])),
    ends: { reason: "agent_failed", detail: /the same call of read 6 times in a row/ },
    requests: 6,
  },
];

const asked = new Map<string, number>();
const mended = new Set<string>();
let made: Modelled;
const ids = new Map<string, Promise<string>>();
const hangs = Promise.withResolvers<void>();
const hanging = Promise.withResolvers<void>();

beforeAll(async () => {
  made = await startModelled((request: SeenRequest) => {
    const title = titleOf(request);
    const row = ROWS.find(({ does }) => does === title);
    // What is no turn of the work (a call for notes) goes as the work goes.
    const isWork = !plans(request) && (turnOf(request) > 0 || request.tools.length === 0);
    if (title === "hangs" && isWork) {
      hanging.resolve();
      return held(hangs.promise);
    }
    if (request.tools.length === 0) return overflows("openai-compatible");
    if (row === undefined || !isWork || mended.has(title))
      return row !== undefined && isWork ? FINISHES : wellBehaved(request);
    const n = (asked.get(title) ?? 0) + 1;
    asked.set(title, n);
    return row.says(n);
  }, 6);
  await setModels(made.rig, FIRST);
  const project = await made.rig.project(repository());
  for (const title of [...ROWS.map(({ does }) => does), "hangs"])
    ids.set(
      title,
      made.rig.queued(project, { title, run_mode: "assisted", attempts: 1, ...GREEN }).then(async (id) => {
        await made.rig.until(id, "awaiting_approval");
        await made.rig.approve(id);
        return id;
      }),
    );
  await Promise.all(ids.values());
}, WAIT_MS);
afterAll(async () => {
  hangs.resolve();
  await made.rig.stop();
});

const idOf = async (title: string): Promise<string> => (await ids.get(title)) ?? "";

describe("a provider that misbehaves", { timeout: WAIT_MS + 10_000 }, () => {
  it.each(ROWS)("$does", async ({ does, ends, requests }) => {
    const { rig } = made;
    const id = await idOf(does);
    const wanted: Status = ends === "succeeded" ? "succeeded" : "blocked";
    const task = await rig.until(id, wanted);
    if (task.status === "blocked" && ends !== "succeeded") {
      expect([task.reason, task.openStep]).toEqual([ends.reason, null]);
      expect(task.detail).toMatch(ends.detail);
    }
    if (requests !== undefined) expect(asked.get(does)).toBe(requests);
    // Success is what the gate proved, and nothing else is called one.
    const verdicts = Object.values((await rig.task(id)).verdicts).map(({ verdict }) => verdict);
    expect(verdicts.includes("pass")).toBe(ends === "succeeded");
  });

  it("that is there again lets the task go on where it was, without doing anything twice", async () => {
    const { rig } = made;
    const id = await idOf("breaks off always");
    await rig.until(id, "blocked");
    mended.add("breaks off always");
    await rig.system.cases.answer.resume(ADA, id, null, null);
    await rig.until(id, "succeeded");
    const edits = (await rig.bodies(id, "STEP_STARTED")).filter(({ act }) => act.kind === "edit");
    expect(edits).toHaveLength(1);
  });

  it("that hangs is hung up on as soon as the task is canceled", async () => {
    const { rig, server } = made;
    const id = await idOf("hangs");
    await hanging.promise;
    await rig.system.cases.answer.cancel(ADA, id, null);
    await rig.until(id, "canceled");
    await server.idle();
  });

  it("leaves no trouble behind that nobody was told of", () => {
    expect(made.rig.warnings).toEqual([]);
  });
});
