import { describe, expect, it } from "vitest";
import { itemGiven } from "../../test/support/given-spec.ts";
import { covers, grantFor } from "./matter.ts";
import { declaresCommand } from "./plan.ts";

describe("a grant", () => {
  it.each<[string, readonly string[], boolean]>([
    ["npm test", ["npm", "test"], true],
    ["npm test", ["npm", "test", "--", "x"], false],
    ["npm test *", ["npm", "test", "--", "x"], true],
    ["npm test *", ["npm", "test"], true],
    ["npm test *", ["npm", "testing"], false],
    ["npm *", ["npm"], true],
    ["*", ["rm", "-rf", "/"], false],
    ["", [], false],
  ])("%j covers %j: %j", (grant, argv, expected) => expect(covers(grant, argv)).toBe(expected));

  it.each<[readonly string[], string | null]>([
    [["npm", "test", "--watch"], "npm test *"],
    [["touch", "made.txt"], "touch *"],
    [["ls", "-l"], "ls *"],
    [["echo", "a b"], null],
    [["echo", "*"], null],
    [["echo", ""], null],
    [[], null],
  ])("for %j it would be %j, and it covers what it was made for", (argv, expected) => {
    const grant = grantFor(argv);
    expect(grant).toBe(expected);
    if (grant !== null) expect(covers(grant, argv)).toBe(true);
  });
});

describe("a work item declares a command", () => {
  const item = (...commands: readonly string[]) => itemGiven({ commands });
  it.each<[string, readonly string[], boolean]>([
    ["npm test", ["npm", "test"], true],
    ["npm test", ["/bin/sh", "-c", "npm test"], true],
    ["npm test *", ["/bin/sh", "-c", "npm test -- a.test.js"], true],
    ["npm test *", ["/bin/sh", "-c", "npm test; rm -rf x"], false],
    ["npm test *", ["/bin/sh", "-c", "npm test $(id)"], false],
    ["npm test *", ["/bin/sh", "-c", "npm test\nid"], false],
    ["npm test", ["sh", "-c", "npm run build"], false],
    ["echo a && echo b", ["/bin/sh", "-c", "echo a && echo b"], true],
  ])("%j for %j: %j", (declared, argv, expected) => expect(declaresCommand(item(declared), argv)).toBe(expected));
});
