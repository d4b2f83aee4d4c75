import { afterEach, beforeEach, expect, test } from "vitest";
import { type Person, person } from "./cli-person.ts";

let ada: Person;
beforeEach(() => {
  ada = person();
});
afterEach(() => ada.leave());

test("what comes before what is said, shown both ways, drawn, and taken back", async () => {
  const draft = async (title: string, ...more: readonly string[]): Promise<string> =>
    (await ada.agentos("task", "create", title, "--draft", "--quiet", ...more)).stdout.trim();
  const parser = await draft("Mend the parser");
  const user = await draft('Use "it"', "--requires", parser);
  const docs = await draft("Write of it", "--suggests", "last");

  const added = await ada.agentos("task", "deps", "add", docs, "--requires", parser.slice(0, 20).toLowerCase());
  expect(added.code).toBe(0);
  const circle = await ada.agentos("task", "deps", "add", user, "--blocks", parser);
  expect(circle).toMatchObject({ code: 4, stdout: "" });
  expect(circle.stderr).toContain(`each waiting for the next: ${parser} → ${user} → ${parser}`);

  expect((await ada.agentos("task", "deps", docs)).stdout.split("\n")).toEqual([
    `${docs}  draft  Write of it`,
    "comes after:",
    `├─ requires ${parser}  draft  Mend the parser`,
    `└─ suggests ${user}  draft  Use "it"`,
    `   └─ requires ${parser}  draft  Mend the parser`,
    "nothing depends on it",
    "",
  ]);
  expect((await ada.agentos("task", "deps", "graph")).stdout.split("\n")).toEqual([
    `${parser}  draft  Mend the parser`,
    `├─ is required by ${user}  draft  Use "it"`,
    `│  └─ is suggested by ${docs}  draft  Write of it`,
    `└─ is required by ${docs}  draft  Write of it`,
    "",
  ]);
  const compared = (await ada.agentos("task", "compare", parser, user)).stdout.split("\n");
  expect(compared.slice(1, 3)).toEqual([
    expect.stringMatching(`^${parser}  draft   -      -      -       0.0 s$`),
    expect.stringMatching(`^${user}  draft `),
  ]);
  const forked = await ada.agentos("task", "fork", parser, "--times", "2");
  expect(forked).toMatchObject({ code: 4, stdout: "" });
  expect(forked.stderr).toContain("it has not been planned yet");

  const removed = await ada.agentos("task", "deps", "remove", docs, "--requires", parser, "--suggests", user);
  expect(removed.stdout).toContain("depends on nothing\nnothing depends on it\n");
});
