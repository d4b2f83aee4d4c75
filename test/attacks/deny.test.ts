import { describe, expect, it } from "vitest";
import { cedarPolicy } from "../../src/adapters/policy/cedar-policy.ts";
import { questionGiven } from "../support/given-desk.ts";
import { itemGiven } from "../support/given-spec.ts";
import { REACHES } from "./reach.ts";
import { EVASIONS } from "./shell.ts";

/*
 * The other half of the E rows, and of G09 to G11: a person forbids `touch`, and none of the ways around its name is allowed: what cannot be reduced to words
 * is opaque, and refused with it. That each of them makes a file where nobody confines it is shown by box.test.ts.
 */

const NO_TOUCH = cedarPolicy(async () => [
  {
    name: "user",
    text: '@id("no-touch") forbid (principal, action, resource) when { context.commands.contains("touch") };',
    granted: false,
  },
]);
const SHIPPED = cedarPolicy(async () => []);

const NOWHERE = {
  outside: "/somewhere",
  home: "/home/ada",
  secret: "",
  data: "/data",
  daemon: 1,
  port: 9,
  url: "http://127.0.0.1:9",
  socket: "/somewhere/s",
  abstract: "s",
};

const question = (shell: string, text: string) =>
  questionGiven(
    { kind: "command", repo: "app", argv: [shell, "-c", text], cwd: ".", timeoutMs: 1, network: [] },
    { item: itemGiven({ commands: [text] }) },
  );

describe("with a forbid on touch in force", () => {
  it.each(
    EVASIONS.filter(({ deniedByName }) => deniedByName).map(
      ({ id, what, shell, runs }) => [id, what, shell, runs] as const,
    ),
  )("%s: %s is denied, before anything is spawned", async (_, __, shell, runs) => {
    const allowed: string[] = [];
    for (const [, run] of runs) {
      const text = run("/somewhere/x");
      if ((await NO_TOUCH.decide(question(shell, text))).verdict !== "deny") allowed.push(text.slice(0, 200));
    }
    expect(allowed).toEqual([]);
  });

  it.each(REACHES.filter(({ id }) => /^G(09|10|11)$/.test(id)).map(({ id, what, run }) => [id, what, run] as const))(
    "%s: a command that %s is denied, before anything is spawned",
    async (_, __, run) => {
      const text = run(NOWHERE, "/somewhere/x");
      expect([text, (await NO_TOUCH.decide(question("/bin/sh", text))).verdict]).toEqual([text, "deny"]);
    },
  );

  it("the control: without it an ordinary touch is not denied, and with it an ordinary command is not", async () => {
    expect((await SHIPPED.decide(question("/bin/sh", "touch a"))).verdict).not.toBe("deny");
    expect((await NO_TOUCH.decide(question("/bin/sh", "npm test"))).verdict).not.toBe("deny");
  });
});
