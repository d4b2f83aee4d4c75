import { globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { SUITES } from "../scripts/suites.ts";
import { readReport, tallyLine } from "../scripts/tally.ts";
import { aroundTheBroker } from "./architecture/choke-point.ts";
import { type Files, FOREIGN, LAYERS, violations } from "./architecture/import-rules.ts";
import { importsOf, tokensOf } from "./architecture/imports-of.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const manifest = (path: string): Manifest => JSON.parse(read(path));
const dependencies = (path: string): readonly string[] => Object.keys(manifest(path).dependencies ?? {});

describe("this repository", () => {
  const paths = globSync("{src,web/src}/**/*.{ts,tsx,mts,cts,js,mjs,cjs}", { cwd: root });
  const files: Files = Object.fromEntries(paths.map((path) => [path, read(path)]));

  test("keeps the import table: no arrow against it, no circle, reserved words in their places", () => {
    const declared = { src: dependencies("package.json"), web: dependencies("web/package.json") };
    expect(violations(files, declared, FOREIGN)).toEqual([]);
  });

  test("lets nothing but the broker have an effect for a task", () => {
    expect(aroundTheBroker(files)).toEqual([]);
    const around = 'import { spawn } from "node:child_process";\nexport const go = (deps) => deps.sandbox.run([]);';
    expect(aroundTheBroker({ ...files, "src/agents/script/around.ts": around })).toEqual([
      "src/agents/script/around.ts:2 calls sandbox.run; only src/broker/confine.ts, src/broker/turn-client.ts, src/main/confined-programs.ts may.",
      "src/agents/script/around.ts starts processes; what a task does is run by the broker.",
    ]);
  });

  test("reads every file it judges, and each exception still exists", () => {
    expect(paths.length).toBeGreaterThan(50);
    expect(Object.keys(FOREIGN).filter((path) => !(path in files))).toEqual([]);
  });

  test("leads no import from a chat to anything that can do something", () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const { from } of importsOf(tokensOf(files[path] ?? "")))
        if (from !== null) visit(from.startsWith(".") ? posix.join(posix.dirname(path), from) : from);
    };
    for (const path of paths.filter((one) => one.startsWith("src/app/chat/") && !one.endsWith(".test.ts"))) visit(path);
    expect([...reached].filter((path) => !path.startsWith("src/domain/") && !path.startsWith("src/app/chat/"))).toEqual(
      expect.arrayContaining(["src/ports/model.ts", "src/ports/store.ts"]),
    );
    // The ports are forms without code; of those that stand for an act, not even the form is seen.
    const acts = ["broker", "agent", "policy", "workspaces", "layers", "egress", "runners", "delivery", "task-log"];
    expect([...reached].filter((path) => path.startsWith("node:") || path.startsWith("src/engine/"))).toEqual([]);
    expect([...reached].filter((path) => /^src\/(broker|agents|adapters|main|interfaces)\//.test(path))).toEqual([]);
    expect(acts.filter((name) => reached.has(`src/ports/${name}.ts`))).toEqual([]);
  });

  test("pins every dependency to one version, and its lock file names no host", () => {
    const ranges = ["package.json", "web/package.json"].flatMap((path) => {
      const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = manifest(path);
      return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
    });
    expect(ranges.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
    expect(read("package-lock.json").match(/"resolved": "https?:[^"]*"/)).toBeNull();
  });

  test("tells the same suites and budgets in docs/testing.md as scripts/verify.ts runs, 15 minutes in all", () => {
    const rows = [...read("docs/testing.md").matchAll(/^\| `(\w+)` \|.*\| ([\d.]+) \|$/gm)];
    expect(rows.map(([, name, minutes]) => [name, Number(minutes)])).toEqual(
      SUITES.map(({ name, budgetMinutes }) => [name, budgetMinutes]),
    );
    expect(SUITES.reduce((sum, suite) => sum + suite.budgetMinutes, 0)).toBeLessThanOrEqual(15);
  });
});

describe("the import rules", () => {
  const DECLARED = { src: ["zod", "hono", "execa"], web: ["react"] };
  const judged = (files: Files, foreign = {}) => violations(files, DECLARED, foreign);

  test("accept arrows that go inward", () =>
    expect(
      judged({
        "src/domain/task.ts": 'import type { Failure } from "./failure.ts";',
        "src/domain/failure.ts": "export class Failure {}",
        "src/contract/view.ts": 'import { z } from "zod";\nimport type { Task } from "../domain/task.ts";',
        "src/adapters/git/run.ts": 'import { execa } from "execa";\nimport { Failure } from "../../domain/failure.ts";',
        "src/interfaces/cli/run.ts": 'import { call } from "../client/call.ts";\nconsole.log(call);\nprocess.exit(0);',
        "src/config/read.ts": "export const home = process.env.HOME;",
        "src/main/cli.ts": 'import "../adapters/git/run.ts";\nawait import("../interfaces/cli/run.ts");',
        "web/src/page.tsx":
          'import { useState } from "react";\nimport type { View } from "../../src/contract/view.ts";',
        "src/domain/task.test.ts": 'import { test } from "vitest";\nimport "../main/cli.ts";\nprocess.env.X;',
      }),
    ).toEqual([]));

  test("refuse an arrow outward and say what the layer may import instead", () =>
    expect(judged({ "src/app/create.ts": '\nimport { run } from "../adapters/git/run.ts";' })).toEqual([
      "src/app/create.ts:2 imports src/adapters/git/run.ts; src/app/ may import its own files, src/domain/, src/ports/; no package; node:path, node:path/posix, node:util.",
    ]));

  const REFUSED: readonly (readonly [what: string, path: string, text: string, word: string])[] = [
    ["Node in the domain", "src/domain/a.ts", 'import { join } from "node:path";', "node:path"],
    ["a type from outside the domain", "src/domain/a.ts", 'import type { B } from "../ports/b.ts";', "src/ports/b.ts"],
    ["an inline type import", "src/domain/a.ts", 'let a: import("../ports/b.ts").B;', "src/ports/b.ts"],
    ["a re-export", "src/domain/a.ts", 'export * from "../ports/b.ts";', "src/ports/b.ts"],
    ["a dynamic import", "src/engine/a.ts", 'await import("../adapters/git/run.ts");', "src/adapters/git/run.ts"],
    ["a dynamic import of something", "src/engine/a.ts", "await import(name);", "only known when it runs"],
    ["a package in the core", "src/engine/a.ts", 'import { execa } from "execa";', "the package execa"],
    ["processes in the core", "src/broker/a.ts", 'import "node:child_process";', "node:child_process"],
    ["HTTP in the contract", "src/contract/a.ts", 'import { Hono } from "hono";', "the package hono"],
    ["an adapter in an adapter", "src/adapters/git/a.ts", 'import "../store/b.ts";', "src/adapters/store/b.ts"],
    ["an agent in an agent", "src/agents/script/a.ts", 'import "../gates/b.ts";', "src/agents/gates/b.ts"],
    [
      "the store in a command",
      "src/interfaces/cli/a.ts",
      'import "../../adapters/store/b.ts";',
      "src/adapters/store/b.ts",
    ],
    ["the domain in the page", "web/src/a.tsx", 'import "../../src/domain/b.ts";', "src/domain/b.ts"],
    [
      "an undeclared package",
      "src/main/a.ts",
      'import picocolors from "picocolors";',
      "picocolors, which is no runtime",
    ],
    ["a file outside the table", "src/tools/a.ts", "", "lies in no folder of the table"],
    ["the environment", "src/engine/a.ts", "process.env.HOME;", "process.env"],
    ["the environment by index", "src/engine/a.ts", 'globalThis.process["env"];', "process.env"],
    ["the environment by import", "src/adapters/git/a.ts", 'import { env } from "node:process";', "process.env"],
    ["an exit", "src/interfaces/cli/show.ts", "process.exit(1);", "process.exit"],
    ["words on a console", "src/adapters/git/a.ts", "console.error(1);", "console"],
  ];
  test.each(REFUSED)("refuse %s", (_, path, text, word) => {
    const found = judged({ [path]: text });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(word);
    expect(found[0]).toContain(path);
  });

  test("print the way of a circle, also of types", () =>
    expect(
      judged({
        "src/domain/a.ts": 'import type { B } from "./b.ts";',
        "src/domain/b.ts": 'import { c } from "./c.ts";',
        "src/domain/c.ts": 'export { a } from "./a.ts";',
        "src/domain/self.ts": 'import "./self.ts";',
      }),
    ).toEqual([
      "imports go in a circle: src/domain/a.ts → src/domain/b.ts → src/domain/c.ts → src/domain/a.ts",
      "imports go in a circle: src/domain/self.ts → src/domain/self.ts",
    ]));

  test("let a file for another process end it, and let nobody import that file", () =>
    expect(
      judged(
        {
          "src/adapters/sandbox/inside.mjs": "process.exit(0);",
          "src/adapters/sandbox/run.ts": 'import "./inside.mjs";',
        },
        { "src/adapters/sandbox/inside.mjs": "it runs in the sandbox" },
      ),
    ).toEqual([
      "src/adapters/sandbox/run.ts imports src/adapters/sandbox/inside.mjs, which is for another process: it runs in the sandbox.",
    ]));

  test("name only folders that end in a slash, so that no folder is another's prefix by accident", () =>
    expect(LAYERS.flatMap((layer) => [layer.folder, ...layer.mayImport]).filter((name) => !name.endsWith("/"))).toEqual(
      [],
    ));
});

test("imports are read from code, not from comments, strings, templates or regular expressions", () => {
  const source = `#!/usr/bin/env node
// import "comment";
/* import "block"; */
const text = 'import "string"', pattern = /["'\`] import "regex"/;
const made = \`import "template"; \${await import("in template")} { import "still template"; \${{ a: 1 }.a}\`;
const half = a / b; import.meta.url; loader.import("method");
import one, { type two as three } from 'single';
import {
  many,
} from "lines";
export type { four } from "types";
export const from = "no import";
export default function () { return import(\`whole template\`); }
require("common"); import("a", { with: {} }); import("a" + b);
`;
  expect(importsOf(tokensOf(source)).map(({ from, line }) => [from, line])).toEqual([
    ["in template", 5],
    ["single", 7],
    ["lines", 8],
    ["types", 11],
    ["whole template", 13],
    ["common", 14],
    ["a", 14],
    [null, 14],
  ]);
});

describe("the count at the end of a run", () => {
  const test1 = (status: string, fullName = status) => ({ status, fullName });
  const file = (status: string, ...assertionResults: object[]) => ({ name: "/r/x.test.ts", status, assertionResults });

  test("counts tests, and names the ones that did not run", () =>
    expect(
      readReport({ testResults: [file("failed", test1("passed"), test1("failed"), test1("todo", "later"))] }, 1, "/r"),
    ).toEqual({ passed: 1, failed: 1, skipped: ["x.test.ts: later"] }));

  test("counts a file that does not load as a failure", () =>
    expect(readReport({ testResults: [file("failed")] }, 1, "/r").failed).toBe(1));

  test("counts a run that ended badly as a failure, also without any report", () => {
    expect(readReport({ testResults: [file("passed", test1("passed"))] }, 1, "/r")).toMatchObject({
      passed: 1,
      failed: 1,
    });
    expect(readReport(null, 1, "/r")).toMatchObject({ passed: 0, failed: 1 });
  });

  test("is one line", () => {
    expect(tallyLine({ passed: 3, failed: 0, skipped: [] })).toBe("3 passed, 0 failed");
    expect(tallyLine({ passed: 3, failed: 1, skipped: ["a"] })).toBe("3 passed, 1 failed, 1 skipped");
  });
});
