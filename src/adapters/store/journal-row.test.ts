import { expect, test } from "vitest";
import { EXAMPLES } from "../../../test/support/given-task.ts";
import { GENESIS_HASH } from "../../domain/chain.ts";
import { blobRefsIn } from "./blob-refs.ts";
import { placed, recordedFrom, sealEvent } from "./journal-row.ts";
import { recent } from "./recent.ts";
import { seal } from "./seal.ts";

const happened = {
  actor: { kind: "agent", name: "a:b" },
  atMs: 5,
  event: { type: "DENIED", body: { act: "x", rule: "r", reason: "ü", item: null } },
} as const;
const row = placed(seal, sealEvent(seal, happened), "task/a", 3, GENESIS_HASH);

test("a row gives back the event it was made of", () => {
  expect(recordedFrom(row)).toEqual({ seq: 3, ...happened });
  expect(row.body).toBe('{"act":"x","item":null,"reason":"ü","rule":"r"}');
});

test("a row nobody wrote is not read as if somebody had", () => {
  expect(() => recordedFrom({ ...row, type: "SOMETHING" })).toThrow("no event is called SOMETHING");
  expect(() => recordedFrom({ ...row, type: "toString" })).toThrow("no event is called toString");
  expect(() => recordedFrom({ ...row, v: 2 })).toThrow("unknown format 2");
  expect(() => recordedFrom({ ...row, body: "[]" })).toThrow("not an object");
  expect(() => recordedFrom({ ...row, actor: "eve" })).toThrow("not an actor");
});

test("a verdict written before repos could stand beside each other is about its own repo alone", () => {
  const { beside: _, ...older } = EXAMPLES.GATE_PASSED;
  const row = { stream: "task/T1", seq: 1, type: "GATE_PASSED", atMs: 1, actor: "person:ada", prevHash: "", hash: "" };
  const today = { type: "GATE_PASSED", body: EXAMPLES.GATE_PASSED };
  expect(recordedFrom({ ...row, v: 1, body: JSON.stringify(older) }).event).toEqual(today);
  expect(recordedFrom({ ...row, v: 2, body: JSON.stringify(EXAMPLES.GATE_PASSED) }).event).toEqual(today);
});

test("content is found wherever a body names it, and nothing else is taken for content", () => {
  const ref = (digest: string) => ({ digest, bytes: 1 });
  const body = {
    title: ref("a"),
    list: [{ stdout: ref("b"), other: { digest: "c", bytes: 1, more: true } }],
    digest: "d",
    none: null,
  };
  expect(blobRefsIn(body)).toEqual([ref("a"), ref("b")]);
});

test("what was used last is kept, what was not used for longest goes", () => {
  const kept = recent<number>(2);
  kept.remember("a", 1);
  kept.remember("b", 2);
  expect(kept.get("a")).toBe(1);
  kept.remember("c", 3);
  expect([kept.get("a"), kept.get("b"), kept.get("c")]).toEqual([1, undefined, 3]);
});

test("a project of the time before limits has none", () => {
  const older = {
    ...row,
    stream: "project/p",
    type: "PROJECT_CREATED",
    v: 1,
    body: '{"name":"p","settings":{"agent":null}}',
  };
  expect(recordedFrom(older).event).toEqual({
    type: "PROJECT_CREATED",
    body: { name: "p", settings: { agent: null, tasksMax: null } },
  });
});
