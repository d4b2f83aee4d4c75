import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { bundle } from "../../scripts/bundle.mjs";
import { isCounting } from "../support/coverage.ts";
import { temporaryDirectory } from "../support/daemon.ts";
import { program } from "../support/programs.ts";

/* What starts is made of the sources as they are, never of those that were. */

const ROOT = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);

/** As much of a checkout as a start needs. */
function checkout(): string {
  const copy = temporaryDirectory("checkout");
  for (const name of ["src", "scripts", "web", "package.json", "package-lock.json", ".npmrc", "agentos"])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true, filter: (path) => !path.includes("node_modules") });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  return copy;
}

const bundlesOf = (copy: string): string[] =>
  readdirSync(join(copy, ".setup")).filter((name) => name.startsWith("bundle-"));

test("another source makes another bundle, the same sources the same one, and what runs keeps its own", async () => {
  const copy = checkout();
  const first = await bundle(copy);
  expect(await bundle(copy)).toBe(first);
  const version = join(copy, "src", "main", "version.ts");
  const before = join(copy, "version.before");
  cpSync(version, before, { preserveTimestamps: true });
  appendFileSync(version, "\nexport const ANOTHER = true;\n");
  const second = await bundle(copy);
  expect(bundlesOf(copy).sort()).toEqual([first, second].map((path) => path.split("/").at(-1)).sort());
  // An old file with its old date: by its content it is the first again.
  rmSync(version);
  renameSync(before, version);
  expect(await bundle(copy)).toBe(first);
  expect(existsSync(join(first, "bridge.mjs"))).toBe(true);
});

const shown = existsSync("/proc/self/cmdline");
test.skipIf(!shown)(
  `of older bundles the newest stay, and what a process was started from${shown ? "" : " (only where the system shows processes)"}`,
  async () => {
    const root = checkout();
    const programs = { waits: "src/waits.ts" };
    const made = async (nth: number): Promise<string> => {
      writeFileSync(join(root, "src", "waits.ts"), `process.stdin.on("end", () => console.log(${nth})).resume();\n`);
      return await bundle(root, { kind: "waits", programs, sources: ["src/waits.ts"], compiled: [] });
    };
    const first = await made(0);
    const second = await made(1);
    const waiting = spawn(process.execPath, [join(first, "waits.js")], { stdio: ["pipe", "ignore", "inherit"] });
    try {
      // Dates one second apart, so that which are older is no matter of the clock's grain.
      for (const [at, path] of [first, second].entries()) utimesSync(path, at + 1, at + 1);
      for (let nth = 2; nth < 11; nth += 1) utimesSync(await made(nth), nth + 1, nth + 1);
      expect([existsSync(first), existsSync(second)]).toEqual([true, false]);
    } finally {
      waiting.stdin.end();
      await once(waiting, "close");
    }
    await made(11);
    expect(existsSync(first)).toBe(false);
  },
);

test("a bug's stack trace names the sources", async () => {
  const cli = program("product", "cli");
  const planted = `data:text/javascript,${encodeURIComponent(
    'const { write } = process.stdout; process.stdout.write = (text) => { if (String(text).startsWith("agentos ")) throw new Error("planted"); };',
  )}`;
  const failed = await run(process.execPath, ["--import", planted, cli, "--version"]).catch(
    (error: { readonly stderr: string }) => error,
  );
  expect(failed).toMatchObject({ stderr: expect.stringMatching(/planted[\s\S]*\/src\/main\/cli\.ts:\d+:\d+/) });
});

test.skipIf(isCounting())(
  `--version and --help load neither the schemas nor what talks to the daemon${isCounting() ? " (coverage runs sources, not the bundle)" : ""}`,
  async () => {
    const cli = program("product", "cli");
    const loaded = async (...words: string[]): Promise<string> => {
      const { stderr } = await run(process.execPath, [cli, ...words], { env: { ...process.env, NODE_DEBUG: "esm" } });
      return stderr;
    };
    for (const words of [["--version"], ["--help"]]) {
      const told = await loaded(...words);
      expect(told).toContain(pathToFileURL(cli).href);
      expect(told).not.toMatch(/\/(schemas|api|daemon|open)-?[\w-]*\.js/);
    }
  },
);
