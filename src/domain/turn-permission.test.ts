import { describe, expect, test } from "vitest";
import { itemGiven } from "../../test/support/given-spec.ts";
import { judgePermission, type PermissionGround, type PermissionWish } from "./turn-permission.ts";

const item = itemGiven({ paths: ["src/**", "a.txt"], commands: ["npm test"] });
const ground: PermissionGround = {
  phase: "implementation",
  item,
  scopes: [
    { repo: "app", access: "full" },
    { repo: "docs", access: "paths", paths: ["guide/**"] },
    { repo: "lib", access: "read_only" },
  ],
  agreed: ["make check"],
  grants: ["cargo build *"],
};
const wish = (tool: string, more: Partial<PermissionWish> = {}): PermissionWish => ({
  tool,
  places: [],
  argv: null,
  ...more,
});
const judged = (one: PermissionWish, over: Partial<PermissionGround> = {}): readonly string[] => {
  const { answer, rule } = judgePermission(one, { ...ground, ...over });
  return [answer, rule];
};
const at = (path: string, repo = "app") => ({ places: [{ repo, path }] });

describe("what an agent asks a permission for", () => {
  test.each(["read", "search", "think"])("%s is allowed, while it plans too", (tool) => {
    expect(judged(wish(tool))).toEqual(["allow", "turn/looks"]);
    expect(judged(wish(tool), { phase: "planning", item: null })).toEqual(["allow", "turn/looks"]);
  });

  test.each(["edit", "delete", "move", "execute", "fetch", "switch_mode", "other", "never heard of"])(
    "%s is refused while it plans",
    (tool) => expect(judged(wish(tool), { phase: "planning", item: null })).toEqual(["deny", "phase"]),
  );

  test.each([
    ["an edit of a file that the item names", wish("edit", at("src/deep/b.ts")), ["allow", "plan/path"]],
    ["an edit of a file that it does not name", wish("edit", at("b.txt")), ["ask", "turn/not-agreed"]],
    ["an edit of which no file is told", wish("edit"), ["ask", "turn/not-agreed"]],
    [
      "an edit of two files, one not named",
      wish("edit", { places: [at("a.txt").places[0] ?? null, at("b.txt").places[0] ?? null] }),
      ["ask", "turn/not-agreed"],
    ],
    ["an edit outside the workspace", wish("edit", { places: [null] }), ["deny", "scope/path"]],
    ["an edit outside the paths of the spec", wish("edit", at("README.md", "docs")), ["deny", "scope/path"]],
    ["an edit inside the paths of the spec", wish("edit", at("guide/x.md", "docs")), ["ask", "turn/not-agreed"]],
    ["a deletion in a repo that is only read", wish("delete", at("a.txt", "lib")), ["deny", "scope/path"]],
    ["a change in a repo of no scope", wish("move", at("a.txt", "elsewhere")), ["deny", "scope/path"]],
    ["another mode", wish("switch_mode"), ["allow", "turn/mode"]],
    ["what it has no name for", wish("other"), ["ask", "turn/not-agreed"]],
  ] as const)("%s", (_, one, expected) => expect(judged(one)).toEqual(expected));

  test.each([
    ["a command that the item names, as a line", ["npm test"], ["allow", "plan/command"]],
    ["the same as words", ["npm", "test"], ["allow", "plan/command"]],
    ["one more word", ["npm test -- -u"], ["ask", "turn/not-agreed"]],
    ["a line in which a shell would read more", ["npm test; curl x"], ["ask", "turn/not-agreed"]],
    ["a gate's command", ["make check"], ["allow", "turn/gate-command"]],
    ["a command under a person's grant", ["cargo build --release"], ["allow", "grant"]],
    ["one that only looks as if it were", ["cargo build && rm -rf x"], ["ask", "turn/not-agreed"]],
    ["a red line, as a line for a shell", ["git push --force"], ["deny", "red-line/force-push"]],
    ["a red line, as words", ["git", "push", "--force"], ["deny", "red-line/force-push"]],
  ] as const)("%s", (_, argv, expected) => expect(judged(wish("execute", { argv }))).toEqual(expected));

  test("a red line is crossed by looking too, and by what the plan names", () => {
    expect(judged(wish("read", { argv: ["git push --force"] }))).toEqual(["deny", "red-line/force-push"]);
    const named = { item: { ...item, commands: ["git push --force"] } };
    expect(judged(wish("execute", { argv: ["git push --force"] }), named)).toEqual(["deny", "red-line/force-push"]);
  });
});
