import { describe, expect, it, test } from "vitest";
import {
  type Course,
  course,
  type Move,
  moves,
  type Standing,
  sameStandings,
  standingOf,
  standingText,
} from "./delivery.ts";

const MOVE: Move = { repo: "app", way: "merge", branch: "main", from: "b1", to: "c1", tree: "t1" };
const all = (...is: readonly Standing["is"][]): readonly Standing[] =>
  is.map((one, n) => ({ repo: `r${n}`, branch: "main", from: "b", to: "c", at: "x", is: one }));

describe("where a branch stands", () => {
  it.each<[Parameters<typeof standingOf>[1], Standing["is"]]>([
    [{ at: "b1", holdsWork: false }, "before"],
    [{ at: "c1", holdsWork: true }, "arrived"],
    [{ at: "d1", holdsWork: true }, "beyond"],
    [{ at: "d1", holdsWork: false }, "elsewhere"],
    [{ at: null, holdsWork: false }, "elsewhere"],
    [null, "unreadable"],
  ])("%j: %s", (found, is) => expect(standingOf(MOVE, found).is).toBe(is));

  it("a branch that is to be made and is not there stands where it was", () =>
    expect(standingOf({ ...MOVE, from: null }, { at: null, holdsWork: false }).is).toBe("before"));

  it("is said for each branch", () =>
    expect(standingText([standingOf(MOVE, { at: "d1", holdsWork: true }), standingOf(MOVE, null)])).toBe(
      "main of app has gone on from the delivered c1 to d1; main of app cannot be read (c1 was to be delivered)",
    ));

  it("is said for those that nothing happened to, that arrived and that were taken elsewhere", () =>
    expect(
      standingText([
        standingOf(MOVE, { at: "b1", holdsWork: false }),
        standingOf(MOVE, { at: "c1", holdsWork: true }),
        standingOf(MOVE, { at: null, holdsWork: false }),
        standingOf({ ...MOVE, from: null }, { at: "d1", holdsWork: false }),
      ]),
    ).toBe(
      [
        "main of app is where it was (b1)",
        "main of app is at the delivered c1",
        "main of app was taken to no commit by somebody else (it was b1)",
        "main of app was taken to d1 by somebody else (it was no commit)",
      ].join("; "),
    ));

  it("two looks are the same when they found every branch at the same place", () => {
    expect(sameStandings(all("arrived", "before"), all("arrived", "before"))).toBe(true);
    expect(sameStandings(all("arrived", "before"), all("arrived", "arrived"))).toBe(false);
    expect(sameStandings(all("arrived"), all("arrived", "before"))).toBe(false);
  });
});

describe("all or none", () => {
  it.each<[readonly Standing["is"][], Course, Course]>([
    // found, on the way, once turned back
    [["before", "before"], "forward", "none"],
    [["arrived", "before"], "forward", "back"],
    [["arrived", "arrived"], "forward", "back"],
    [["beyond", "before"], "forward", "torn"],
    [["before", "elsewhere"], "none", "none"],
    [["arrived", "elsewhere"], "back", "back"],
    [["beyond", "elsewhere"], "torn", "torn"],
    [["arrived", "beyond", "elsewhere"], "torn", "torn"],
    [["arrived", "unreadable"], "torn", "torn"],
  ])("%j", (found, onTheWay, turnedBack) =>
    expect([course(all(...found), false), course(all(...found), true)]).toEqual([onTheWay, turnedBack]),
  );

  test("a patch, and work that is there already, move nothing", () =>
    expect([moves(MOVE), moves({ ...MOVE, way: "patch" }), moves({ ...MOVE, from: "c1" })]).toEqual([
      true,
      false,
      false,
    ]));
});
