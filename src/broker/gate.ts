import type { GateOn } from "../domain/event.ts";
import type { Evidence } from "../domain/evidence.ts";
import { checkoutsAt, type GateDefinition, type Ground, type PinnedPart } from "../domain/gate.ts";
import { pinned } from "../domain/pin.ts";
import type { TestCounts } from "../domain/test-counts.ts";
import type { Desk, GateOutcome, StepRun } from "../ports/broker.ts";
import type { ReportPlace } from "../ports/runners.ts";
import type { Mount, Scratch } from "../ports/sandbox.ts";
import type { StagedBlob } from "../ports/store.ts";
import {
  confine,
  insideOf,
  isWritable,
  type LayersInside,
  layerMounts,
  REPORTS_INSIDE,
  WORKSPACES_INSIDE,
  workspaceOf,
} from "./confine.ts";
import { type BrokerDependencies, type Pass, plainly } from "./deps.ts";
import { inputMounts } from "./inputs.ts";
import { mountSeen } from "./planning.ts";

const REPORT_BYTES_MAX = 32 * 1024 ** 2;
const TAIL_BYTES = 16 * 1024;

/** What a gate's run leaves: kept as the step's result, so that a judgement after a crash rests on the same. */
type Kept = Omit<GateOutcome, "evidence"> & { readonly evidence: readonly Evidence[] };

/** Runs one gate in fresh checkouts of exactly the commits of its ground, side by side. It gathers; `judge` decides. */
export async function runGate(
  deps: BrokerDependencies,
  desk: Desk,
  pass: Pass,
  {
    gate,
    ground,
    on,
  }: {
    readonly gate: GateDefinition;
    readonly ground: Ground;
    readonly on: GateOn;
  },
): Promise<GateOutcome> {
  const { repo, commit, tree, beside } = ground;
  const others = Object.keys(beside).length === 0 ? {} : { beside };
  return (await pass(
    { gate, commit, tree, ...others, on },
    plainly({ kind: "gate", gate: gate.id, repo, on, commit, tree, ...others, argv: gate.argv }),
    async (run) => {
      const places = checkoutsAt(run.step, ground);
      const checkOut = async (place: (typeof places)[0]): Promise<string> => {
        const made = await deps.workspaces.gateCheckout(workspaceOf(desk, place.repo), place.commit, place.name);
        if (made.tree !== place.tree)
          throw new Error(`the checkout of ${place.commit} has tree ${made.tree}, not ${place.tree}`);
        return made.path;
      };
      try {
        const [own, ...others] = places;
        const checkout = await checkOut(own);
        const checkouts: Record<string, string> = { [repo]: checkout };
        for (const place of others) checkouts[place.repo] = await checkOut(place);
        const kept = await runIn(deps, desk, run, gate, { checkout, checkouts, commit });
        return {
          evidence: kept.outcome.evidence,
          touched: [],
          result: { ...kept.outcome, step: run.step },
          failed: null,
          blobs: kept.blobs,
        };
      } finally {
        for (const place of places) await deps.workspaces.dropGateCheckout(workspaceOf(desk, place.repo), place.name);
      }
    },
  )) as Kept;
}

async function runIn(
  deps: BrokerDependencies,
  desk: Desk,
  run: StepRun,
  gate: GateDefinition,
  {
    checkout,
    checkouts,
    commit,
  }: {
    readonly checkout: string;
    readonly checkouts: Readonly<Record<string, string>>;
    readonly commit: string;
  },
): Promise<{ readonly outcome: Omit<GateOutcome, "step">; readonly blobs: readonly StagedBlob[] }> {
  const workspace = workspaceOf(desk, gate.repo);
  const reports = await deps.reportDirectory(desk.task, run.step, run.run);
  const { mounts, scratches, environment } = await sideBySide(deps, desk, gate, checkouts);
  const base = { repo: gate.repo, cwd: gate.cwd, mounts, scratches, network: [] };
  const [name = ""] = gate.argv;
  // Resolved before the gate runs, in a place of its own: the checkout is still exactly the commit's.
  const program = await resolved(deps, desk, run, { ...base, name });
  const inputs = await inputMounts(deps, desk, run);
  const how = deps.runners.instrument(gate, REPORTS_INSIDE);
  // What lies there already is the commit's, not the runner's word.
  if (how.report.from === "checkout") await deps.reportsIn(checkout, how.report.pattern, REPORT_BYTES_MAX, "remove");
  const ran = await confine(deps, desk, run, {
    ...base,
    argv: how.argv,
    mounts: [...mounts, { host: reports, inside: REPORTS_INSIDE, access: "write" }, ...inputs.mounts],
    environment: {
      CI: "1",
      ...(Object.keys(checkouts).length > 1 && { AGENTOS_REPOS: WORKSPACES_INSIDE }),
      ...(gate.source === "detected" ? beside(gate.environment, environment) : environment),
      ...inputs.environment,
      ...how.environment,
      // What a person set goes before everything.
      ...(gate.source === "named" && gate.environment),
    },
    timeoutMs: gate.timeoutMs,
  });
  const report = await reportOf(deps, gate, how.report, { checkout, reports, ran });
  const counts: TestCounts | null =
    gate.report === null || report === null ? null : deps.runners.read(gate.report, report);
  const evidence: Evidence[] = [...ran.evidence, { kind: "program", name, path: program }];
  for (const repo of Object.keys(checkouts))
    if (!isWritable(desk, repo)) {
      const line = await mountSeen(deps, desk, run, repo, { mounts, scratches });
      evidence.push({ kind: "mount", repo, line, readOnly: true });
    }
  const blobs: StagedBlob[] = [...ran.blobs];
  if (counts !== null && report !== null) {
    const { from } = how.report;
    // What the command put out is kept as its output already.
    const own = from === "stdout" || from === "stderr" ? ran[from] : null;
    const kept = own ?? (await deps.blobs.stage(report));
    blobs.push(...(own === null ? [kept] : []));
    evidence.push({ kind: "tests", runner: gate.runner ?? "named", counts, report: kept.ref });
  }
  const output = await deps.blobs.stage(ends(ran.outcome.stdout.bytes, ran.outcome.stderr.bytes));
  blobs.push(output);
  const found: PinnedPart[] = [];
  for (const part of gate.definition) {
    const text = await deps.workspaces.textAt(workspace, commit, part.path);
    found.push(pinned(part, text, deps.seal, (content) => deps.digest(new TextEncoder().encode(content))));
  }
  return { outcome: { evidence, found, program, counts, output: output.ref }, blobs };
}

