import { expect, test } from "vitest";
import { callableName } from "./tool-server.ts";

test("a tool is called by its server and its name, and no two of different servers are called the same", () => {
  expect(callableName("notes", "read_note")).toBe("notes__read_note");
  const names = ["a", "a_", "a__b", "a___"].flatMap((server) =>
    ["b", "_b", "__b", "b__c", "c", "-b", "b_"].flatMap((tool) => callableName(server, tool) ?? []),
  );
  expect(names).toEqual([...new Set(names)]);
  expect([callableName("a", "_b"), callableName("a", "b__c"), callableName("a", "re\u0430d")]).toEqual([
    null,
    null,
    null,
  ]);
});
