import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunFiles, runFiles } from "./run-files.ts";

let home: string;
let files: RunFiles;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "agentos-runs-")));
  files = runFiles({ home, owner: null, digest: (text) => Buffer.from(text).toString("hex").padEnd(16, "0") });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const put = (all: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
};
const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString("utf8"));

describe("reports in a checkout", () => {
  const found = async (bytesMax = 100) =>
    (await files.reportsIn(join(home, "checkout"), "(?:[^/]+/)*TEST-[^/]*\\.xml", bytesMax, "read")).map(text);

  beforeEach(() =>
    put({
      "checkout/target/TEST-b.xml": "bb",
      "checkout/target/TEST-a.xml": "a",
      "checkout/target/deep/TEST-c.xml": "ccc",
      "checkout/target/TEST-a.xml.bak": "no",
      "checkout/node_modules/x/TEST-d.xml": "no",
      "checkout/.git/TEST-e.xml": "no",
    }),
  );

  test("are those whose whole path fits, in order; what git and packages keep is none of them", async () =>
    expect(await found()).toEqual(["a", "bb", "ccc"]));

  test("are read whole or not at all: together beyond the bound there are none", async () =>
    expect([await found(6), await found(5)]).toEqual([["a", "bb", "ccc"], []]));

  test("are plain files, never what a link names", async () => {
    put({ "secret/TEST-s.xml": "s3cret" });
    symlinkSync(join(home, "secret"), join(home, "checkout/way"));
    symlinkSync(join(home, "secret/TEST-s.xml"), join(home, "checkout/TEST-link.xml"));
    expect(await found()).toEqual(["a", "bb", "ccc"]);
  });

  test("are removed before a run, and nothing else is", async () => {
    expect(await files.reportsIn(join(home, "checkout"), "target/TEST-[^/]*\\.xml", 0, "remove")).toEqual([]);
    expect(await found()).toEqual(["ccc"]);
    expect(existsSync(join(home, "checkout/target/TEST-a.xml.bak"))).toBe(true);
  });
});

describe("a report of a run", () => {
  test("is a regular file of a plain name, within its bound", async () => {
    put({ "report/junit.xml": "<x/>", "beside.xml": "no" });
    mkdirSync(join(home, "report/directory"));
    symlinkSync(join(home, "beside.xml"), join(home, "report/link.xml"));
    const read = async (name: string, bytesMax = 4) =>
      text(await files.readReport(join(home, "report"), name, bytesMax));
    expect([await read("junit.xml"), await read("junit.xml", 3), await read("absent.xml")]).toEqual([
      "<x/>",
      null,
      null,
    ]);
    for (const name of ["directory", "link.xml", "../beside.xml", ".."])
      expect([name, await read(name)]).toEqual([name, null]);
  });

  test("is not waited for where a socket stands in its place", async () => {
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(home, "s"), resolve));
    try {
      expect(await files.readReport(home, "s", 10)).toBe(null);
    } finally {
      socket.close();
    }
  });

  test("that this user cannot look for is an error, not a missing report", async () => {
    put({ file: "" });
    await expect(files.readReport(join(home, "file"), "junit.xml", 10)).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

describe("the output of a run", () => {
  test("is kept under its task, step and run, for its owner alone, and read by its end or from a place on", async () => {
    const file = await files.outputFile("t", "work", 2);
    files.appendOutput(file, "one\n");
    files.appendOutput(file, "two\n");
    expect([file, statSync(file).mode & 0o777]).toEqual([join(home, "output/t/work.2.log"), 0o600]);
    expect([text(await files.output("t", "work", 2, 100)), text(await files.output("t", "work", 2, 3))]).toEqual([
      "one\ntwo\n",
      "wo\n",
    ]);
    const from = async (offset: number, bytesMax: number) => {
      const { bytes, size } = await files.outputFrom("t", "work", 2, offset, bytesMax);
      return [text(bytes), size];
    };
    expect([await from(4, 2), await from(4, 100), await from(8, 100), await from(99, 100)]).toEqual([
      ["tw", 8],
      ["two\n", 8],
      ["", 8],
      ["", 8],
    ]);
  });

  test("of a run that put out nothing, or is not known, is nothing", async () => {
    writeFileSync(await files.outputFile("t", "work", 1), "");
    expect([await files.output("t", "work", 1, 10), await files.output("t", "work", 9, 10)]).toEqual([null, null]);
    expect(await files.outputFrom("t", "work", 9, 0, 10)).toEqual({ bytes: new Uint8Array(), size: 0 });
  });

  test("is counted by task, and dropped by task", async () => {
    expect(await files.outputUse()).toEqual([]);
    for (const task of ["a", "b"]) files.appendOutput(await files.outputFile(task, "work", 1), "x");
    const used = await files.outputUse();
    expect(used.map(({ task }) => task).sort()).toEqual(["a", "b"]);
    for (const { bytes } of used) expect(bytes).toBeGreaterThan(0);
    await files.dropOutput("a");
    expect((await files.outputUse()).map(({ task }) => task)).toEqual(["b"]);
  });

  test("that cannot be listed is an error, not the use of nothing", async () => {
    put({ output: "a file where the directory belongs" });
    await expect(files.outputUse()).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

test("the directory of a run is private; only its inputs and what is written for it can be read by others", async () => {
  const directory = await files.directory("t", "work", 1);
  const inputs = await files.inputs("t", "work", 1, "gates");
  await files.writeText(join(inputs, "list"), "a\n");
  expect(inputs).toBe(join(directory, "inputs/gates"));
  expect(await files.reports("t", "work", 1)).toBe(join(directory, "report"));
  const modes = [directory, join(directory, "report"), join(directory, "inputs"), inputs, join(inputs, "list")];
  expect(modes.map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(["700", "700", "755", "755", "644"]);
  expect(readFileSync(join(inputs, "list"), "utf8")).toBe("a\n");
});

test("the directory of a finished run goes, that of another stays until what dead runs left is dropped", async () => {
  const [one, two] = [await files.directory("t", "work", 1), await files.directory("t", "more", 1)];
  expect(one).not.toBe(two);
  await files.drop("t", "work", 1);
  await files.drop("t", "work", 1);
  expect([existsSync(one), existsSync(two)]).toEqual([false, true]);
  await files.dropAll();
  expect(existsSync(join(home, "runs"))).toBe(false);
});
