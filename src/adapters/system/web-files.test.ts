import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { webFiles } from "./web-files.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "agentos-web-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

test("the page is all its files of a known kind, by the path they are asked for", async () => {
  mkdirSync(join(place, "assets"));
  for (const name of ["index.html", "assets/app.js", "assets/app.js.map", "LICENSE"])
    writeFileSync(join(place, name), name);
  const found = [...(await webFiles(place))].map(([path, { bytes, type }]) => [
    path,
    type,
    Buffer.from(bytes).toString(),
  ]);
  expect(found.sort()).toEqual([
    ["/assets/app.js", "text/javascript; charset=utf-8", "assets/app.js"],
    ["/index.html", "text/html; charset=utf-8", "index.html"],
  ]);
});

test("a page that was not built has no files", async () =>
  expect(await webFiles(join(place, "absent"))).toEqual(new Map()));

test("a page that cannot be read is an error, not one that was not built", async () => {
  writeFileSync(join(place, "file"), "");
  await expect(webFiles(join(place, "file"))).rejects.toMatchObject({ code: "ENOTDIR" });
});
