import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type {
  DeliveredView,
  EvidenceView,
  LogsView,
  PlanView,
  ProjectOfPathView,
  SpecView,
  TaskView,
} from "../../src/contract/views.ts";
import { offline } from "../../src/main/offline.ts";
import type { DemoDaemon } from "./daemon.ts";
import { madeSample, type Place } from "./place.ts";
import { say } from "./say.ts";
import { waits, watch } from "./watch.ts";

const run = promisify(execFile);

const PLAN = {
  items: [
    {
      id: "fix",
      title: "Take the discount off instead of adding it",
      criterion: "c1",
      do: [{ replace: "src/total.js", find: "sum + Math.round", with: "sum - Math.round" }],
    },
    {
      id: "check",
      title: "Check the prices of a few baskets",
      depends_on: ["fix"],
      do: [{ run: ["node", "scripts/check-prices.js"] }],
    },
  ],
};

/** From words to delivered, proven work, with the system killed in the middle. Resolves to the exit code. */
export async function journey(place: Place, daemon: DemoDaemon): Promise<number> {
  say.chapter("1  A repository with a bug");
  await madeSample(place.sample);
  say.line(`${place.sample}: a till whose tests fail, because a discount is added where it should be taken off.`);
  await daemon.start();
  say.faint(`daemon ${daemon.pid} listens on ${daemon.url}, data in ${daemon.home}`);

  say.chapter("2  A task: what is wanted, frozen under a hash");
  const { project } = await daemon.post<ProjectOfPathView>("/api/projects/of-path", { path: place.sample });
  const created = await daemon.post<TaskView>("/api/tasks", {
    title: "Discounts must be taken off",
    intent: "A basket with a discount costs less, not more.",
    criteria: ["A discount is taken off the sum"],
    project: project.name,
    plan: PLAN,
    created_by: "demo",
  });
  const { id } = created;
  await daemon.post(`/api/tasks/${id}/spec/freeze`);
  const spec = await daemon.get<SpecView>(`/api/tasks/${id}/spec`);
  const frozen = spec.spec as unknown as {
    readonly criteria: readonly { readonly text: string; readonly gate: string | null }[];
    readonly gates: readonly { readonly id: string; readonly argv: readonly string[] }[];
  };
  say.line(`task ${id}`);
  for (const { text, gate } of frozen.criteria) say.line(`criterion: ${text}  (proven by the gate ${gate})`);
  for (const gate of frozen.gates) say.line(`gate ${gate.id}: ${gate.argv.join(" ")}, pinned by digest`);
  say.line(`spec frozen as sha256 ${spec.hash}`);

  say.chapter("3  A plan, made on read-only mounts, waits for a person");
  await daemon.post(`/api/tasks/${id}/ready`);
  const planned = await watch(daemon, id, 3, waits);
  if (planned.task.status !== "awaiting_approval") return unexpected(planned.task);
  const plan = await daemon.get<PlanView>(`/api/tasks/${id}/plan`);
  for (const item of (
    plan.plan as unknown as {
      readonly items: readonly {
        readonly id: string;
        readonly title: string;
        readonly paths: readonly string[];
        readonly commands: readonly string[];
      }[];
    }
  ).items)
    say.line(`${item.id}: ${item.title}  [${[...item.paths, ...item.commands].join(", ")}]`);
  await daemon.post(`/api/tasks/${id}/approve`, { plan: plan.hash, spec: spec.hash });
  say.good(`approved: plan ${plan.hash.slice(0, 12)} for spec ${spec.hash?.slice(0, 12)}`);

  say.chapter("4  Work in the sandbox, and kill -9 in the middle of a step");
  const working = await watch(daemon, id, planned.seq, async (task) => {
    if (waits(task)) return true;
    const { items } = await daemon.get<LogsView>(`/api/tasks/${id}/logs`);
    return items.some(({ stdout, status }) => status === "open" && stdout.includes("checked 2 of"));
  });
  if (waits(working.task)) return unexpected(working.task);
  const { open_step: open } = working.task;
  const killed = daemon.pid;
  await daemon.kill();
  say.bad(`kill -9 ${killed}, while step ${open?.step} was open: ${open?.doing}`);
  await daemon.start();
  say.good(`daemon ${daemon.pid} took the data directory over and recovered`);

  say.chapter("5  It goes on from the last checkpoint, and only evidence can finish it");
  const ended = await watch(daemon, id, working.seq, waits);
  if (ended.task.status !== "succeeded") return unexpected(ended.task);
  const evidence = await daemon.get<EvidenceView>(`/api/tasks/${id}/evidence`);
  const runs = new Map<string, string[]>();
  for (const step of evidence.steps) runs.set(step.step, [...(runs.get(step.step) ?? []), step.status]);
  say.line("step runs, as the journal has them:");
  for (const [step, statuses] of runs)
    if (step.startsWith("1.item-")) say.line(`  ${step}: ${statuses.join(", then ")}`);
  const again = [...runs].filter(
    ([, statuses]) => statuses.indexOf("completed") >= 0 && statuses.indexOf("completed") < statuses.length - 1,
  );
  if (again.length > 0) return failed(`these finished steps ran again: ${again.map(([step]) => step).join(", ")}`);
  say.good("no finished step ran again; the one that was killed ran once more, on the workspace as it was before it");
  for (const gate of ["tests"]) {
    const [before, after] = [
      evidence.gates.find((one) => one.gate === gate && one.on === "base"),
      evidence.gates.find((one) => one.gate === gate && one.on === "candidate"),
    ];
    say.line(
      `gate ${gate}: ${shown(before)} on the base → ${shown(after)} on the candidate, tree ${after?.tree.slice(0, 12)}`,
    );
  }

  say.chapter("6  Delivered");
  const delivered = await daemon.post<DeliveredView>(`/api/tasks/${id}/deliver`);
  for (const [repo, to] of Object.entries(delivered.repos))
    say.good(
      `${repo}: ${to.branch} is now ${to.to.slice(0, 12)}${to.checkout_followed ? ", and the checkout followed" : ""}`,
    );
  const { stdout } = await run("git", ["-C", place.sample, "--no-pager", "log", "--oneline"]);
  for (const line of stdout.trim().split("\n")) say.faint(line);

  say.chapter("7  The history, re-checked without the daemon");
  await daemon.stop();
  const audit = await offline.auditVerify(daemon.home);
  for (const { stream, seq, problem } of audit.findings) say.bad(`${stream} ${seq}: ${problem}`);
  if (audit.findings.length > 0) return failed("the audit found something");
  say.good(
    `${audit.events} events in ${audit.streams} streams and ${audit.blobs} blobs: every hash holds, and replaying them gives the same state`,
  );
  const events = audit.events;

  say.chapter("Look around");
  const own = `AGENTOS_HOME=${daemon.home} AGENTOS_PORT=8010 ./agentos`;
  say.line(`${own} task trace ${id}`);
  say.line(`${own} task evidence ${id}`);
  say.line(`${own} --web          (the same in the browser)`);
  say.line(`cd YOUR-REPOSITORY && ${process.cwd()}/agentos task create "Run tests and generate report"`);
  say.faint(
    `the demo's ${events} events and its sample lie in ${daemon.home.replace(/\/data$/, "")}; remove that directory when you are done`,
  );
  return 0;
}

type GateShown = EvidenceView["gates"][number];
const shown = (gate: GateShown | undefined): string =>
  gate === undefined
    ? "not run"
    : `${gate.verdict === "pass" ? "green" : "red"}${gate.counts === null ? "" : ` (${gate.counts.passed} of ${gate.counts.passed + gate.counts.failed} pass)`}`;

function unexpected(task: TaskView): number {
  return failed(
    `the task is ${task.status}: ${task.waiting?.sentence ?? task.exit_reason ?? ""} ${task.waiting?.next ?? ""}`,
  );
}

function failed(sentence: string): number {
  say.bad(sentence);
  return 1;
}
