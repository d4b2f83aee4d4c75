import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type StubDaemon, type StubEvent, type StubTask, startStubDaemon } from "./stub-daemon.ts";

/** The built page in a real Chromium, against a stub that speaks the API and can be made to fail at will. */
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

let browser: Browser;
let daemon: StubDaemon;
let page: Page;
/** What no visit may cause: errors in the page, what the content policy refused, dialogs that injected code would open. */
let trouble: string[];

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM ?? "/usr/bin/chromium",
    // Chromium refuses its own sandbox to root and in many containers; it only sees our own page here.
    chromiumSandbox: false,
    args: ["--disable-background-networking"],
  });
});
afterAll(() => browser?.close());

beforeEach(async () => {
  daemon = await startStubDaemon();
  page = await browser.newPage();
  trouble = [];
  page.on("pageerror", (error) => trouble.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      trouble.push(message.text());
  });
  page.on("dialog", (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
});
afterEach(async () => {
  await page.close();
  await daemon.stop();
  expect(trouble).toEqual([]);
});

const task = (facts: Partial<StubTask> & { readonly id: string }): StubTask => ({
  title: "Make the failing tests pass",
  session: "s1",
  status: "running",
  phase: "implementation",
  attempt: 1,
  project: { id: "p1", name: "shop" },
  waiting: null,
  block_reason: null,
  exit_reason: null,
  priority: "normal",
  stalled: false,
  created_by: "person:ada",
  created_at: "2026-01-02T03:04:05.000Z",
  updated_at: "2026-01-02T03:04:05.000Z",
  seq: 1,
  ...facts,
});

const WAITING = task({
  id: "T1",
  status: "awaiting_approval",
  phase: "planning",
  waiting: { reason: "approval_needed", sentence: "The plan waits for a yes.", next: "agentos task approve T1" },
});

const event = (facts: Partial<StubEvent> & { readonly seq: number }): StubEvent => ({
  stream: "task/T1",
  type: "STEP_COMPLETED",
  at: "2026-01-02T03:04:05.000Z",
  actor: "worker:w1",
  sentence: "A step was done.",
  body: {},
  ...facts,
});

test("without tasks it says how to make the first one, and shows that one as soon as it is there", async () => {
  await page.goto(daemon.url);
  await page.getByText('agentos task create "').waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  daemon.tasks = [task({ id: "T1", title: "Fresh from the terminal" })];
  daemon.announce();
  await page.getByText("Fresh from the terminal").waitFor();
});

test("what waits for a person comes first, with the reason and the next step, also when the list is too long to show it", async () => {
  daemon.tasks = [...Array.from({ length: 60 }, (_, n) => task({ id: `R${n}`, title: `Running ${n}` })), WAITING];
  await page.goto(daemon.url);
  const needsYou = page.getByRole("region", { name: "Needs you" });
  await needsYou.getByText("agentos task approve T1").waitFor();
  expect(await needsYou.getByRole("link").count()).toBe(1);
  expect(await page.title()).toBe("(1) AgentOS");
  await page.getByText("There are more than fit here").waitFor();
});

test("a click shows a task's facts and whole history, and a reload keeps it", async () => {
  daemon.tasks = [WAITING];
  const steps = Array.from({ length: 118 }, (_, n) => event({ seq: n + 2 }));
  daemon.events = [
    event({ seq: 1, type: "CREATED", actor: "person:ada", sentence: "ada asked for it." }),
    ...steps,
    event({ seq: 120, type: "PLAN_PROPOSED", sentence: "A plan of 2 work items." }),
  ];
  await page.goto(daemon.url);
  await page
    .getByRole("link", { name: /Make the failing tests pass/ })
    .first()
    .click();
  for (const visit of ["clicked", "reloaded"]) {
    await page.getByText("A plan of 2 work items.").waitFor();
    expect(await page.getByRole("listitem").filter({ hasText: "ada asked for it." }).count(), visit).toBe(1);
    await page.reload();
  }
});

test("what an agent or a stranger wrote is shown as text and never runs", async () => {
  const hostile = `<img src=x onerror=alert(1)><script>alert(2)</script>`;
  daemon.tasks = [{ ...WAITING, title: hostile, waiting: { reason: hostile, sentence: hostile, next: hostile } }];
  daemon.events = [event({ seq: 1, type: hostile, at: hostile, actor: hostile, sentence: hostile })];
  await page.goto(`${daemon.url}#/tasks/T1`);
  await page.getByRole("heading", { name: hostile }).waitFor();
  expect(await page.locator("img, #root script").count()).toBe(0);
});

test("a lost connection is told, the last truth stays, and the page catches up by itself", async () => {
  daemon.tasks = [task({ id: "T1", title: "Before the restart" })];
  await page.goto(daemon.url);
  await page.getByText("live", { exact: true }).waitFor();
  daemon.goDown();
  await page.getByText("connection lost").waitFor();
  expect(await page.getByText("Before the restart").count()).toBe(1);
  daemon.tasks = [task({ id: "T1", title: "After the restart" })];
  daemon.comeBack();
  await page.getByText("After the restart").waitFor();
  await page.getByText("live", { exact: true }).waitFor();
});

test("a pause of everything is told for as long as it lasts", async () => {
  daemon.tasks = [task({ id: "T1", title: "Stands still", status: "queued" })];
  daemon.paused = { since: "2026-01-02T03:04:05.000Z", by: "person:ada", reason: "an incident" };
  await page.goto(daemon.url);
  await page.getByText("Everything is paused by ada (an incident): no task is taken up").waitFor();
  daemon.paused = null;
  daemon.announce();
  await page.getByText("Everything is paused").waitFor({ state: "detached" });
});

test("an unknown task is told in the daemon's words", async () => {
  await page.goto(`${daemon.url}#/tasks/NOSUCH`);
  await page.getByText("There is no task NOSUCH. agentos task list shows the tasks that exist.").waitFor();
});

test("a burst of news asks the daemon a few times, not once for each", async () => {
  daemon.tasks = [WAITING];
  await page.goto(daemon.url);
  await page.getByText("live", { exact: true }).waitFor();
  const before = daemon.listRequests;
  for (let n = 0; n < 200; n += 1) {
    daemon.announce();
    await setTimeout(3);
  }
  daemon.tasks = [{ ...WAITING, title: "After the burst" }];
  daemon.announce();
  await page.getByText("After the burst").first().waitFor();
  expect(daemon.listRequests - before).toBeLessThan(20);
});
