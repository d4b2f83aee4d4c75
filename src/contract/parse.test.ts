import { expect, test } from "vitest";
import { z } from "zod";
import { notThis, parse } from "./parse.ts";

const said = (schema: z.ZodType, value: unknown): string => {
  try {
    parse(schema, value, "it");
    return "valid";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

test("what is wrong is named with its value, and what may be a secret is not said again", () => {
  const port = z.int("must be a port");
  const given = z.object({
    port,
    at: z.object({ kind: z.enum(["a", "b"]) }),
    api_key: z.string().min(9, "is too short"),
  });
  expect(said(given, { port: "80", at: { kind: "c" }, api_key: "hunter2" })).toBe(
    'it is not valid: port: must be a port, not "80"; at.kind: Invalid option: expected one of "a"|"b", not "c"; api_key: is too short',
  );
});

test("what is missing, and what is more than one value, has none to name", () => {
  const given = z.object({ port: z.int("must be a port"), list: z.string("must be text") });
  expect(said(given, { list: ["x"] })).toBe("it is not valid: port: must be a port; list: must be text");
});

test("several values written as one are named as they were written; what may hold a key is not, whatever its field is called", () => {
  expect(notThis({ status: "done,bogus" }, ["status", 1])).toBe(', not "done,bogus"');
  for (const text of ["http://me:hunter2@127.0.0.1", "sk-0123456789abcdef0123", "a+b/c"])
    expect(notThis({ base_url: text }, ["base_url"])).toBe("");
});
