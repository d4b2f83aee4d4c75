import { describe, expect, it } from "vitest";
import { FAILURE_CODES } from "../domain/failure.ts";
import { failure, isProblemCode, PROBLEMS, problemOf } from "./problems.ts";

describe("what is told of a problem", () => {
  it("is the failure's own sentence and next step, or the usual one of its code", () => {
    expect(problemOf(failure("store/busy", "it is in use", "Wait a little."))).toEqual({
      type: "urn:agentos:problem:store:busy",
      title: "store/busy",
      status: PROBLEMS["store/busy"].status,
      code: "store/busy",
      detail: "it is in use",
      next: "Wait a little.",
      facts: {},
    });
    expect(problemOf(failure("store/busy", "it is in use")).next).toBe(PROBLEMS["store/busy"].next);
  });

  it("is nothing of the inside where it is no failure but a bug", () => {
    const told = problemOf(new TypeError("x.secret is not a function"));
    expect([told.status, told.code, told.detail]).toEqual([
      500,
      "internal",
      "AgentOS failed while it answered this request",
    ]);
    expect(JSON.stringify(told)).not.toContain("secret");
  });

  it("has a code that programs can tell from any other word", () => {
    expect(FAILURE_CODES.filter((code) => !isProblemCode(code))).toEqual([]);
    expect(["", "toString", "store/lost", null, 3].filter(isProblemCode)).toEqual([]);
  });
});
