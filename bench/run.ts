/**
 * What AgentOS can do here, beside what this machine can do:  npm run bench
 * Only some of it:                                            npm run bench -- steps sandbox
 * Only to see that it works:                                  npm run bench -- --tiny
 * With the result as JSON in a file:                          npm run bench -- --json FILE
 *
 * The table goes to stdout. Exit code 1 when a ratio that has to hold does not.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Bench, holds, type Result, type Size, took } from "./bench.ts";
import { BENCHES } from "./benches.ts";
import { machine } from "./machine.ts";
import { madePlace } from "./place.ts";
import { tableOf } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tiny: { type: "boolean", default: false }, json: { type: "string" } },
});
const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `bench: there is no ${unknown.join(", ")}; there are ${BENCHES.map(({ name }) => name).join(", ")}\n`,
  );
  process.exit(2);
}
const chosen = BENCHES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const size: Size = values.tiny ? "tiny" : "usual";
// Before the first: the checkout and the load of the machine as they are now.
const about = {
  ...machine(),
  size,
  command: `npm run bench -- ${process.argv.slice(2).join(" ")}`.replace(/ -- $/, ""),
};
const results: { readonly bench: Bench; readonly result: Result }[] = [];
let failed = false;
for (const bench of chosen) {
  const place = madePlace();
  try {
    process.stderr.write(`bench: ${bench.name} …`);
    let result: Result = { figures: [], ratios: [] };
    const ms = await took(async () => {
      result = await bench.run(size, place);
    });
    process.stderr.write(` ${(ms / 1_000).toFixed(1)} s\n`);
    results.push({ bench, result });
  } catch (error) {
    // The others' figures are worth having all the same.
    process.stderr.write(` ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    failed = true;
  } finally {
    place.leave();
  }
}

process.stdout.write(tableOf(about, results));
if (values.json !== undefined)
  writeFileSync(
    values.json,
    `${JSON.stringify({ ...about, benches: results.map(({ bench, result }) => ({ name: bench.name, ...result })) }, null, 2)}\n`,
  );
process.exitCode = failed || results.some(({ result }) => result.ratios.some((one) => holds(one) === false)) ? 1 : 0;
