import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { DOWN, ENTER, hasTerminal, MEND, type Person, person, type Terminal } from "./cli-person.ts";

let ada: Person;
afterEach(() => ada.leave());

describe.skipIf(!hasTerminal)("the documented examples on a terminal, typed as they stand:", () => {
  test("3, a run as in CI: created, proven, shown as succeeded", async () => {
    ada = person("mended");
    const shell = ada.onTerminal(`
      export AGENTOS_RUN_MODE=autonomous
      agentos task create "Run tests and generate report"
      id=$(agentos task list --quiet | tr -d '\\r')
      while agentos task show $id | grep -qE '^Status: (queued|running)'; do :; done
      agentos task show $id`);
    expect(await shell.ended).toBe(0);
    expect(shell.screen()).toMatch(/^task [0-9A-Z]{26}$/m);
    expect(shell.screen()).toMatch(/^Status: succeeded$/m);
  });

  test("2, a task that pauses for approval: new, inspected, resumed, traced", async () => {
    ada = person();
    await ada.agentos("project", "create", "shop", "--repo", ".", "--agent", "gates");
    const shell = ada.onTerminal("agentos");
    await chosen(shell, "New task");
    await shell.sees("What is to be done?");
    shell.types(`Refactor all API error handling to unified format${ENTER}`);
    await shell.sees(/task ([0-9A-Z]{26})/);
    await shell.sees("Status: awaiting_approval");
    await shell.sees(/Plan 1, hash [0-9a-f]{64}/);

    await chosen(shell, "Inspect task");
    await shell.sees("Which task?");
    await shell.sees("Refactor all API error handling");
    shell.types(ENTER);
    await shell.sees("Status: awaiting_approval");

    await chosen(shell, "Resume task");
    await shell.sees("Which of those that wait for you?");
    shell.types(ENTER);
    await shell.sees(/Plan 1, hash ([0-9a-f]{64})/);
    await shell.sees(/Approve plan [0-9a-f]{12}\? \[y\/N\] /);
    shell.types("y\n");
    await shell.sees("was approved for spec");
    await shell.sees(/Status: (blocked|succeeded|failed)/);

    await chosen(shell, "Quit");
    expect(await shell.ended).toBe(0);
    const id = /task ([0-9A-Z]{26})/.exec(shell.screen())?.[1] ?? "";
    const trace = await ada.agentos("task", "trace", id);
    expect(trace.stdout).toMatch(
      /^#\d+ {2}.* person:\S+ {2}PLAN_APPROVED {2}Plan [0-9a-f]{12} was approved for spec [0-9a-f]{12}\.$/m,
    );
  });
});

describe.skipIf(!hasTerminal)("the menu", () => {
  test("takes no answer for no, and leaves the task waiting", async () => {
    ada = person();
    await ada.agentos("project", "create", "shop", "--repo", ".", "--agent", "gates");
    const { code, stdout } = await ada.agentos("task", "create", "Look at it", "--wait", "--quiet");
    expect(code).toBe(10);
    const id = stdout.trim();
    const shell = ada.onTerminal(`agentos task resume ${id}; echo "exit $?"`);
    await shell.sees("[y/N] ");
    shell.types("\n");
    await shell.sees("nothing was changed");
    await shell.sees("exit 10");
    await shell.ended;
    expect((await ada.agentos("task", "show", id)).stdout).toMatch(/^Status: awaiting_approval$/m);
  });

  test("asks for a plan file where nobody could do the work, and goes on with it", async () => {
    ada = person();
    writeFileSync(join(ada.repository, "..", "mend.yaml"), MEND);
    const shell = ada.onTerminal("agentos");
    await chosen(shell, "New task");
    await shell.sees("What is to be done?");
    shell.types(`Make the shop add${ENTER}`);
    await shell.sees("Status: blocked");
    await chosen(shell, "Resume task");
    await shell.sees("Which of those that wait for you?");
    shell.types(ENTER);
    await shell.sees("A plan file that says what to do");
    shell.types(`../mend.yaml${ENTER}`);
    await shell.sees("Status: awaiting_approval");
    await shell.sees("touches sum.js");
    await shell.sees("Quit");
    shell.types("\u0003");
    expect(await shell.ended).toBe(0);
  });
});

const CHOICES = ["New task", "List tasks", "Inspect task", "Resume task", "Quit"];

/** Walks down the menu to a choice and takes it. */
async function chosen(shell: Terminal, choice: string): Promise<void> {
  await shell.sees("Quit");
  for (const _ of CHOICES.slice(0, CHOICES.indexOf(choice))) shell.types(DOWN);
  shell.types(ENTER);
}