async function reportOf(
  deps: BrokerDependencies,
  gate: GateDefinition,
  place: ReportPlace,
  {
    checkout,
    reports,
    ran,
  }: { readonly checkout: string; readonly reports: string; readonly ran: Awaited<ReturnType<typeof confine>> },
): Promise<Uint8Array | null> {
  switch (place.from) {
    case "stdout":
    case "stderr":
      return ran.outcome[place.from].bytes;
    case "file":
      return deps.readReport(reports, place.name, REPORT_BYTES_MAX);
    case "checkout": {
      const found = await deps.reportsIn(checkout, place.pattern, REPORT_BYTES_MAX, "read");
      return gate.report === null || found.length === 0 ? null : deps.runners.join(gate.report, found);
    }
  }
}

/** Each checkout at its repo's place, with its dependencies; one that the task may not change is read-only here too. */
async function sideBySide(
  deps: BrokerDependencies,
  desk: Desk,
  gate: GateDefinition,
  checkouts: Readonly<Record<string, string>>,
): Promise<LayersInside> {
  const mounts: Mount[] = [];
  const scratches: Scratch[] = [];
  let environment: LayersInside["environment"] = {};
  for (const [repo, host] of Object.entries(checkouts)) {
    const workspace = workspaceOf(desk, repo);
    const layer = await layerMounts(deps, desk, repo, repo === gate.repo ? gate.cwd : ".");
    if (repo === gate.repo) environment = layer.environment;
    mounts.push(
      { host, inside: insideOf(repo), access: isWritable(desk, repo) ? "write" : "read" },
      {
        host: deps.workspaces.objectsPath(workspace),
        inside: deps.workspaces.objectsInside(workspace),
        access: "read",
      },
      ...layer.mounts,
    );
    scratches.push(...layer.scratches);
  }
  return { mounts, scratches, environment };
}

async function resolved(
  deps: BrokerDependencies,
  desk: Desk,
  run: StepRun,
  place: Pick<Parameters<typeof confine>[3], "repo" | "cwd" | "mounts" | "scratches" | "network"> & {
    readonly name: string;
  },
): Promise<string | null> {
  const { name, ...where } = place;
  const known = deps.sandbox.systemProgram(name);
  if (known !== null) return known;
  const ran = await confine(deps, desk, run, {
    ...where,
    argv: ["/bin/sh", "-c", 'p=$(command -v -- "$1") && readlink -f -- "$p"', "sh", name],
    environment: {},
    timeoutMs: 30_000,
  });
  const path = ran.told.stdout.trim();
  return ran.outcome.exitCode === 0 && path !== "" ? path : null;
}

/** What was detected for a gate must not hide what its layer provides: lists of folders are joined, of anything else the layer's word counts. */
function beside(
  own: Readonly<Record<string, string>>,
  layer: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const lists = Object.entries(own).flatMap(([name, value]) => {
    const theirs = layer[name];
    return theirs === undefined || !name.endsWith("PATH")
      ? []
      : [[name, [...new Set([...value.split(":"), ...theirs.split(":")])].join(":")] as const];
  });
  return { ...own, ...layer, ...Object.fromEntries(lists) };
}

/** The last of both outputs, errors last: what a person wants to read first. */
function ends(stdout: Uint8Array, stderr: Uint8Array): Uint8Array {
  const last = (bytes: Uint8Array): Uint8Array => bytes.subarray(Math.max(0, bytes.byteLength - TAIL_BYTES));
  return new Uint8Array([...last(stdout), ...last(stderr)]);
}
