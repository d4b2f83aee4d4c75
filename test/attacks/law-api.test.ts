import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../integration/task-kit.ts";
import { type TestDaemon, waitForStatus, withDaemon } from "../support/daemon.ts";
import { type Dice, dice } from "./tampering.ts";

/*
 * The frozen spec through the API: P07, P09, P12, D03. With the 700 edits of law.test.ts these are a thousand. A PATCH of a spec that
 * waits is no edit of it: it makes a new version, for which plan and approval have to be had anew.
 */

const MUTATIONS = 300;
const SEED = 20_261_127;

interface Waiting {
  readonly id: string;
  readonly plan: string;
  readonly spec: string;
}

let daemon: TestDaemon;
let waits: Waiting;
let other: Waiting;
let revised: Waiting;
/** Plan and spec of the first version of `revised`. */
let replaced: Omit<Waiting, "id">;
let over: string;

const hashes = async (id: string): Promise<Omit<Waiting, "id">> => ({
  plan: (await daemon.api.plan(id)).hash,
  spec: (await daemon.api.task(id)).spec?.hash ?? "",
});

beforeAll(async () => {
  daemon = await withDaemon();
  const { project } = await daemon.api.projectOfPath({ path: repository() });
  const frozen = async (title: string): Promise<string> => {
    const { id } = await daemon.api.createTask({
      title,
      project: project.id,
      plan: { items: [{ id: "work", title: "Work", do: [{ run: "touch done" }] }] },
      gates: [{ id: "check", run: "test -f done" }],
    });
    await daemon.api.freezeTask(id);
    return id;
  };
  const planned = async (id: string): Promise<string> => {
    await daemon.api.readyTask(id);
    await waitForStatus(daemon.api, id, ["awaiting_approval"]);
    return id;
  };
  const [first, second, third, fourth] = await Promise.all([
    frozen("One").then(planned),
    frozen("Two").then(planned),
    frozen("Three").then(planned),
    frozen("Four"),
  ]);
  replaced = await hashes(third);
  await daemon.api.reviseTask(third, { title: "Three, otherwise" });
  await daemon.api.freezeTask(third);
  await planned(third);
  await daemon.api.cancelTask(fourth, {});
  waits = { id: first, ...(await hashes(first)) };
  other = { id: second, ...(await hashes(second)) };
  revised = { id: third, ...(await hashes(third)) };
  over = fourth;
}, 180_000);

afterAll(() => expect(daemon.log()).toEqual([]));

function altered(hash: string, roll: Dice): string {
  const at = roll(hash.length);
  const others = [..."0123456789abcdef"].filter((digit) => digit !== hash[at]);
  return `${hash.slice(0, at)}${others[roll(others.length)]}${hash.slice(at + 1)}`;
}

type Tried = readonly [status: number, method: string, path: string, body?: unknown];

