import { execFile } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Place {
  readonly home: string;
  readonly sample: string;
}

/** A directory of the demo's own, kept at the end so that everything can be looked at. */
export async function madePlace(): Promise<Place> {
  const top = await mkdtemp(join(tmpdir(), "agentos-demo-"));
  return { home: join(top, "data"), sample: join(top, "till") };
}

/** A till that charges too much: a discount is added where it should be taken off, so two of its four tests fail. */
const FILES: Readonly<Record<string, string>> = {
  "package.json": `${JSON.stringify({ name: "till", version: "1.0.0", type: "module", scripts: { test: "node --test" } }, null, 2)}\n`,
  "src/total.js": `/** What a basket costs, in cents. \`discount\` is a percentage. */
export function total(items, discount = 0) {
  const sum = items.reduce((cents, { price, count }) => cents + price * count, 0);
  return sum + Math.round((sum * discount) / 100);
}
`,
  "test/total.test.js": `import assert from "node:assert/strict";
import test from "node:test";
import { total } from "../src/total.js";

const basket = [{ price: 250, count: 2 }, { price: 1000, count: 1 }];

test("an empty basket costs nothing", () => assert.equal(total([]), 0));
test("prices add up", () => assert.equal(total(basket), 1500));
test("a discount is taken off", () => assert.equal(total(basket, 10), 1350));
test("a full discount makes it free", () => assert.equal(total(basket, 100), 0));
`,
  "scripts/check-prices.js": `// Takes its time on purpose: something to be killed in the middle of.
import { setTimeout as wait } from "node:timers/promises";
import { total } from "../src/total.js";

const rounds = 6;
for (let round = 1; round <= rounds; round += 1) {
  await wait(500);
  const basket = [{ price: 100 * round, count: 1 }];
  if (total(basket, 50) !== 50 * round) throw new Error(\`half price of \${100 * round} is \${total(basket, 50)}\`);
  console.log(\`checked \${round} of \${rounds}\`);
}
`,
};

/** Makes the sample repository with one commit. Git is told everything it needs, so the person's own settings play no part. */
export async function madeSample(directory: string): Promise<void> {
  for (const [path, content] of Object.entries(FILES)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
  const git = (...words: string[]) =>
    run(
      "git",
      [
        "-c",
        "user.name=AgentOS demo",
        "-c",
        "user.email=demo@localhost",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
        ...words,
      ],
      { cwd: directory },
    );
  await git("init", "-q");
  await git("add", "-A");
  await git("commit", "-q", "-m", "A till that charges too much");
}
