import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MEND, type Person, person } from "./cli-person.ts";

let ada: Person;
beforeEach(() => {
  ada = person();
});
afterEach(() => ada.leave());

test("a task from intent to delivery, command by command", async () => {
  writeFileSync(join(ada.repository, "notes.txt"), "mine\n");
  const created = await ada.agentos(
    "task",
    "create",
    "Make the shop add",
    "--plan",
    ada.write("mend.yaml", MEND),
    "--criterion",
    "Two and three are five => tests",
    "--wait",
  );
  expect(created.code).toBe(10);
  const lines = created.stdout.split("\n");
  expect(lines[0]).toMatch(/^task [0-9A-Z]{26}$/);
  expect(created.stdout).toContain("  tests: npm test, judged by its tests\n");
  expect(created.stdout).toContain("  c1: Two and three are five (proved by tests)\n");
  expect(created.stderr).toContain(
    "not part of the task (--include-changes takes them along): 1 uncommitted file of shop: notes.txt\n",
  );
  const id = lines[0]?.slice(5) ?? "";

  const shown = await ada.agentos("task", "show", id.slice(0, 12).toLowerCase());
  expect(shown.stdout).toMatch(/^Status: awaiting_approval$/m);
  expect(shown.stdout).toContain("1 uncommitted file left out: notes.txt");
  const hash = (await ada.agentos("task", "plan", id, "--quiet")).stdout.trim();
  expect(hash).toMatch(/^[0-9a-f]{64}$/);

  for (const words of [
    ["task", "resume", id],
    ["task", "approve", id],
  ]) {
    const unasked = await ada.agentos(...words);
    expect(unasked).toMatchObject({ code: 4, stdout: "" });
    expect(unasked.stderr).toContain(`agentos task approve ${id} --plan ${hash}`);
  }
  const other = await ada.agentos("task", "approve", id, "--plan", "0".repeat(64));
  expect(other).toMatchObject({ code: 4, stdout: "" });
  expect(other.stderr).toContain(`proposes plan ${hash}, not ${"0".repeat(64)}`);

  const approved = await ada.agentos("task", "approve", id, "--plan", hash, "--wait");
  expect(approved.code).toBe(0);
  expect(approved.stdout).toContain("  tests: fail (1 of 2 tests passed) → pass (2 of 2 tests passed)\n");

  expect((await ada.agentos("task", "show", id)).stdout).toMatch(/^Status: succeeded\nExit reason: done$/m);
  expect((await ada.agentos("task", "diff", id)).stdout).toContain("\n+export const sum = (a, b) => a + b;\n");
  expect((await ada.agentos("task", "logs", id)).stdout).toContain("✖ adds");
  expect((await ada.agentos("task", "evidence", id)).stdout).toContain(" ✓  pass  tests  Two and three are five\n");
  const trace = (await ada.agentos("task", "trace", id)).stdout.trim().split("\n");
  expect(trace.map((line) => Number(/^#(\d+) {2}/.exec(line)?.[1]))).toEqual(trace.map((_, at) => at + 1));

  expect(await ada.agentos("task", "verify", id)).toMatchObject({ code: 0 });
  const delivered = await ada.agentos("task", "deliver", id);
  expect(delivered.code).toBe(0);
  expect(delivered.stdout).toMatch(/^shop: main is [0-9a-f]{12}, was [0-9a-f]{12}; the checkout followed\n$/);
  expect(readFileSync(join(ada.repository, "sum.js"), "utf8")).toBe("export const sum = (a, b) => a + b;\n");
  expect(readFileSync(join(ada.repository, "notes.txt"), "utf8")).toBe("mine\n");

  expect((await ada.agentos("audit", "verify")).code).toBe(0);
  expect((await ada.agentos("audit", "log", "--task", id, "--actor", "person")).stdout).toContain("PLAN_APPROVED");
  expect(await ada.agentos("workspace", "clean", id)).toMatchObject({ code: 2, stdout: "" });
  expect((await ada.agentos("workspace", "clean", id, "--yes")).code).toBe(0);
});

test("a draft goes its way step by step, and a changed spec voids what was approved", async () => {
  const { id } = await ada.with({}, "/").data<{ id: string }>("task", "create", "Make the shop add", "--draft");
  expect(await ada.agentos("task", "ready", id)).toMatchObject({ code: 4 });
  await ada.data("task", "revise", id, "--plan", ada.write("mend.yaml", MEND));
  await ada.data("task", "bind", id);
  await ada.data("task", "freeze", id);
  expect((await ada.agentos("task", "ready", id, "--wait")).code).toBe(10);
  expect(await ada.data<{ status: string; spec: unknown }>("task", "revise", id, "--attempts", "1")).toMatchObject({
    status: "draft",
    spec: null,
  });
  expect((await ada.agentos("task", "approve", id, "--yes")).code).toBe(4);
  await ada.data("task", "freeze", id);
  expect((await ada.agentos("task", "ready", id, "--wait")).code).toBe(10);
  expect(
    await ada.data<{ status: string; exit_reason: string }>("task", "reject", id, "--reason", "not so"),
  ).toMatchObject({ status: "canceled", exit_reason: "plan_rejected" });
});

test("without a model and an agent a task is blocked, and says what to do", async () => {
  const { code, stderr } = await ada.agentos(
    "task",
    "create",
    "Refactor all API error handling to unified format",
    "--wait",
  );
  expect(code).toBe(11);
  expect(stderr).toContain("next: Say which model is to be used: agentos model policy set any PROVIDER/MODEL");
});

test("every command answers --json with exactly one envelope, good or bad", async () => {
  const { id } = await ada.data<{ id: string }>(
    "task",
    "create",
    "Make the shop add",
    "--plan",
    ada.write("mend.yaml", MEND),
    "--wait",
  );
  const answers: readonly (readonly [words: readonly string[], code: number])[] = [
    [["version"], 0],
    [["--version"], 0],
    [["init"], 0],
    [["daemon", "status"], 0],
    [["project", "list"], 0],
    [["project", "show", "shop"], 0],
    [["project", "show", "none"], 3],
    [["project", "delete", "shop", "--yes"], 4],
    [["repo", "list"], 0],
    [["repo", "show", "shop/shop"], 0],
    [["repo", "scan", "shop"], 0],
    [["repo", "add", "shop", "/nowhere"], 2],
    [["task", "list"], 0],
    [["task", "show", id], 0],
    [["task", "show", "01ARZ3NDEKTSV4RRFFQ69G5FAV"], 3],
    [["task", "plan", id], 0],
    [["task", "resume", id], 4],
    [["task", "trace", id], 0],
    [["task", "logs", id], 0],
    [["task", "evidence", id], 0],
    [["task", "artifacts", id], 0],
    [["task", "artifacts", id, "none"], 3],
    [["task", "deliver", id], 4],
    [["task", "verify", id], 0],
    [["workspace", "list"], 0],
    [["audit", "log"], 0],
    [["audit", "verify"], 0],
    [["task", "crate", "x"], 2],
    [["task", "list", "--limit", "0"], 2],
    [[], 2],
  ];
  for (const [words, code] of answers) {
    const said = await ada.agentos("--json", ...words);
    const envelope = JSON.parse(said.stdout);
    expect([words, said.code, said.stdout.split("\n").length, envelope.agentos, envelope.ok]).toEqual([
      words,
      code,
      2,
      1,
      code === 0,
    ]);
    if (code !== 0)
      expect(envelope.problem).toMatchObject({
        code: expect.any(String),
        detail: expect.any(String),
        next: expect.stringMatching(/./),
      });
  }
});

describe("what cannot be understood changes nothing:", () => {
  const wrong: readonly (readonly [words: readonly string[], code: number])[] = [
    [["tsk"], 2],
    [["task", "show", "../../etc/passwd"], 2],
    [["task", "create", "x", "--plan", "none.yaml"], 2],
    [["task", "create", "x", "--gate", "npm test"], 2],
    [["task", "create", "x", "--mode", "yolo"], 2],
    [["task", "create", "x", "--attempts", "-1"], 2],
    [["--port", "99999", "task", "list"], 2],
    [[], 2],
  ];
  test.each(wrong)("%j", async (words, code) => {
    const said = await ada.agentos(...words);
    expect(said).toMatchObject({ code, stdout: "" });
    expect(said.stderr).not.toMatch(/^ +at /m);
    expect(existsSync(join(ada.home, "agentos.db"))).toBe(false);
  });

  test("a store that is not built yet is not quietly replaced by another", async () => {
    const said = await ada.with({ DATABASE_TYPE: "postgresql" }).agentos("task", "list");
    expect(said.code).toBe(2);
    expect(said.stderr).toContain("the PostgreSQL store is not built yet");
    expect(existsSync(ada.home)).toBe(false);
  });

  test("outside of a repository a task needs a project", async () => {
    expect(await ada.with({}, "/").agentos("task", "create", "x")).toMatchObject({ code: 2, stdout: "" });
  });
});

test("text of others commands no terminal", async () => {
  const evil = "\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u202e";
  const plan = {
    items: [
      {
        id: "evil",
        title: "Evil",
        do: [{ write: "a.txt", content: `${evil}\n` }, { run: ["printf", `out${evil}\\nforged\\r`] }],
      },
    ],
  };
  const { code } = await ada.agentos(
    "task",
    "create",
    "Evil",
    "--plan",
    ada.write("evil.json", JSON.stringify(plan)),
    "--mode",
    "autonomous",
    "--gate",
    "tests=true",
    "--wait",
  );
  expect(code).toBe(0);
  const id = (await ada.agentos("task", "list", "--quiet")).stdout.trim();
  for (const words of [
    ["task", "logs", id],
    ["task", "diff", id],
    ["task", "plan", id],
    ["task", "show", id],
    ["task", "trace", id],
    ["task", "evidence", id],
    ["task", "logs", id, "--json"],
  ]) {
    const { stdout, stderr } = await ada.agentos(...words);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect([words, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/.test(stdout + stderr)]).toEqual([words, false]);
  }
  expect((await ada.agentos("task", "logs", id)).stdout).toContain(
    "out\\u{1b}]52;c;ZXZpbA==\\u{7}\\u{1b}[2J\\u{202e}\nforged\\u{d}\n",
  );
});
