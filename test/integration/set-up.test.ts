import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../support/daemon.ts";

test("set-up in a checkout whose node_modules are links to another's leaves the other's as they are", () => {
  const other = temporaryDirectory("other");
  const checkout = realpathSync(temporaryDirectory("checkout"));
  const root = resolve(import.meta.dirname, "../..");
  for (const path of ["scripts/setup.sh", "package-lock.json", ".npmrc"])
    cpSync(join(root, path), join(checkout, path));
  mkdirSync(join(checkout, "web"));
  const links = ["node_modules", "web/node_modules"].map((path) => {
    const target = join(other, path);
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, "installed"), "");
    symlinkSync(target, join(checkout, path));
    return { path, target };
  });
  // What npm does first, and no more: nothing is fetched here.
  const programs = temporaryDirectory("programs");
  writeFileSync(join(programs, "npm"), "#!/bin/sh\nrm -rf node_modules/* web/node_modules/*\nexit 1\n", {
    mode: 0o755,
  });

  const { status, stderr } = spawnSync("sh", ["scripts/setup.sh"], {
    cwd: checkout,
    encoding: "utf8",
    env: { PATH: `${programs}:${process.env["PATH"]}` },
  });
  expect([status, stderr.split("\n")]).toEqual([
    1,
    [
      ...links.map(
        ({ path, target }) => `set-up: ${path} is a link to ${target}; the link is removed, and what it leads to stays`,
      ),
      "set-up: installing dependencies (about a minute, only once)",
      `set-up: npm ci failed; all of it is in ${checkout}/.setup/log:`,
      "",
    ],
  ]);
  expect(links.map(({ target }) => readdirSync(target))).toEqual([["installed"], ["installed"]]);
  expect([readdirSync(checkout), readdirSync(join(checkout, "web"))].flat()).not.toContain("node_modules");
});
