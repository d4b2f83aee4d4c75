import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestCounts } from "../../src/domain/test-counts.ts";
import { commit, git, put, type Rig, repository, room, startRig, TOOL_PATH } from "../integration/task-kit.ts";
import { PACKAGES, type Package } from "./packages.ts";

/*
 * Sources that others published, through the engine: `npm run test:packages`. Needs a network for the sources and for npm's
 * dependencies, and the programs of scripts/toolchains.sh. Writes what it saw of all of them to docs/guarantees/packages.md.
 */

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCES = join(PROJECT, ".setup", "packages");
/** An account without rights of its own. */
const NOBODY = 65_534;
const MINUTES = 20 * 60_000;
const PERSONAL = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => /cargo\/bin$/.test(folder));
const TOOLS = [...TOOL_PATH, ...PERSONAL];

interface Row {
  readonly of: Package;
  readonly direct: string;
  readonly gate: string;
  readonly status: string;
  broken: string;
}

const rows = new Map<string, Row>();
let rig: Rig;
beforeAll(async () => {
  rig = await startRig({}, { toolPath: TOOLS, waitMs: MINUTES });
});
afterAll(() => {
  expect(rig.warnings).toEqual([]);
  // A run of some of them only would leave out the others' rows.
  if (rows.size === PACKAGES.length)
    writeFileSync(join(PROJECT, "docs/guarantees/packages.md"), page([...rows.values()]));
});

describe.each(PACKAGES)("$name $version", (one) => {
  test("succeeds with the counts its own runner gives", { timeout: 2 * MINUTES }, async () => {
    const sources = await unpacked(one);
    const direct = runDirectly(one, sources);
    const { status, counts, exit } = await runAsTask(one, sources);
    rows.set(one.name, {
      of: one,
      direct: text(direct.counts) ?? `exit code ${direct.exit}`,
      gate: text(counts) ?? `exit code ${exit}`,
      status,
      broken: "not run",
    });
    expect({ status, counts }).toEqual({ status: "succeeded", counts: direct.counts });
  });

  test("never succeeds with a broken test", { timeout: 2 * MINUTES }, async () => {
    const sources = await unpacked(one);
    const [file, find, replace] = one.breaking;
    const before = readFileSync(join(sources, file), "utf8");
    expect(before).toContain(find);
    writeFileSync(join(sources, file), before.replace(find, replace));
    const { status, counts } = await runAsTask(one, sources);
    const row = rows.get(one.name);
    if (row !== undefined) row.broken = [status, text(counts) ?? []].flat().join(", ");
    expect(status).toBe("failed");
    // Of several gates only the one whose test was broken.
    expect(Object.values(counts).filter(({ failed }) => failed > 0).length).toBe(one.said === null ? 0 : 1);
  });
});

async function archive({ url, sha256 }: Pick<Package, "url" | "sha256">): Promise<string> {
  mkdirSync(SOURCES, { recursive: true });
  const path = join(SOURCES, basename(url));
  if (!existsSync(path)) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    writeFileSync(path, Buffer.from(await answer.arrayBuffer()));
  }
  const found = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (found !== sha256) throw new Error(`${url} has the digest ${found}, pinned is ${sha256}`);
  return path;
}

async function unpacked(one: Package): Promise<string> {
  const folder = join(
    room(),
    basename(one.name)
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-"),
  );
  for (const [at, published] of [[".", one] as const, ...Object.entries(one.beside ?? {})]) {
    const into = join(folder, at);
    mkdirSync(into, { recursive: true });
    const path = await archive(published);
    if (published.folder === undefined) {
      execFileSync("tar", ["--no-same-owner", "-xf", path, "-C", into, "--strip-components=1"]);
    } else {
      const whole = room();
      execFileSync("dpkg-deb", ["--extract", path, whole]);
      cpSync(join(whole, published.folder), into, { recursive: true });
    }
  }
  put(folder, one.adds ?? {});
  return folder;
}

/** Counts by the gate they belong to; a gate that is judged by its exit code has none. */
type Counts = Readonly<Record<string, TestCounts>>;

