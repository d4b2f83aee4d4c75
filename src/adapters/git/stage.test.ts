import { expect, test } from "vitest";
import { excluded } from "./stage.ts";

test("paths that are passed over are paths below the top, with or without a slash at the end", () => {
  expect(excluded(["node_modules", "src/cache//", "ü"])).toEqual(new Set(["node_modules", "src/cache", "Ã¼"]));
});

test.each(["", "/", "/etc", ".", "..", "a/../b", "./a", "a//b"])("%j is no such path", (path) => {
  expect(() => excluded([path])).toThrow(`${JSON.stringify(path)} is no path inside a working directory`);
});
