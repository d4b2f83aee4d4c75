import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { git, temporaryDirectory, toolPath } from "../support/daemon.ts";
import { freePort } from "../support/free-port.ts";

/* What the README tells people to type, typed. */

const ROOT = join(import.meta.dirname, "..", "..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocksOf = (document: string): readonly Block[] =>
  [...document.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({ language, text }));
const shellOf = (blocks: readonly Block[]): readonly string[] =>
  blocks.filter(({ language }) => language === "sh").map(({ text }) => text);
const blocks = blocksOf(README);
const shell = shellOf(blocks);

const GREETING = ["`hello $", "{name}`"].join("");

let repository: string;
let environment: Record<string, string>;

/** The repository that the documents speak of: greets, but not by name. */
function greeter(more: Readonly<Record<string, string>>): string {
  const directory = join(temporaryDirectory("tour"), "greeter");
  mkdirSync(directory);
  const files = {
    "package.json": JSON.stringify({
      name: "greeter",
      version: "1.0.0",
      type: "module",
      scripts: { test: "node --test" },
    }),
    "index.js": 'export const greet = (name) => "hello";\n',
    "index.test.js":
      'import assert from "node:assert/strict";\nimport test from "node:test";\nimport { greet } from "./index.js";\n\ntest("greets", () => assert.match(greet("Ada"), /hello/));\n',
    ...more,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  git(directory, "init", "--quiet", "--initial-branch=main");
  git(directory, "add", "--all");
  git(directory, "commit", "--quiet", "--message", "Begin");
  return directory;
}

beforeAll(async () => {
  repository = greeter({});
  const plan = blocks.find(({ text }) => text.startsWith("# fix.yaml"));
  writeFileSync(join(repository, "fix.yaml"), plan?.text ?? "");

  const programs = temporaryDirectory("bin");
  symlinkSync(join(ROOT, "agentos"), join(programs, "agentos"));
  environment = {
    HOME: temporaryDirectory("person"),
    PATH: [programs, ...toolPath()].join(":"),
    AGENTOS_HOME: temporaryDirectory("home"),
    AGENTOS_PORT: String(await freePort()),
  };
});

afterAll(() => {
  spawnSync("agentos", ["daemon", "stop"], { env: environment });
});

/** The lines of a block as commands: a line that ends in a backslash goes on. Comments are what the reader is told, not typed. */
const commandsOf = (text: string): string[] =>
  text
    .replaceAll("\\\n", " ")
    .split(/\n(?=\S)/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

/** `--wait` ends with what it waited for: a plan that waits for approval is no failure of the command. */
const EXPECTED_EXIT: Readonly<Record<string, number>> = {
  'agentos task create "Greet by name" --plan fix.yaml --wait': 10,
  'agentos task create "Greet by name" --plan plan.yaml --wait': 10,
  // Nobody answers at Ollama's port here.
  'agentos task create "Say goodbye, too" --budget turns=60 --wait': 11,
};

test("the README begins with the two commands that do everything", () => {
  const scripts = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts as Record<string, string>;
  expect(commandsOf(shell[0] ?? "").map((line) => line.replace(/\s+#.*$/, ""))).toEqual(["npm run demo", "npm test"]);
  expect(scripts["demo"]).toContain("setup.sh");
  expect(scripts["test"]).toContain("setup.sh");
});

/** Types the commands, and says what they put out; each has to end as the document says. */
function typed(commands: readonly string[], cwd: string): string {
  const said: string[] = [];
  for (const command of commands) {
    const line = command.replaceAll("localhost:8000", `localhost:${environment["AGENTOS_PORT"]}`);
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", line], {
      cwd,
      env: environment,
      encoding: "utf8",
      timeout: 120_000,
    });
    expect({ command, status, stderr: status === (EXPECTED_EXIT[command] ?? 0) ? "" : `${stderr}${stdout}` }).toEqual({
      command,
      status: EXPECTED_EXIT[command] ?? 0,
      stderr: "",
    });
    said.push(stdout);
  }
  return said.join("\n");
}

test("every command of the tour does what it says, from the first task to the verified audit", () => {
  const all = typed(shell.slice(1).flatMap(commandsOf), repository);
  expect(all).toContain("Status: succeeded");
  expect(all).toContain(`+export const greet = (name) => ${GREETING};`);
  expect(readFileSync(join(repository, "index.js"), "utf8")).toContain(GREETING);
  expect(git(repository, "log", "--format=%s")).toContain("Greet by name");
  expect(all).toMatch(/auto_[0-9A-Z]{26}_\d+/);
});

test("the plan file of the document about them does what it says, act by act", () => {
  const written = blocksOf(readFileSync(join(ROOT, "docs", "plans.md"), "utf8"));
  const there = greeter({ "notes.txt": "greet by name\n" });
  writeFileSync(join(there, "plan.yaml"), written.find(({ language }) => language === "yaml")?.text ?? "");
  const all = typed(shellOf(written).flatMap(commandsOf), there);
  expect(all).toContain("git log --oneline -3 exited with 0");
  expect(all).toContain("hello Ada");
  typed(["agentos task deliver last"], there);
  expect(
    git(there, "ls-tree", "-r", "HEAD")
      .replace(/ \w+ \w+\t/g, " ")
      .trim()
      .split("\n"),
  ).toEqual([
    "100755 bin/greet",
    "100644 dist/greeting.txt",
    "100644 index.js",
    "100644 index.test.js",
    "100644 package.json",
  ]);
});

test("what the documents link to is there", () => {
  const documents = execFileSync("git", ["ls-files", "*.md"], { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
  const dead = documents.flatMap((document) =>
    [...readFileSync(join(ROOT, document), "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map(([, target = ""]) => ({ document, target }))
      .filter(({ target }) => spawnSync("test", ["-e", join(ROOT, document, "..", target)]).status !== 0),
  );
  expect(dead).toEqual([]);
});