function runDirectly(one: Package, sources: string): { readonly exit: number | null; readonly counts: Counts } {
  const home = room();
  const folder = join(home, "direct");
  cpSync(sources, folder, { recursive: true });
  const other = one.neverAsRoot === true && process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : null;
  if (other !== null) execFileSync("chown", ["-R", `${other.uid}:${other.gid}`, home]);
  const run = ([program = "", ...rest]: readonly string[], at = ".") =>
    spawnSync(program, rest, {
      ...other,
      cwd: join(folder, at),
      encoding: "utf8",
      maxBuffer: 64 * 1024 ** 2,
      timeout: 5 * 60_000,
      env: {
        ...process.env,
        PATH: TOOLS.join(delimiter),
        NODE_OPTIONS: "",
        CI: "1",
        ...(other !== null && { HOME: home }),
      },
    });
  for (const argv of one.before ?? []) {
    const ran = run(argv);
    if (ran.status !== 0) throw new Error(`${argv.join(" ")} of ${one.name}: ${ran.stderr}`);
  }
  const counts: Record<string, TestCounts> = {};
  let exit: number | null = 0;
  for (const [gate, at] of Object.entries(one.gates ?? { tests: "." })) {
    const ran = run(one.direct, at);
    if (ran.status !== 0) exit = ran.status;
    if (one.said !== null) counts[gate] = one.said(ran.stdout);
  }
  return { exit, counts };
}

async function runAsTask(one: Package, sources: string) {
  repository({}, sources);
  commit(sources, "as published");
  const project = await rig.projectWith({ path: sources });
  const id = await rig.queued(project, { agent: "gates", run_mode: "autonomous", ...one.spec });
  const task = await rig.until(id, "succeeded", "blocked", "failed");
  const status = task.status === "blocked" ? `blocked/${task.reason}` : task.status;
  const evidence = (await rig.bodies(id, "STEP_COMPLETED")).flatMap((step) => step.evidence);
  const commands = evidence.flatMap((step) => (step.kind === "command" ? [step.exitCode] : []));
  if (status.startsWith("blocked")) throw new Error(await rig.told(id));
  const counts: Counts = Object.fromEntries(
    Object.entries(task.verdicts).flatMap(([gate, { counts }]) => (counts === null ? [] : [[gate, counts]])),
  );
  return { status, counts, exit: commands.at(-1) ?? null };
}

/** Null where nothing was counted. The gate is named where there are several. */
function text(counts: Counts): string | null {
  const found = Object.entries(counts);
  if (found.length === 0) return null;
  return found.map(([gate, one]) => (found.length === 1 ? inWords(one) : `${gate}: ${inWords(one)}`)).join("<br>");
}

const inWords = ({ passed, failed, skipped }: TestCounts): string =>
  `${passed} passed${failed === 0 ? "" : `, ${failed} failed`}${skipped === 0 ? "" : `, ${skipped} skipped`}`;

function page(found: readonly Row[]): string {
  const cells = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const named = found.flatMap(({ of }) => (of.because === undefined ? [] : [`- ${of.name}: ${of.because}.`]));
  const added = found.flatMap(({ of }) => (of.added === undefined ? [] : [`- ${of.name}: ${of.added}.`]));
  return [
    "# Other people's packages through the gates",
    "",
    "Published sources, fetched by digest, committed as they are and run as a task of the agent `gates`; beside them what the package's own",
    "runner says when it is run directly. Then the same with one test broken on purpose, which must never succeed. Of a repository with",
    "several packages each has a gate and counts of its own, and only the gate of the one whose test is broken fails.",
    "",
    `Last run: on top of commit ${git(PROJECT, "rev-parse", "--short=12", "HEAD")}, by \`npm run test:packages\`.`,
    "",
    cells(["package", "version", "ecosystem", "runner, directly", "gate", "task", "with a broken test"]),
    cells(Array.from({ length: 7 }, () => "---")),
    ...found.map(({ of, direct, gate, status, broken }) =>
      cells([of.name, of.version, of.ecosystem, direct, gate, status, broken]),
    ),
    "",
    "What the spec names for them beside what is detected:",
    "",
    ...named,
    "",
    "What is committed beside the published sources:",
    "",
    ...added,
    "",
  ].join("\n");
}
