import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PLANTED } from "./defects.ts";

const root = join(import.meta.dirname, "../..");

test("every defect of the list has a patch, and every patch still fits the sources", () => {
  const listed = [...readFileSync(join(import.meta.dirname, "LIST.md"), "utf8").matchAll(/^(\d+)\. /gm)];
  expect(PLANTED.map(({ number }) => number)).toEqual(listed.map(([, number]) => Number(number)));
  const misfits = PLANTED.filter(({ file, from }) => readFileSync(join(root, file), "utf8").split(from).length !== 2);
  expect(misfits.map(({ number, file }) => `${number} in ${file}`)).toEqual([]);
});