/** A yes to what does not wait is remembered as refused; what is no request for this task at all is not. */
const APPROVALS: readonly ((roll: Dice) => Tried)[] = [
  (roll) => [409, "POST", `/api/tasks/${waits.id}/approve`, { plan: altered(waits.plan, roll) }],
  (roll) => [409, "POST", `/api/tasks/${waits.id}/approve`, { plan: waits.plan, spec: altered(waits.spec, roll) }],
  () => [409, "POST", `/api/tasks/${waits.id}/approve`, { plan: other.plan }],
  () => [409, "POST", `/api/tasks/${waits.id}/approve`, { plan: other.plan, spec: other.spec }],
  () => [409, "POST", `/api/tasks/${waits.id}/approve`, { plan: waits.plan, spec: other.spec }],
  () => [409, "POST", `/api/tasks/${revised.id}/approve`, { plan: replaced.plan }],
  () => [409, "POST", `/api/tasks/${revised.id}/approve`, { plan: replaced.plan, spec: replaced.spec }],
  () => [409, "POST", `/api/tasks/${revised.id}/approve`, { plan: revised.plan, spec: replaced.spec }],
];
const FIELDS = [
  "spec_frozen",
  "status",
  "id",
  "created_by",
  "hash",
  "version",
  "approval",
  "phase",
  "gates_passed",
  "epoch",
];
const EDITS: readonly ((roll: Dice) => Tried)[] = [
  (roll) => [
    400,
    "PATCH",
    `/api/tasks/${waits.id}/spec`,
    { [FIELDS[roll(FIELDS.length)] ?? ""]: roll(2) === 0 ? true : "succeeded" },
  ],
  (roll) => [
    400,
    "POST",
    `/api/tasks/${waits.id}/approve`,
    { plan: waits.plan, [FIELDS[roll(FIELDS.length)] ?? ""]: "ada" },
  ],
  (roll) => [400, "POST", `/api/tasks/${waits.id}/approve`, { plan: `${waits.plan.slice(roll(64))}Z` }],
  () => [409, "POST", `/api/tasks/${waits.id}/spec/freeze`],
  () => [409, "POST", `/api/tasks/${waits.id}/ready`],
  (roll) => [409, "PATCH", `/api/tasks/${over}/spec`, { title: `Again ${roll(1_000)}` }],
  () => [409, "POST", `/api/tasks/${over}/approve`, { plan: waits.plan }],
  (roll) => [404, ["PUT", "DELETE", "POST"][roll(3)] ?? "PUT", `/api/tasks/${waits.id}/spec`, { title: "Other" }],
];

test(`P07, P09, P12: ${MUTATIONS} tries to change, replay or forge by the API are refused before anything runs, and a foreign yes is remembered`, {
  timeout: 180_000,
}, async () => {
  const roll = dice(SEED);
  const before = await seen();
  let approvals = 0;
  const wrong: string[] = [];
  for (let n = 0; n < MUTATIONS; n += 1) {
    const isApproval = roll(2) === 0;
    const ways = isApproval ? APPROVALS : EDITS;
    const [status, method, path, body] = (ways[roll(ways.length)] ?? EDITS[0])?.(roll) ?? [0, "", ""];
    if (isApproval) approvals += 1;
    // One after the other, so on one connection that is kept.
    const answer = await fetch(`${daemon.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const said = await answer.text();
    if (answer.status !== status) wrong.push(`${method} ${path} ${JSON.stringify(body)}: ${answer.status} ${said}`);
  }
  expect(wrong).toEqual([]);
  const after = await seen();
  const denied = (all: typeof after): number => all.types.filter((type) => type === "DENIED").length;
  expect(denied(after) - denied(before)).toBe(approvals);
  expect({ ...after, types: after.types.filter((type) => type !== "DENIED") }).toEqual(before);
});

async function seen() {
  const ids = [waits.id, other.id, revised.id, over];
  const tasks = await Promise.all(ids.map((id) => daemon.api.task(id)));
  const types: string[] = [];
  for (const id of ids) types.push(...(await daemon.api.audits(id, 0, 1_000)).items.map(({ type }) => type));
  return { types, tasks: tasks.map(({ id, status, spec, phase }) => ({ id, status, spec, phase })) };
}

test("the control: the yes to what waits is taken, once", async () => {
  expect(
    (await daemon.ask("POST", `/api/tasks/${waits.id}/approve`, { body: { plan: waits.plan, spec: waits.spec } }))
      .status,
  ).toBe(200);
  expect(
    (await daemon.ask("POST", `/api/tasks/${waits.id}/approve`, { body: { plan: waits.plan, spec: waits.spec } }))
      .status,
  ).toBe(409);
  expect((await waitForStatus(daemon.api, waits.id, ["succeeded"])).status).toBe("succeeded");
});

test("a change is a new version, voids plan and approval, and says so", async () => {
  const said = (await daemon.api.audits(revised.id, 0, 1_000)).items.map(({ sentence }) => sentence);
  expect(said.join("\n")).toContain("The spec was revised; an earlier freeze, plan and approval no longer count.");
  expect(revised.spec).not.toBe(replaced.spec);
});
